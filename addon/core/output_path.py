"""A scene's output path: the folder that is fixed, and the part that Blender fills in."""

from __future__ import annotations

import re

# What Blender replaces: frame numbers (#) and, since 5.0, path templates ({blend_name}).
_REPLACED = re.compile(r"[#{]")


def split(filepath: str) -> tuple[str, str]:
    """Split an output path into its fixed folder and the template below it.

    "//render/shot_####" gives ("//render/", "shot_####"), "//out/{blend_name}/####" gives
    ("//out/", "{blend_name}/####"), "/tmp/" gives ("/tmp/", ""). The template has forward slashes.
    """
    found = _REPLACED.search(filepath)
    fixed = filepath[: found.start()] if found else filepath
    end = max(fixed.rfind("/"), fixed.rfind("\\")) + 1
    return filepath[:end], filepath[end:].replace("\\", "/")
