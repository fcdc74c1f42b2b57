"""Why one worker renders a frame alone, in words."""

from __future__ import annotations

from .translation import tr

# Of a frame that could be split, with other noise.
NOISE = ("path guiding", "volumes", "texture cache")


def not_split_text(obstacle: str) -> str:
    """Why one worker renders a frame alone, and what to do about it where anything is."""
    reason = _reasons().get(obstacle, obstacle)
    text = "One worker renders each frame alone: {reason}"
    if obstacle in NOISE:
        text = (
            "One worker renders each frame alone: {reason}. Other Noise in the Overrides lets many"
            " workers render it"
        )
    return tr(text, reason=reason)


def reasons() -> set[str]:
    """All that there are, by their names."""
    return set(_reasons())


def _reasons() -> dict[str, str]:
    return {
        "engine": tr("EEVEE and Workbench draw what is around a pixel into it"),
        "time limit": tr("a time limit makes the picture depend on how fast a worker is"),
        "sequencer": tr("the sequencer makes the picture"),
        "freestyle": tr("Freestyle draws lines across the picture"),
        "grease pencil": tr("Grease Pencil is drawn across the picture"),
        "single layer": tr("only one of its view layers is rendered"),
        "own colors": tr("the files have color settings of their own"),
        "path guiding": tr("path guiding learns in each part anew"),
        "volumes": tr("volumes are sampled in each part anew"),
        "texture cache": tr("the texture cache shows other details in each part"),
    }
