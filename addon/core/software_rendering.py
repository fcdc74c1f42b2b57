"""How long a frame of EEVEE takes on the farm, where there is no graphics card."""

from __future__ import annotations

from dataclasses import dataclass

from .translation import tr

# Processor-seconds, measured with Blender 5.2.3 and Mesa 22.3 on the default cube, which is as
# little as a scene can hold (`python bench/eevee.py`): of a frame, and of a sample of a million
# pixels. A hundred monkeys under five lights take four times as long in EEVEE, in Cycles ten times.
EEVEE_FRAME, EEVEE_SAMPLE = 2.0, 0.65
CYCLES_SAMPLE = 0.4

# What a function of 3,008 MiB has, the template's default: one for each 1,769 MiB
# (docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html).
PROCESSORS = 3008 / 1769


@dataclass(frozen=True)
class Frame:
    """What a frame of EEVEE asks for."""

    width: int
    height: int
    samples: int
    views: int
    """View layers that are rendered, each once for every stereo view."""


def note(frame: Frame) -> str:
    """Say what a frame takes at the least, beside Cycles with as many samples."""
    samples = frame.width * frame.height / 1e6 * frame.samples * frame.views
    eevee = EEVEE_FRAME * frame.views + EEVEE_SAMPLE * samples
    cycles = CYCLES_SAMPLE * samples
    return tr(
        "EEVEE has no graphics card on the farm: a frame takes about {eevee} or more there; Cycles"
        " with as many samples ({samples}) would take about {cycles} or more",
        eevee=_duration(eevee),
        samples=frame.samples,
        cycles=_duration(cycles),
    )


def _duration(processor_seconds: float) -> str:
    seconds = processor_seconds / PROCESSORS
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min"
