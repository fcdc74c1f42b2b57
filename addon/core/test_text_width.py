"""Texts fit into the panel in every language."""

from __future__ import annotations

from core.text_width import width, wrapped


def test_lines_are_as_wide_as_there_is_room() -> None:
    assert wrapped("About 34 s and $0.0028, going by the last job", 20) == [
        "About 34 s and",
        "$0.0028, going by",
        "the last job",
    ]
    assert wrapped("", 20) == []
    assert wrapped("a" * 25, 10) == ["a" * 10, "a" * 10, "a" * 5]


def test_wide_letters_take_twice_the_room_and_need_no_space_between_them() -> None:
    assert width("24 フレーム") == 11
    lines = wrapped("前回のジョブからの推定で約 34 s、約 $0.0028", 16)
    assert all(width(line) <= 16 for line in lines)
    assert "".join(lines).replace(" ", "") == "前回のジョブからの推定で約34s、約$0.0028"
