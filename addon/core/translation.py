"""The artist's language: what the add-on says is written in English, and translated here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Things that are counted, one of them and several.
COUNTED = {
    "frame": ("{count} frame", "{count} frames"),
    "more frame": ("{count} more frame", "{count} more frames"),
    "file": ("{count} file", "{count} files"),
    "problem": ("{count} problem", "{count} problems"),
}


class _Language:
    """What is spoken here: English, until somebody says otherwise."""

    translate: Callable[[str], str] = str


def speak(translate: Callable[[str], str]) -> None:
    """Say everything in other words from now on."""
    _Language.translate = translate


def tr(text: str, **values: object) -> str:
    """A text in the artist's language, its {names} replaced by values."""
    translated = _Language.translate(text)
    return translated.format(**values) if values else translated


def count_text(count: int, thing: str) -> str:
    """A count of things: "1 frame", "24 frames"."""
    one, several = COUNTED[thing]
    return tr(one if count == 1 else several, count=count)
