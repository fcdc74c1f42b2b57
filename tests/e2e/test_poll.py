"""`--poll`: the same consumer works the queue without Lambda."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from conftest import BINARIES, Blender
from local_farm import LocalFarm
from test_main_job import render


def test_a_worker_without_lambda_renders_the_queue(
    farm: LocalFarm, blender: Blender, sample: Path, tmp_path: Path
) -> None:
    farm.set_mapping(enabled=False)
    log = (tmp_path / "worker.log").open("wb")
    worker = subprocess.Popen(
        [str(BINARIES / "render-on-lambda-consumer"), "--poll"],
        env=os.environ
        | farm.worker_environment()
        | {
            "BLENDER": sys.executable,
            "LEASE_SECONDS": "30",
        },
        stderr=log,
    )
    try:
        result = render(blender, sample, "scene.frame_end = 2")
    finally:
        farm.set_mapping(enabled=True)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=30) == 0
        log.close()
    assert result["outcome"] == ["FINISHED"], (tmp_path / "worker.log").read_text()
    assert result["job"]["workers"] == 1
