"""Drivers that this session has given up, and that the farm tries anew."""

from __future__ import annotations

import bpy

from ..core.translation import tr
from ..core.wording import some_text


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
    return tr(
        "Drivers cannot be evaluated here and are tried anew on the farm: {drivers}. What they"
        " drive may be elsewhere there than with F12. Mend or mute them in their own file",
        drivers=some_text(found),
    )
