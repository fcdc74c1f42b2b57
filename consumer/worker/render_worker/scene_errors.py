"""What a scene cannot be rendered with, and how it is noticed."""

import os
import sys
import traceback


class SceneError(Exception):
    """Something that the scene cannot render with."""


class SceneErrors:
    """Python errors of the scene: handlers, drivers and registered texts.

    Blender prints them and goes on (`PyErr_Print` calls `sys.excepthook`), so a frame would come
    out wrong and nobody would know.
    """

    def __init__(self) -> None:
        self._first = None
        sys.excepthook = self._take

    def clear(self) -> None:
        self._first = None

    def raise_first(self) -> None:
        if self._first:
            raise SceneError(self._first)

    def _take(self, kind, value, trace) -> None:
        traceback.print_exception(kind, value, trace)
        is_harmless = is_of_mantaflow(trace) or is_of_broken_driver(value)
        if self._first is None and not is_harmless:
            where = traceback.extract_tb(trace)[-1:]
            place = (
                f" ({os.path.basename(where[0].filename)}, line {where[0].lineno})" if where else ""
            )
            self._first = f"Python: {kind.__name__}: {value}{place}"


def is_of_broken_driver(value) -> bool:
    """Whether a driver's expression is none: every Blender gives it up and leaves what it
    drives as it is (`BPY_driver_exec`, `bpy_driver.cc`, Blender 5.2).
    """
    return isinstance(value, SyntaxError) and value.filename == "<bpy driver>"


def is_of_mantaflow(trace) -> bool:
    """Whether an error is of Blender's fluid solver, which runs Python of its own in `__main__`
    (`intern/mantaflow/intern/MANTA_main.cpp`, Blender 5.2) and goes on where it raises: replayed
    gas does so on each frame, and its picture is right.
    """
    if trace is None:
        return False
    frame = trace.tb_frame
    return frame.f_code.co_filename == "<string>" and "mantaMsg" in frame.f_globals
