"""A lock between Blenders of one user."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

# How long another Blender is waited for: it holds the lock for as long as a small file takes.
PATIENCE_SECONDS = 2.0
PAUSE_SECONDS = 0.005


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Hold a lock that the operating system gives back when its holder ends, however it does.

    Where it is not to be had in time, or the file system knows no locks, the work goes on without.
    Raises OSError where the file cannot be made.
    """
    with path.open("a+b") as file:
        limit = time.monotonic() + PATIENCE_SECONDS
        while not _take(file) and time.monotonic() < limit:
            time.sleep(PAUSE_SECONDS)
        # Closing the file gives the lock back.
        yield


if sys.platform == "win32":
    import msvcrt

    def _take(file: IO[bytes]) -> bool:
        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _take(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
