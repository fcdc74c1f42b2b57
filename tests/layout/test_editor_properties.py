"""What only editors show is told alike before the upload and on the worker."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def properties(path: str, ending: str) -> list[str]:
    """The names between `OF_EDITORS` and its end."""
    text = (PROJECT / path).read_text()
    of_editors = text[text.index("OF_EDITORS") :].partition("=")[2].partition(ending)[0]
    return re.findall(r'"(\w+)"', of_editors)


def test_trace_and_worker_know_the_same_properties_of_editors() -> None:
    traced = properties("native/scene/src/datablock/driver.rs", "];")
    assert len(traced) > 10
    assert traced == properties("consumer/worker/render_worker/disabled_scripts.py", ")")
