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
        self._round, self._begun, self._part = 0, 0, 0.0

    def take(self, status: str) -> float | None:
        """The part of the frame that is rendered, 0 to 1; None where the words do not say."""
        tiles, samples = TILES.search(status), SAMPLES.search(status)
        counted = tiles or samples
        if counted is None or not int(counted[2]):
            return None
        begun = int(counted[1])
        part = begun / int(counted[2])
        if tiles and samples and int(samples[2]):
            # Samples are those of one of Cycles' own tiles.
            part += min(int(samples[1]) / int(samples[2]), 1.0) / int(tiles[2])
        if begun < self._begun:
            self._round = min(self._round + 1, self._rounds - 1)
            self._part = 0.0
        # Those of the tile before may still stand beside a new one.
        self._begun, self._part = begun, max(self._part, min(part, 1.0))
        return (self._round + self._part) / self._rounds
