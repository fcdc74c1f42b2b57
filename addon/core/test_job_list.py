"""The list of jobs survives restarts, crashes and damage."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from core.frame_ranges import FrameRanges
from core.job import Failure, JobState, MissingFile
from core.job_list import MAX_JOBS, JobList
from core.test_session import job


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    one = job(
        state=JobState.RENDERING,
        failures=[Failure(7, "no", "log")],
        missing=[MissingFile("image", "Image", "a", "/a", "/b")],
        files={3: "/render/3.png"},
        arrived=FrameRanges([[1, 3], [7, 7], [9, 10]]),
        notices=["Frame 7 is tried again"],
    )
    JobList(tmp_path / "jobs.json", [one]).save()
    assert JobList.load(tmp_path / "jobs.json").jobs == [one]
    assert not list(tmp_path.glob("*.partial"))


def test_hundreds_of_jobs_of_ten_thousand_frames_are_a_small_file(tmp_path: Path) -> None:
    arrived = FrameRanges([[1, 10_000]])
    files = {frame: f"/render/{frame:06}.png" for frame in arrived}
    jobs = [job(id=f"{number:04}", arrived=arrived, files=files) for number in range(200)]
    JobList(tmp_path / "jobs.json", jobs).save()
    assert (tmp_path / "jobs.json").stat().st_size < 500_000
    loaded = JobList.load(tmp_path / "jobs.json").jobs
    assert len(loaded) == 200 and loaded[7].arrived == arrived


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 9, "jobs": []}', '{"version": 1, "jobs": [{}]}']
)
def test_a_list_that_cannot_be_read_is_set_aside_not_deleted(tmp_path: Path, text: str) -> None:
    path = tmp_path / "jobs.json"
    path.write_text(text)
    assert JobList.load(path).jobs == []
    assert (tmp_path / "jobs.unreadable.json").read_text() == text


def test_a_job_that_only_another_version_can_read_stays_for_it(tmp_path: Path) -> None:
    path = tmp_path / "jobs.json"
    JobList(path, [job(id="0001"), job(id="0002")]).save()
    path.write_text(path.read_text().replace('"submitting"', '"dreaming"', 1))
    older = JobList.load(path)
    assert [one.id for one in older.jobs] == ["0002"]
    older.add(job(id="0003"))
    older.save()
    path.write_text(path.read_text().replace('"dreaming"', '"submitting"'))
    assert sorted(one.id for one in JobList.load(path).jobs) == ["0001", "0002", "0003"]


SAVE = """
import sys
from pathlib import Path
from core.job_list import JobList
from core.test_session import job
path, name = Path(sys.argv[1]), sys.argv[2]
sys.stdin.read(1)
for number in range(10):
    jobs = JobList(path, [job(id=f"{name}-{number}")])
    jobs.save()
"""


def test_two_blenders_that_save_at_the_same_instant_both_keep_their_jobs(tmp_path: Path) -> None:
    path = tmp_path / "jobs.json"
    addon = Path(__file__).resolve().parents[1]
    blenders = [
        subprocess.Popen(
            [sys.executable, "-c", SAVE, str(path), name], stdin=subprocess.PIPE, cwd=addon
        )
        for name in "abcd"
    ]
    for blender in blenders:
        assert blender.stdin
        blender.stdin.write(b"!")
        blender.stdin.flush()
    for blender in blenders:
        blender.communicate()
        assert blender.returncode == 0
    assert len(JobList.load(path).jobs) == 40


def test_the_oldest_jobs_that_are_over_are_forgotten_first(tmp_path: Path) -> None:
    running = job(id="running", state=JobState.RENDERING)
    over = [job(id=f"{number:03}", state=JobState.FINISHED) for number in range(MAX_JOBS + 5)]
    jobs = JobList(tmp_path / "jobs.json", [running, *over])
    jobs.save()
    assert len(jobs.jobs) == MAX_JOBS
    assert jobs.find("running") and not jobs.find("000") and jobs.find(f"{MAX_JOBS + 4:03}")


def test_two_blenders_keep_each_others_jobs(tmp_path: Path) -> None:
    path = tmp_path / "jobs.json"
    one, other = JobList(path, [job(id="1")]), JobList(path, [job(id="2")])
    one.save()
    other.save()
    one.remove("1")
    one.save()
    assert [item.id for item in JobList.load(path).jobs] == ["2"]
