"""Every text that an artist reads is there in each language that the add-on speaks."""

from __future__ import annotations

import json
import re

import pytest
from addon_texts import ADDON, texts, untranslatable

LANGUAGES = ("de_DE", "es", "fr_FR", "ja_JP", "zh_HANS")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_with_its_values(language: str) -> None:
    catalog = json.loads((ADDON / "translations" / f"{language}.json").read_text("utf-8"))
    wanted = texts()
    assert sorted(wanted - catalog.keys()) == [], "not translated"
    assert sorted(catalog.keys() - wanted) == [], "translated, and no text of the add-on"
    wrong = [text for text, translated in catalog.items() if values(text) != values(translated)]
    assert wrong == [], "other values than in English"
    assert [text for text, translated in catalog.items() if not translated.strip()] == []


def values(text: str) -> list[str]:
    """The names in braces."""
    return sorted(re.findall(r"\{\w*\}", text))


def test_no_text_is_put_together_before_it_is_translated() -> None:
    assert untranslatable() == []
