"""What the commands print: lines and bars for people, JSON for machines."""

from __future__ import annotations

import json
import shutil
import sys
import time
from typing import Any

EXIT_MISSING = 1
EXIT_WRONG_USE = 2
EXIT_UNREADABLE = 3
EXIT_FARM = 4
EXIT_FRAMES_FAILED = 5

_SHOW_EVERY_SECONDS = 0.1
_BAR_WIDTH = 24


class Reporter:
    """Prints results to stdout, and progress to stderr where that is a terminal."""

    def __init__(self, *, machine: bool) -> None:
        self.machine = machine
        self._is_terminal = sys.stderr.isatty()
        self._shown_seconds = 0.0
        self._has_bar = False

    def result(self, record: object, text: str) -> None:
        """Print a result: the record for machines, the text for people."""
        self.end_bar()
        print(json.dumps(record) if self.machine else printable(text), flush=True)

    def note(self, text: str) -> None:
        """Say something in passing."""
        self.end_bar()
        print(f"render-on-lambda: {printable(text)}", file=sys.stderr, flush=True)

    def bar(self, factor: float, text: str) -> None:
        """Show how far it is, on a terminal alone."""
        now = time.monotonic()
        if not self._is_terminal or now - self._shown_seconds < _SHOW_EVERY_SECONDS:
            return
        self._shown_seconds, self._has_bar = now, True
        filled = round(min(max(factor, 0.0), 1.0) * _BAR_WIDTH)
        line = f"{'█' * filled}{'░' * (_BAR_WIDTH - filled)} {printable(text)}"
        width = shutil.get_terminal_size().columns - 1
        print(f"\r\x1b[2K{line[:width]}", end="", file=sys.stderr, flush=True)

    def end_bar(self) -> None:
        """Take the bar away."""
        if self._has_bar:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)
            self._has_bar = False


def printable(text: Any) -> str:
    """Text without what steers a terminal; bytes that are no text as escapes."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in str(text))


def count_text(count: int, thing: str) -> str:
    """A count of things: "1 frame", "24 frames"."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def size_text(count: float) -> str:
    """A count of bytes in MB."""
    return f"{count / 1e6:,.1f} MB"
