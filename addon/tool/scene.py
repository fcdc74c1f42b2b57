"""The open scene: what is to be rendered, and a copy of it to send."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ..core import estimate, not_split, software_rendering, wording
from ..core.job import Job
from ..core.translation import tr
from . import (
    farm,
    given_up_drivers,
    output,
    painted_images,
    preferences,
    storage,
    texture_cache,
)
from .cannot_render import CannotRender

if TYPE_CHECKING:
    from collections.abc import Container

    from bpy.types import Context, NodeTree, Scene

# Until 4.5 it was "next".
EEVEE = {"BLENDER_EEVEE", "BLENDER_EEVEE_NEXT"}
ENGINES = {"CYCLES", "BLENDER_WORKBENCH", *EEVEE}


def new_job(context: Context, *, animation: bool, only_missing: bool = False) -> Job:
    """Save a copy of the open file and describe its scene as a job.

    only_missing: of the frames whose files are not there.

    The artist's file is never written, and it stays as unsaved as it was. Raises CannotRender
    where there is nothing to render with, OSError or RuntimeError where the copy cannot be saved.
    """
    scene = context.scene
    check_online()
    check(scene)
    first, last, step = frames(scene, animation=animation)
    folder, template = output.own_output(scene)
    output.check_folder(folder)
    job_id = farm.new_job_id()
    copy = storage.scene_copy(job_id)
    as_path = Path(bpy.data.filepath) if bpy.data.filepath else copy.with_name("untitled.blend")
    folders = output.node_folders(folder, scene)
    find_kept = output.frames_there if only_missing else output.kept_frames
    kept = find_kept(scene, folder, (first, last, step))
    if only_missing and len(kept) == len(range(first, last + 1, step)):
        raise CannotRender(tr("Nothing is missing: all frames are in {folder}", folder=folder))
    check_kept(kept, (first, last, step))
    painted = save_all(copy)
    chosen = context.window_manager.render_on_lambda
    return Job(
        id=job_id,
        name=f"{as_path.stem} - {scene.name}" if len(bpy.data.scenes) > 1 else as_path.stem,
        farm=preferences.address(),
        blend_file=str(copy),
        as_path=str(as_path),
        scene=scene.name,
        frame_first=first,
        frame_last=last,
        frame_step=step,
        output_folder=str(folder),
        output_template=template,
        blender_version=tuple(bpy.app.version),
        allow_scripts=chosen.allow_scripts,
        slices=wanted_slices(context) if scene.render.engine == "CYCLES" else 1,
        allow_other_noise=chosen.allow_other_noise,
        is_movie=scene.render.is_movie_format,
        painted=painted,
        is_still=not animation,
        keeps_files=not scene.render.use_overwrite,
        kept_frames=kept,
        node_folders=folders.places,
        folders_elsewhere=folders.elsewhere,
    )


def wanted_slices(context: Context) -> int | None:
    """Into how many slices each frame is split; None where workers find out."""
    chosen = context.window_manager.render_on_lambda
    return {"ALWAYS": chosen.slices, "NEVER": 1}.get(chosen.split_frames)


def check_online() -> None:
    """Refuse what Blender's preferences forbid."""
    if not bpy.app.online_access:
        raise CannotRender(
            tr("Blender is offline: turn on Preferences > System > Network > Allow Online Access")
        )


def reason_against(scene: Scene) -> str:
    """Why a scene cannot be rendered, as far as that is seen at a glance; empty where it can."""
    try:
        check(scene)
    except CannotRender as error:
        return str(error)
    return ""


def question(
    context: Context, known: list[Job], *, animation: bool, only_missing: bool = False
) -> str:
    """What the artist is asked before anything is sent; empty where there is nothing to ask.

    Raises CannotRender where the output path is none.
    """
    scene = context.scene
    chosen = frames(scene, animation=animation)
    folder, template = output.own_output(scene)
    ours = (bpy.data.filepath, scene.name)
    place = (str(folder), template)
    beside = [job for job in known if (job.output_folder, job.output_template) == place]
    for job in beside:
        if not job.state.is_over:
            return wording.overwrites_job_text(job)
    # What the last render of this scene left is there to be replaced.
    done = [job for job in beside if job.fetched]
    is_again = bool(done) and (done[-1].as_path, done[-1].scene) == ours
    may_replace = scene.render.use_overwrite and not is_again
    looks = may_replace or only_missing
    there = len(output.frames_there(scene, folder, chosen)) if looks else 0
    count = len(range(chosen[0], chosen[1] + 1, chosen[2]))
    if only_missing:
        count, there = count - there, 0
    expected = estimate.estimate(known, *ours, count)
    return wording.question_text(count, there, str(folder), expected)


def check(scene: Scene) -> None:
    """Refuse what would fail on every worker."""
    if not renders_strips(scene):
        for shown in rendered_scenes(scene):
            if shown.camera is None:
                raise CannotRender(
                    tr('The scene "{name}" has no camera to render with', name=shown.name)
                )
            if not has_farm_engine(shown):
                raise CannotRender(
                    tr(
                        "The farm renders with Cycles, EEVEE and Workbench, and not with {engine}:"
                        " choose one of them above",
                        engine=shown.render.engine,
                    )
                )
    if scene.frame_end < scene.frame_start:
        raise CannotRender(
            tr(
                "The frame range ends before it starts: {first} to {last}",
                first=scene.frame_start,
                last=scene.frame_end,
            )
        )


def has_farm_engine(scene: Scene) -> bool:
    """Whether the farm renders with the engine of the scene."""
    return scene.render.engine in ENGINES


def reasons_not_to_split() -> Container[str]:
    """Those that an artist wants to know who has chosen how frames of Cycles are split."""
    chosen = bpy.context.window_manager.render_on_lambda
    if chosen.split_frames == "NEVER":
        return ()
    if chosen.split_frames == "ALWAYS":
        known = not_split.reasons()
        return known - set(not_split.NOISE) if chosen.allow_other_noise else known
    return () if chosen.allow_other_noise else not_split.NOISE


def notes(scene: Scene) -> list[str]:
    """What an artist should know of the scene before it is sent."""
    shown = [] if renders_strips(scene) else rendered_scenes(scene)
    eevee = [_eevee_frame(one) for one in shown if one.render.engine in EEVEE]
    return [*map(software_rendering.note, eevee), *losses(scene)]


def losses(scene: Scene) -> list[str]:
    """What of the artist's Blender the farm does not have, and a frame may differ by."""
    shown = [] if renders_strips(scene) else rendered_scenes(scene)
    own = [texture_cache.note(shown), given_up_drivers.note()]
    return [*silent_texts(), *filter(None, own)]


def silent_texts() -> list[str]:
    """What is lost of texts that run when the file is opened, where scripts may not run."""
    if bpy.context.window_manager.render_on_lambda.allow_scripts:
        return []
    names = [text.name for text in bpy.data.texts if text.use_module]
    return [wording.silent_text(names)] if names else []


def _eevee_frame(scene: Scene) -> software_rendering.Frame:
    render = scene.render
    width = render.resolution_x * render.resolution_percentage / 100
    height = render.resolution_y * render.resolution_percentage / 100
    if render.use_border:
        width *= render.border_max_x - render.border_min_x
        height *= render.border_max_y - render.border_min_y
    layers = sum(layer.use for layer in scene.view_layers)
    eyes = sum(view.use for view in render.views) if render.use_multiview else 1
    samples = scene.eevee.taa_render_samples
    return software_rendering.Frame(round(width), round(height), samples, layers * eyes)


def check_kept(kept: list[int], frames: tuple[int, int, int]) -> None:
    """Refuse what would render nothing."""
    first, last, step = frames
    if len(kept) == len(range(first, last + 1, step)):
        text = (
            "All frames are there already, and Overwrite is off in the Output properties: turn it"
            " on, or move the frames away"
        )
        if len(kept) == 1:
            text = (
                "Frame {frame} is there already, and Overwrite is off in the Output properties:"
                " turn it on, or move the frame away"
            )
        raise CannotRender(tr(text, frame=first))


def rendered_scenes(scene: Scene) -> list[Scene]:
    """The scenes that a frame renders: those of the compositor's Render Layers, where it is in use
    (`RE_is_rendering_allowed`, `pipeline.cc`, Blender 5.2).
    """
    tree = compositor(scene)
    if tree is None or not scene.render.use_compositing:
        return [scene]
    layers = [node for node in tree.nodes if node.type == "R_LAYERS" and not node.mute]
    return [node.scene for node in layers if node.scene]


def compositor(scene: Scene) -> NodeTree | None:
    """The node tree that frames go through."""
    if hasattr(scene, "compositing_node_group"):
        return scene.compositing_node_group
    # Until 4.5 a scene holds its tree itself.
    return scene.node_tree if scene.use_nodes else None


def renders_strips(scene: Scene) -> bool:
    """Whether the Video Sequencer's strips are rendered instead of a camera's view: any that is
    neither sound nor muted (`RE_seq_render_active`, `pipeline.cc`, Blender 5.2).
    """
    editor = scene.sequence_editor
    if editor is None or not scene.render.use_sequencer:
        return False
    # `sequences` until 4.3.
    strips = getattr(editor, "strips", None) or getattr(editor, "sequences", ())
    return any(
        strip.type != "SOUND" and not strip.mute and not editor.channels[strip.channel].mute
        for strip in strips
    )


def save_copy(path: Path) -> None:
    """Write the open file, with all that is not saved yet, to another path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    bpy.ops.wm.save_as_mainfile(
        filepath=str(path), copy=True, compress=True, relative_remap=False, check_existing=False
    )


def save_all(copy: Path) -> list[tuple[str, str, str | None]]:
    """Write the open file to another path, and what it does not hold beside it: painted images.

    Leaves nothing where it raises: CannotRender, OSError or RuntimeError.
    """
    try:
        save_copy(copy)
        return painted_images.save_painted(copy.parent / "painted")
    except Exception:
        shutil.rmtree(copy.parent, ignore_errors=True)
        raise


def frames(scene: Scene, *, animation: bool) -> tuple[int, int, int]:
    """First frame, last frame and step."""
    if animation:
        return scene.frame_start, scene.frame_end, scene.frame_step
    return scene.frame_current, scene.frame_current, 1
