"""The AWS profiles of this machine, as the artist chooses one."""

from __future__ import annotations

from ..core.translation import tr
from . import farm


def choices(typed: str) -> list[tuple[str, str]]:
    """The names that contain what is typed, each with what can be said of it."""
    states = {
        "signed in": tr("Signed in"),
        "may have ended": tr("Signed in, perhaps no longer"),
        "signed out": tr("Sign in again"),
        "ready": tr("Ready"),
        "needs code": tr("Needs a one-time code"),
        "empty": tr("Without credentials"),
    }
    return [
        (profile.name, states.get(profile.state, profile.state))
        for profile in farm.known_profiles()
        if typed.lower() in profile.name.lower()
    ]
