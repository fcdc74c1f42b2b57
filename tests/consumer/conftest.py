"""A farm without workers, and tiny scenes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from local_farm import local_farm
from workers import BINARIES, LEASE_SECONDS, MAXIMUM_TRIES, OLDER, PROJECT, Queue

FIXTURES = PROJECT / "tests" / "fixtures"


@pytest.fixture(scope="session")
def queue() -> Iterator[Queue]:
    """A farm whose mapping is off: nobody works but those that a test starts."""
    parameters = {"LeaseSeconds": str(LEASE_SECONDS), "MaximumTries": str(MAXIMUM_TRIES)}
    if OLDER.exists():
        # Some of the workers have both.
        parameters["ConsumerBlenderVersions"] = "4.5 5.2"
    with local_farm(Path(sys.executable), BINARIES, parameters=parameters) as farm:
        yield Queue.without_mapping(farm)


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny scenes."""
    folder = tmp_path_factory.mktemp("scenes")
    script = FIXTURES / "consumer_scenes.py"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(script), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder
