"""The manual that comes with the extension leads nowhere that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import help_pages


def targets(folder: Path) -> dict[str, list[str]]:
    """What each page shows and leads to."""
    return {
        page.name: re.findall(r'(?:src|href)="([^"]*)"', page.read_text(encoding="utf-8"))
        for page in folder.glob("*.html")
    }


def test_each_page_finds_its_pictures_and_the_other_pages(tmp_path: Path) -> None:
    help_pages.write(tmp_path / "help", "")
    found = targets(tmp_path / "help")
    assert set(found) == {f"{name}.html" for name in help_pages.PAGES}
    assert "set-up.png" in found["manual.html"]
    local = {
        target.partition("#")[0]
        for page in found.values()
        for target in page
        if "://" not in target and not target.startswith("#")
    }
    assert [name for name in local if not (tmp_path / "help" / name).is_file()] == []


def test_a_release_leads_to_its_own_files(tmp_path: Path) -> None:
    help_pages.write(tmp_path / "help", "https://example.org/us/farm")
    leads = [target for page in targets(tmp_path / "help").values() for target in page]
    ours = [target for target in leads if target.startswith("https://example.org/")]
    for target in ours:
        path = target.removeprefix("https://example.org/us/farm/blob/main/")
        assert (help_pages.PROJECT / path).exists(), target
