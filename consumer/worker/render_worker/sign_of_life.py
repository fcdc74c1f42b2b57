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
    BVH that takes minutes.

    It is at work while the processor is, and while the innermost Python is this package: what a
    script does in a loop is no sign of life.
    """

    def __init__(self, connection: Connection) -> None:
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
            is_blender = frame is not None and os.path.dirname(frame.f_code.co_filename) == OURS
            if is_blender and now - before > LIFE_EVERY_SECONDS / 10:
                self._connection.send(progress(0, 0))
            before = now
