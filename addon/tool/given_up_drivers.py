"""Drivers that this session has given up, and that the farm tries anew."""

from __future__ import annotations

import bpy


def note() -> str:
    """Which there are, in what is linked: its file is opened anew, as everyone opens it.

    Those of the open file itself stay given up in the copy that is sent. Empty where there is none.
    """
    if not bpy.data.libraries:
        return ""
    found = [
        f'"{datablock.name}" ({curve.data_path})'
        for datablock in bpy.data.user_map()
        if datablock.library or datablock.override_library
        for curve in getattr(getattr(datablock, "animation_data", None), "drivers", ())
        if not (curve.driver.is_valid or curve.mute)
    ]
    if not found:
        return ""
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return (
        f"The driver of {found[0]}{more} cannot be evaluated here, and is tried anew on the farm:"
        " what it drives may be elsewhere there than with F12. Mend or mute it in its own file"
    )
