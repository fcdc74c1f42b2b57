"""The add-on's preferences, as an address of the farm."""

from __future__ import annotations

import bpy

from ..core.job import FarmAddress
from .storage import ROOT_PACKAGE


def address() -> FarmAddress:
    """The farm that the artist has set."""
    chosen = bpy.context.preferences.addons[ROOT_PACKAGE].preferences
    return FarmAddress(
        stack=chosen.stack.strip(),
        region=chosen.region.strip(),
        profile=chosen.profile.strip(),
        endpoint=chosen.endpoint.strip(),
    )


def notifies() -> bool:
    """Whether the desktop is told when a job is over."""
    return bpy.context.preferences.addons[ROOT_PACKAGE].preferences.notify


def show() -> None:
    """Open the add-on's preferences."""
    bpy.ops.preferences.addon_show(module=ROOT_PACKAGE)
