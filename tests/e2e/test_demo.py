"""`make demo` leaves nothing behind, also when it is interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PROJECT
from test_main_job import wait_for


def processes_of(folder: Path) -> list[str]:
    """The processes whose environment names a folder."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if (
                process.name.isdigit()
                and str(folder).encode() in (process / "environ").read_bytes()
            ):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return found


@pytest.mark.parametrize("interruption", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_no_process_and_no_folder(
    tmp_path: Path, interruption: signal.Signals
) -> None:
    demo = subprocess.Popen(
        [sys.executable, str(PROJECT / "tools" / "demo.py")],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert demo.stdout is not None
    for line in demo.stdout:
        if "at work" in line:
            break
    assert processes_of(tmp_path), "nothing was running yet"
    # As Ctrl-C in a terminal does, to the whole group; a service manager signals the process.
    if interruption is signal.SIGINT:
        os.killpg(demo.pid, interruption)
    else:
        demo.send_signal(interruption)
    demo.stdout.read()
    assert demo.wait(timeout=60) == 130
    wait_for(lambda: not processes_of(tmp_path), "the end of every process", limit_seconds=15)
    assert list(tmp_path.iterdir()) == []
