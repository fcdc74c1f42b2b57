"""What Check Scene says of EEVEE."""

from __future__ import annotations

from core.software_rendering import Frame, note


def test_a_frame_of_eevee_is_told_beside_cycles() -> None:
    assert note(Frame(1920, 1080, samples=64, views=1)) == (
        "EEVEE has no graphics card on the farm: a frame takes about 52 s or more there;"
        " Cycles with as many samples (64) would take about 31 s or more"
    )


def test_each_view_layer_counts_and_long_frames_are_told_in_minutes() -> None:
    text = note(Frame(3840, 2160, samples=64, views=2))
    assert "about 7 min or more there" in text
    assert "about 4 min or more" in text


def test_the_smallest_frame_takes_a_second() -> None:
    assert "Cycles with as many samples (1) would take about 1 s" in note(
        Frame(1, 1, samples=1, views=1)
    )
