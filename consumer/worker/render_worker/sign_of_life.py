"""Tells the consumer that Blender is at work."""

import os
import sys
import threading
import time

from .connection import Connection, progress

LIFE_EVERY_SECONDS = 2.0

OURS = os.path.dirname(__file__)


class SignOfLife:
    """Tells that Blender is at work where it says nothing itself: Workbench, the compositor, a
    BVH that takes minutes. Cycles tells of its samples seldom: what it said last is told again.

    It is at work while the processor is, and while the innermost Python is this package or that of
    Cycles, which calls its engine: what a script does in a loop is no sign of life.
    """

    def __init__(self, connection: Connection) -> None:
        # How much of the frame is rendered, 0 to 1, where that is known.
        self.part = None
        self._connection = connection
        self._main = threading.get_ident()
        self._is_wanted = threading.Event()
        threading.Thread(target=self._tell, daemon=True).start()

    def __enter__(self) -> None:
        self._is_wanted.set()

    def __exit__(self, *_) -> None:
        self._is_wanted.clear()

    def _tell(self) -> None:
        before = 0.0
        while True:
            time.sleep(LIFE_EVERY_SECONDS)
            self._is_wanted.wait()
            now = time.process_time()
            frame = sys._current_frames().get(self._main)
            place = os.path.dirname(frame.f_code.co_filename) if frame else None
            if place in {OURS, folder_of_cycles()} and now - before > LIFE_EVERY_SECONDS / 10:
                self._connection.send(progress(self.part))
            before = now


def folder_of_cycles() -> str | None:
    """Where the Python is with which Blender calls Cycles (`scripts/addons_core/cycles/engine.py`);
    None where it is not there.
    """
    engine = sys.modules.get("cycles.engine")
    return os.path.dirname(engine.__file__) if engine else None
