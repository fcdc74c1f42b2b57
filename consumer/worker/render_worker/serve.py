"""Answers the consumer's requests, one after the other."""

import ctypes
import os
import sys

import bpy

from .connection import Connection
from .renderer import Renderer
from .scene_errors import SceneError, SceneErrors

# Most letters of what is told of an error; the log has all of it.
MOST_LETTERS = 1000


def serve() -> None:
    os.umask(0o022)
    # What a script prints belongs into the log of its frame, also when Blender dies after it.
    sys.stdout.reconfigure(line_buffering=True)
    connection = Connection()
    renderer = Renderer(connection, SceneErrors())
    answer = {"open": renderer.open, "measure": renderer.measure, "render": renderer.render}
    connection.send({"type": "ready", "version": list(bpy.app.version)})
    while (request := connection.receive()) is not None:
        reap()
        try:
            reply = answer[request["type"]](request)
        except SceneError as error:
            reply = {"type": "failed", "message": sentence(str(error))}
        flush()
        connection.send(reply)


def reap() -> None:
    """Takes off the list what the frame before has started: the keeper has ended it since."""
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        pass


def sentence(text: str) -> str:
    """One line that can be told, whatever an exception says."""
    line = " ".join(text.encode(errors="replace").decode().split())
    return line if len(line) <= MOST_LETTERS else line[:MOST_LETTERS] + "…"


def flush() -> None:
    """Sends what Blender has printed on its way: it belongs to this task."""
    sys.stdout.flush()
    sys.stderr.flush()
    ctypes.CDLL(None).fflush(None)
