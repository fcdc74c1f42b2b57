"""`render-on-lambda` against the farm, as a pipeline uses it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local_farm import LocalFarm

COMMAND = Path(sys.executable).with_name("render-on-lambda")


def run(
    farm: LocalFarm, tmp_path: Path, *arguments: str | Path
) -> subprocess.CompletedProcess[str]:
    """A command with the farm's options; its memory of digests is the test's own."""
    command, *rest = arguments
    options = ["--stack", farm.stack, "--endpoint", farm.endpoint]
    return subprocess.run(
        [COMMAND, command, *options, *rest],
        env=os.environ | farm.environment() | {"XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_job_is_submitted_followed_listed_and_fetched_again(
    farm: LocalFarm, sample: Path, tmp_path: Path
) -> None:
    done = run(farm, tmp_path, "submit", "--json", sample, "--frames", "3-4", "--watch",
               "--to", tmp_path / "frames")  # fmt: skip
    assert done.returncode == 0, done.stderr
    submitted, *frames, finished = [json.loads(line) for line in done.stdout.splitlines()]
    assert submitted["tasks"] == 2
    assert sorted(frame["frame"] for frame in frames) == [3, 4]
    assert all(Path(path).is_file() for frame in frames for path in frame["paths"])
    assert (finished["done"], finished["failed"]) == (2, 0)
    listed = json.loads(run(farm, tmp_path, "jobs", "--json").stdout)
    assert listed[0]["job"] == submitted["job"]
    assert (listed[0]["name"], listed[0]["done"]) == ("sample", 2)
    again = run(farm, tmp_path, "fetch", submitted["job"], "--to", tmp_path / "again")
    assert again.returncode == 0, again.stderr
    assert len([file for file in (tmp_path / "again").rglob("*") if file.is_file()]) == 2


def test_what_cannot_be_has_an_exit_code_and_one_sentence(
    farm: LocalFarm, sample: Path, tmp_path: Path
) -> None:
    no_job = "01900000-0000-7000-8000-000000000000"
    for code, arguments in (
        (4, ("cancel", no_job)),
        (4, ("fetch", no_job, "--to", tmp_path / "none")),
        (3, ("submit", sample, "--scene", "none")),
        (3, ("submit", tmp_path / "none.blend")),
    ):
        done = run(farm, tmp_path, *arguments)
        assert (done.returncode, len(done.stderr.splitlines())) == (code, 1), done.stderr
    nonsense = run(farm, tmp_path, "cancel", "nonsense")
    assert nonsense.returncode == 2
    assert "'nonsense' is no job's id" in nonsense.stderr


def test_a_cancelled_job_says_so(farm: LocalFarm, sample: Path, tmp_path: Path) -> None:
    done = run(farm, tmp_path, "submit", "--json", sample, "--frames", "1-200")
    assert done.returncode == 0, done.stderr
    job = json.loads(done.stdout)["job"]
    assert run(farm, tmp_path, "cancel", job).returncode == 0
    watched = run(farm, tmp_path, "watch", "--json", job, "--to", tmp_path / "frames")
    assert json.loads(watched.stdout.splitlines()[-1])["is_cancelled"] is True
