"""What a scene can do to its worker, to other jobs and to the machine: nothing, scripts or not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from local_farm import local_farm
from workers import BINARIES, Queue, wait_until

# What the kernel of Lambda cannot hold: it has no Landlock. Nothing of it is anybody else's there.


def escapes(log: bytes) -> tuple[set[str], set[str]]:
    """The ways out that worked, and those that did not."""
    lines = [line for line in log.decode().splitlines() if line.startswith(("HELD", "ESCAPED"))]
    out = {line.removeprefix("ESCAPED ") for line in lines if line.startswith("ESCAPED")}
    held = {line.removeprefix("HELD ").split(":")[0] for line in lines if line.startswith("HELD")}
    return out, held


def processes_of(words: str) -> list[str]:
    done = subprocess.run(["pgrep", "--full", "--list-full", words], capture_output=True, text=True)
    return [line for line in done.stdout.splitlines() if "pgrep" not in line]


def test_no_way_out_of_a_worker_that_polls(queue: Queue, scenes: Path, tmp_path: Path) -> None:
    job = queue.submit(scenes / "escaping.blend", "1", "--allow-scripts")
    with queue.worker(tmp_path):
        record = queue.wait_for(job, 1)[1]
        left = processes_of("^sleep 424243$")
    assert record["state"] == "done", record
    out, held = escapes(queue.log(job, record))
    assert not out and len(held) > 60, out
    assert not left
    worker = (tmp_path / "worker.log").read_text()
    assert '"cage":"everything is held","allows_scripts":true' in worker


def test_no_way_out_of_a_function(scenes: Path) -> None:
    with local_farm(Path(sys.executable), BINARIES) as farm:
        outputs = farm.outputs()
        queue = Queue(
            farm, outputs["BucketName"], outputs["QueueUrl"], outputs["DeadLetterQueueUrl"]
        )
        job = queue.submit(scenes / "escaping.blend", "1", "--allow-scripts")
        record = queue.wait_for(job, 1, limit_seconds=90)[1]
        left = processes_of("^sleep 424243$")
        log = queue.log(job, record)
    assert record["state"] == "done", record
    out, held = escapes(log)
    assert not out and len(held) > 60, out
    assert not left


@pytest.mark.parametrize("scene", ["climbing", "backslashes", "suffixed", "slotted", "absolute"])
def test_a_scenes_own_names_lead_nowhere_without_scripts(
    queue: Queue, scenes: Path, tmp_path: Path, scene: str
) -> None:
    """Another pack lies beside, as on a warm worker; a frame of it is rendered before and after."""
    first = queue.submit(scenes / "sound.blend", "1")
    with queue.worker(tmp_path):
        assert queue.wait_for(first, 1)[1]["state"] == "done"
        before = tree(tmp_path)
        hostile = queue.submit(scenes / f"{scene}.blend", "1")
        record = queue.wait_for(hostile, 1)[1]
        after = tree(tmp_path)
        second = queue.submit(scenes / "sound.blend", "2")
        assert queue.wait_for(second, 1)[2]["state"] == "done"
    assert record["state"] == "done", record
    assert {path: after.get(path) for path in before} == before
    made = [path for path in after if path not in before and "escaped" in path]
    assert not [path for path in made if "/output/" not in path], made
    assert not Path("/tmp/escaped").exists() and not list(Path("/tmp").glob("escaped*"))
    names = [file["path"] for file in record["files"]]
    assert any("escaped" in name for name in names), names


def tree(folder: Path) -> dict[str, bytes]:
    """The packs of the workers below a folder, and what lies beside them."""
    files = [path for path in folder.glob("render-on-lambda-*/packs/**/*") if path.is_file()]
    return {str(path): path.read_bytes() for path in files}


RENDER = """
import sys, bpy
bpy.ops.wm.open_mainfile(filepath=sys.argv[-2])
bpy.context.scene.render.filepath = sys.argv[-1]
bpy.ops.render.render(write_still=True)
"""


def test_a_scene_without_scripts_reads_no_file_of_the_workers_machine(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    """A text that nodes bring in by its path is a mesh of its letters in the picture."""
    scene, secret = scenes / "importing.blend", Path("/tmp/render-on-lambda-secret.txt")
    without = queue.submit(scene, "1", "--allow-missing")
    with_it = queue.submit(scene, "1", "--allow-missing")
    with queue.worker(tmp_path):
        before = queue.wait_for(without, 1)[1]
    secret.write_text("XXXXXXXXXXXX")
    try:
        with queue.worker(tmp_path):
            after = queue.wait_for(with_it, 1)[1]
        local = tmp_path / "local.png"
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", RENDER, scene, local], check=True,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
    finally:
        secret.unlink()
    assert before["files"] and before["files"][0]["size_bytes"] == after["files"][0]["size_bytes"]
    assert local.stat().st_size != after["files"][0]["size_bytes"], "the text is in no picture"


def test_what_ends_the_worker_ends_all_that_a_frame_has_started(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    job = queue.submit(scenes / "breeding.blend", "1", "--allow-scripts")
    process = queue.start(tmp_path / "worker.log")
    wait_until(lambda: processes_of("^sleep 424244$"), 60, lambda: "nothing was bred")
    process.kill()
    process.wait()
    wait_until(lambda: not processes_of("^sleep 424244$"), 20, lambda: "they outlive the worker")
    queue.cancel(job)


def test_another_job_of_the_same_pack_is_another_job(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    first = queue.submit(scenes / "staining.blend", "1", "--allow-scripts")
    with queue.worker(tmp_path):
        assert queue.wait_for(first, 1)[1]["state"] == "done"
        second = queue.submit(scenes / "staining.blend", "2", "--allow-scripts")
        record = queue.wait_for(second, 1)[2]
    assert record["state"] == "done"
    assert b"MARKED 1 False" in queue.log(second, record)


def test_scripts_are_left_to_others_where_the_kernel_holds_too_little(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    """Landlock is taken away by a filter of the worker's own parent, as an old kernel has none."""
    job = queue.submit(scenes / "staining.blend", "1", "--allow-scripts")
    innocent = queue.submit(scenes / "sound.blend", "1")
    log = tmp_path / "unconfined.log"
    process = queue.start(
        log, wrapper=[sys.executable, str(Path(__file__).with_name("no_landlock.py"))]
    )
    try:
        assert queue.wait_for(innocent, 1)[1]["state"] == "done"
        wait_until(
            lambda: "the task is left to others" in log.read_text(), 60, lambda: log.read_text()
        )
        assert not queue.records(job)
    finally:
        process.terminate()
        process.wait(timeout=30)
    assert "not held: reading files (Landlock" in log.read_text()
    with queue.worker(tmp_path):
        record = queue.wait_for(job, 1)[1]
    assert record["state"] == "done" and record["tries"] == 1, record


def test_a_worker_without_blender_leaves_and_takes_no_try(
    queue: Queue, scenes: Path, tmp_path: Path
) -> None:
    job = queue.submit(scenes / "sound.blend", "1")
    log = tmp_path / "without.log"
    process = queue.start(log, BLENDER="/nowhere/blender")
    assert process.wait(timeout=60) == 1
    assert "cannot start Blender (/nowhere/blender)" in log.read_text()
    with queue.worker(tmp_path):
        record = queue.wait_for(job, 1)[1]
    assert record["state"] == "done" and record["tries"] == 1, record
