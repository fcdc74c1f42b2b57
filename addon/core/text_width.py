"""How wide a text is drawn: Chinese and Japanese letters take twice the room of others."""

from __future__ import annotations

import re
from unicodedata import east_asian_width

# What may stand at the end of a line: a word, or any one wide letter.
WIDE = r"\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60"
PIECE = re.compile(rf"[{WIDE}]|[^\s{WIDE}]+|\s+")


def width(text: str) -> int:
    """How many narrow letters it is as wide as."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def wrapped(text: str, columns: int) -> list[str]:
    """The text in lines of so many narrow letters; a longer word is cut."""
    lines = [""]
    for piece in PIECE.findall(" ".join(text.split())):
        for part in cut(piece, columns):
            if width(lines[-1]) + width(part) > columns:
                lines.append("")
            # No line begins with a space.
            lines[-1] += part if lines[-1] or part.strip() else ""
    return [line.rstrip() for line in lines if line.strip()]


def cut(word: str, columns: int) -> list[str]:
    """A word in parts that fit into a line."""
    return [word[at : at + columns] for at in range(0, len(word), columns)]
