"""Blender, with the scene that it has open."""

import sys
import time

import bpy

from .connection import Connection, progress
from .disabled_scripts import DisabledScripts
from .file_outputs import FileOutputs, keep_views_inside
from .finish import finish
from .frame_to_frame import Drivers, may_keep_data, simulates
from .memory import peak_memory_bytes
from .progress import RenderProgress
from .render_settings import (
    is_animated,
    prepare_engine,
    prepare_output,
    render_frame,
    use_texture_cache,
)
from .scene_errors import SceneError, SceneErrors
from .sign_of_life import SignOfLife
from .slices import adaptive_tile_size, frame_rectangle, render_slice
from .splitting import obstacle_to_tiles

PROGRESS_EVERY_SECONDS = 0.5


class Renderer:
    """Blender, with the scene that it has open."""

    def __init__(self, connection: Connection, errors: SceneErrors) -> None:
        self._connection = connection
        self._life = SignOfLife(connection)
        self._errors = errors
        self._open = None
        self._load_failed = None
        self._last_progress = 0.0
        self._progress = None
        # What speaks against splitting a frame of each scene that was asked for.
        self._obstacles = {}
        self._outputs = None
        self._drivers = None
        self._scripts = DisabledScripts()
        self._is_opened_early = False
        # Whether the frame that was rendered would change the next one.
        self._is_used_up = False
        # At which frame, and how far behind it, each scene was saved.
        self._saved_times = {}

    def open(self, request) -> dict:
        """Opens the scene while what only its rendering reads is still on its way."""
        self._progress = self._life.part = None
        load_seconds = self._load(request)
        self._is_opened_early = True
        return {"type": "opened", "load_seconds": load_seconds}

    def render(self, request) -> dict:
        # What was told of the frame before says nothing of this one.
        self._progress = self._life.part = None
        load_seconds = self._load(request)
        check_version(request["blender_version"])
        if self._is_opened_early:
            self._is_opened_early = False
            forget_images()
        self._errors.clear()
        scene = self._scene(request["scene"])
        prepare_engine(scene, request["engines"])
        use_texture_cache()
        prepare_output(scene, request["output_folder"], request["output_template"])
        self._outputs.redirect(scene, request["output_folder"], request["output_folders"])
        keep_views_inside(scene)
        output = scene.render.filepath
        may_keep = may_keep_data(scene) and not self._drivers.were_given_up
        scene.render.use_persistent_data = may_keep
        self._scripts.begin(scene)
        self._is_used_up = simulates()
        saved = self._saved_times.get(scene.name)
        is_between = request["is_still"] and saved and saved[0] == request["frame"]
        subframe = saved[1] if is_between else 0.0
        if request["may_be_split"]:
            self._tell_whether_divisible(scene, request)
        self._progress = RenderProgress(scene)
        started = time.perf_counter()
        try:
            with self._life:
                outcome = render_part(scene, request, subframe)
        except RuntimeError as error:
            raise SceneError(str(error).removeprefix("Error: ").strip()) from error
        render_seconds = time.perf_counter() - started
        self._errors.raise_first()
        if not subframe and scene.render.filepath != output:
            raise SceneError(
                f'a script changes the output path to "{scene.render.filepath}" while it renders:'
                " set the path in the Output properties instead"
            )
        if not request["allow_scripts"]:
            self._scripts.raise_found()
        if outcome != {"FINISHED"}:
            raise SceneError("Blender gave up rendering; its log says more")
        return {
            "type": "rendered",
            "load_seconds": load_seconds,
            "render_seconds": render_seconds,
            "peak_memory_bytes": peak_memory_bytes(),
        }

    def measure(self, request) -> dict:
        """How large the frame is, and whether it can be split."""
        self._progress = self._life.part = None
        load_seconds = self._load(request)
        scene = self._scene(request["scene"])
        prepare_engine(scene, request["engines"])
        if is_animated(scene):
            scene.frame_set(request["frame"])
        _, _, width, height = frame_rectangle(scene)
        return {
            "type": "measured",
            "load_seconds": load_seconds,
            "width": width,
            "height": height,
            "adaptive_tile_size": adaptive_tile_size(scene),
            "obstacle": obstacle_to_tiles(scene, request["allow_other_noise"]),
        }

    def _tell_whether_divisible(self, scene, request) -> None:
        """Tells before a frame is rendered whether it could be split, in case it takes too long."""
        asked = (scene.name, request["allow_other_noise"])
        if asked not in self._obstacles:
            self._obstacles[asked] = obstacle_to_tiles(scene, request["allow_other_noise"])
        _, _, width, height = frame_rectangle(scene)
        self._connection.send(
            {
                "type": "divisible",
                "width": width,
                "height": height,
                "adaptive_tile_size": adaptive_tile_size(scene),
                "obstacle": self._obstacles[asked],
            }
        )

    def _load(self, request) -> float:
        wanted = (request["blend_file"], request["allow_scripts"])
        if self._open == wanted and not self._is_used_up:
            if self._load_failed:
                print(self._load_failed, file=sys.stderr)
                raise SceneError(self._load_failed)
            return 0.0
        started = time.perf_counter()
        self._errors.clear()
        self._open, self._load_failed, self._is_used_up = None, None, False
        try:
            with self._life:
                bpy.ops.wm.open_mainfile(
                    filepath=request["blend_file"],
                    load_ui=False,
                    use_scripts=request["allow_scripts"],
                )
        except RuntimeError as error:
            raise SceneError(str(error).removeprefix("Error: ").strip()) from error
        self._outputs = FileOutputs()
        self._drivers = Drivers()
        self._obstacles = {}
        self._saved_times = {
            scene.name: (scene.frame_current, scene.frame_subframe) for scene in bpy.data.scenes
        }
        # A new file takes its handlers along; ours comes back with each file.
        bpy.app.handlers.render_stats.append(self._tell_progress)
        self._open = wanted
        try:
            self._errors.raise_first()
        except SceneError as error:
            self._load_failed = str(error)
            raise
        return time.perf_counter() - started

    def _scene(self, name):
        if name is None:
            return bpy.context.scene
        scene = bpy.data.scenes.get(name)
        if scene is None:
            raise SceneError(f'there is no scene "{name}" in the file')
        return scene

    def _tell_progress(self, status, _=None) -> None:
        part = self._progress.take(str(status)) if self._progress else None
        if part is not None:
            self._life.part = part
        now = time.monotonic()
        if now - self._last_progress > PROGRESS_EVERY_SECONDS:
            self._last_progress = now
            self._connection.send(progress(part))


def check_version(promised) -> None:
    """Refuses a file of another Blender than its job says: which one renders was chosen by that."""
    told, saved = tuple(promised[:2]), tuple(bpy.data.version[:2])
    if told not in {(0, 0), saved}:
        raise SceneError(
            f"the job says that the scene comes from Blender {told[0]}.{told[1]}, but it was saved"
            f" by {saved[0]}.{saved[1]}: send it again with that one's version"
        )


def render_part(scene, request, subframe: float):
    """Renders a frame, a tile of it, or what comes after its passes."""
    if request["tile"] is not None:
        return render_slice(scene, request["tile"], None, request, subframe)
    if request["passes"] is not None:
        return finish(scene, request["passes"], request, subframe)
    return render_frame(scene, request["frame"], subframe)


def forget_images() -> None:
    """Reads again, when it is needed, what may have been looked for before it was there."""
    for image in bpy.data.images:
        if image.source in {"FILE", "SEQUENCE", "TILED"} and not image.packed_file:
            image.reload()
