"""Blender with the extension installed and set to a farm; imported by scripts that run in Blender.

The user's own Blender settings are not touched: BLENDER_USER_RESOURCES must point elsewhere.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

import addon_utils
import bpy

REPOSITORY = "user_default"
MODULE = f"bl_ext.{REPOSITORY}.render_on_lambda"


def install(extension: Path) -> None:
    """Install the zip as *Install from Disk* does, and enable it."""
    if "BLENDER_USER_RESOURCES" not in os.environ:
        raise RuntimeError("BLENDER_USER_RESOURCES is not set: this would change your own Blender")
    bpy.ops.extensions.package_install_files(
        filepath=str(extension), repo=REPOSITORY, enable_on_install=True
    )
    enable()


def enable() -> ModuleType:
    """Enable the installed extension and let Blender use the network."""
    bpy.context.preferences.system.use_online_access = True
    module = addon_utils.enable(MODULE, default_set=True, persistent=True)
    if module is None:
        raise RuntimeError("the extension could not be enabled; the lines above say why")
    return module


def set_farm(endpoint: str, stack: str, region: str = "us-east-1", profile: str = "") -> None:
    """Fill in the add-on's preferences."""
    chosen = preferences()
    chosen.endpoint, chosen.stack, chosen.region = endpoint, stack, region
    chosen.profile = profile


def preferences() -> bpy.types.AddonPreferences:
    """The add-on's preferences."""
    return bpy.context.preferences.addons[MODULE].preferences
