"""A notification reaches the desktop's own bus, and a computer without one goes on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from keychain import session_bus

LIMIT_SECONDS = 20

NOTIFY = """
import sys, time
import render_on_lambda
render_on_lambda.notify("shot <7>", "24 frames in 16 s & no more")
# It is shown by a thread of its own, which ends with the process.
time.sleep(float(sys.argv[1]))
print("went on")
"""


def notify(address: str, seconds: float) -> str:
    run = subprocess.run(
        [sys.executable, "-c", NOTIFY, str(seconds)],
        env=os.environ | {"DBUS_SESSION_BUS_ADDRESS": address},
        capture_output=True,
        text=True,
        check=True,
        timeout=LIMIT_SECONDS,
    )
    assert run.stderr == ""
    return run.stdout


def test_the_desktop_is_told_what_the_add_on_says(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    with session_bus(tmp_path) as address, heard.open("wb") as file:
        monitor = subprocess.Popen(["dbus-monitor", "--address", address], stdout=file)
        try:
            wait_for(heard, "NameAcquired")
            notify(address, 1.0)
            wait_for(heard, "member=Notify")
            wait_for(heard, 'string "24 frames in 16 s & no more"')
            assert 'string "shot <7>"' in heard.read_text()
        finally:
            monitor.terminate()
            monitor.wait()


def test_a_computer_without_a_desktop_goes_on(tmp_path: Path) -> None:
    assert notify(f"unix:path={tmp_path / 'nobody'}", 0.5) == "went on\n"


def wait_for(file: Path, text: str) -> None:
    """Until a file that is written to contains a text."""
    limit = time.monotonic() + LIMIT_SECONDS
    while text not in file.read_text():
        assert time.monotonic() < limit, f"no {text} in:\n{file.read_text()}"
        time.sleep(0.1)
