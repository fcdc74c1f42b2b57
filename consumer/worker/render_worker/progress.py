"""How much of a frame is rendered, from what Cycles says while it works."""

import re

# "... | Sample 12/64", or "... | Rendered 3/9 Tiles, Sample 64/64" (`Progress::get_status`,
# `intern/cycles/session/session.cpp`, Blender 5.2).
SAMPLES = re.compile(r"Sample (\d+)/(\d+)")
TILES = re.compile(r"Rendered (\d+)/(\d+) Tiles")


class RenderProgress:
    """How much of a frame is rendered: each view layer, and of each every view, begins anew."""

    def __init__(self, scene) -> None:
        render = scene.render
        layers = 1 if render.use_single_layer else sum(layer.use for layer in scene.view_layers)
        views = sum(view.use for view in render.views) if render.use_multiview else 1
        self._rounds = max(layers * views, 1)
        self._round, self._part = 0, 0.0

    def take(self, status: str) -> float | None:
        """The part of the frame that is rendered, 0 to 1; None where the words do not say."""
        # Where Cycles renders tiles of its own, only they tell: samples are those of one of them.
        found = TILES.search(status) or SAMPLES.search(status)
        if found is None or not int(found[2]):
            return None
        part = min(int(found[1]) / int(found[2]), 1.0)
        if part < self._part:
            self._round = min(self._round + 1, self._rounds - 1)
        self._part = part
        return (self._round + part) / self._rounds
