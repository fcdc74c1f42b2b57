"""The add-on in the artist's language: translations/ has a file for each that it speaks."""

from __future__ import annotations

import json
from pathlib import Path

import bpy

from ..core import translation
from .storage import ROOT_PACKAGE

TRANSLATIONS = Path(__file__).parents[1] / "translations"

# Where Blender looks: labels and tooltips, and the names of operators.
CONTEXTS = ("*", "Operator")


def register() -> None:
    """Give Blender the words, and have what the add-on puts together go by them."""
    bpy.app.translations.register(ROOT_PACKAGE, catalog())
    translation.speak(bpy.app.translations.pgettext_iface)


def unregister() -> None:
    """Take them back."""
    translation.speak(str)
    bpy.app.translations.unregister(ROOT_PACKAGE)


def catalog() -> dict[str, dict[tuple[str, str], str]]:
    """For each language of Blender, its words for a text in a context."""
    return {
        path.stem: {
            (context, text): translated
            for text, translated in json.loads(path.read_text(encoding="utf-8")).items()
            for context in CONTEXTS
        }
        for path in sorted(TRANSLATIONS.glob("*.json"))
    }
