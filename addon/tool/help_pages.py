"""Where help is: the manual in the add-on, and the website that it was released from."""

from __future__ import annotations

import tomllib
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
# Read once, when the add-on is enabled: panels ask for it.
_MANIFEST = tomllib.loads((_ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))


def manual() -> str:
    """The address of the manual, on this machine."""
    return (_ROOT / "help" / "manual.html").as_uri()


def website() -> str:
    """The address of the project; empty for a build of one's own."""
    return _MANIFEST.get("website", "")


def bug_report() -> str:
    """The address of a form for a bug; empty where there is no website."""
    return f"{website()}/issues/new" if website() else ""
