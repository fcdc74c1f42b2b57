"""A desktop's keychain without a desktop: a session bus of its own with GNOME's Secret Service."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 20


@contextmanager
def session_bus(folder: Path) -> Iterator[str]:
    """A desktop's message bus with nobody on it; its address."""
    bus = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--nopidfile", "--print-address",
         f"--address=unix:path={folder / 'bus'}"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert bus.stdout
    try:
        yield bus.stdout.readline().strip()
    finally:
        bus.terminate()
        bus.wait()


@contextmanager
def keychain(folder: Path) -> Iterator[dict[str, str]]:
    """A keychain that is unlocked, kept in a folder; the variables by which it is found."""
    folder.mkdir(mode=0o700)
    with session_bus(folder) as address:
        found = {
            "DBUS_SESSION_BUS_ADDRESS": address,
            "XDG_DATA_HOME": str(folder / "data"),
            "XDG_RUNTIME_DIR": str(folder),
        }
        daemon = subprocess.Popen(
            ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "HOME": str(folder)} | found,
        )  # fmt: skip
        assert daemon.stdin
        daemon.stdin.write(b"the artist's password\n")
        daemon.stdin.close()
        try:
            _wait(found)
            yield found
        finally:
            daemon.terminate()
            daemon.wait()


def _wait(environment: dict[str, str]) -> None:
    """Wait until somebody has taken the name of the Secret Service."""
    asked = [
        "dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus",
        "/org/freedesktop/DBus", "org.freedesktop.DBus.NameHasOwner",
        "string:org.freedesktop.secrets",
    ]  # fmt: skip
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        answer = subprocess.run(
            asked, env=environment | {"PATH": "/usr/bin:/bin"}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        if "boolean true" in answer.stdout:
            return
        time.sleep(0.1)
    raise TimeoutError("no Secret Service has come up")
