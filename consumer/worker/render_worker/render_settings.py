"""A scene's settings, as the farm renders them."""

import os

import bpy

from .scene_errors import SceneError


def is_animated(datablock) -> bool:
    """Whether settings of the datablock itself change from frame to frame."""
    data = datablock.animation_data
    return data is not None and bool(data.action or data.drivers or data.nla_tracks)


def prepare_engine(scene, engines) -> None:
    """Renders on what is here: no graphics card. Refuses engines that are not."""
    engine = scene.render.engine
    if engine not in engines:
        raise SceneError(
            f'the scene "{scene.name}" asks for the render engine "{engine}", which is not on the'
            " farm: choose Cycles, EEVEE or Workbench"
        )
    scene.render.compositor_device = "CPU"
    if engine == "CYCLES":
        scene.cycles.device = "CPU"
        if scene.cycles.denoiser == "OPTIX":
            scene.cycles.denoiser = "OPENIMAGEDENOISE"


def render_frame(scene, frame: int, subframe: float):
    """Renders an animation of one frame, so that Blender itself names the files, as it would at
    the artist's.
    """
    if subframe:
        return render_still(scene, frame, subframe)
    if "frame_start" in bpy.ops.render.render.get_rna_type().properties:
        # Since Blender 4.5: the scene keeps its own range, which drivers and metadata tell of.
        return bpy.ops.render.render(
            animation=True, scene=scene.name, frame_start=frame, frame_end=frame
        )
    scene.frame_start = scene.frame_end = frame
    scene.frame_step = 1
    return bpy.ops.render.render(animation=True, scene=scene.name)


def render_still(scene, frame: int, subframe: float):
    """Renders the image between two frames: an animation has none there."""
    scene.frame_set(frame, subframe=subframe)
    path = scene.render.frame_path(frame=frame)
    if bpy.app.version >= (5, 0):
        path = path.replace("{", "{{").replace("}", "}}")
    scene.render.filepath = path
    return bpy.ops.render.render(write_still=True, scene=scene.name)


def use_texture_cache() -> None:
    """Has Cycles find the `.tx` files that came along beside their images (Blender 5.2), and keep
    those that it makes itself at home, where nothing came along.
    """
    folders = bpy.context.preferences.filepaths
    if not hasattr(folders, "texture_cache_directory"):
        return
    home = os.path.join(os.environ.get("HOME", ""), "textures")
    folders.texture_cache_directory = "" if texture_cache_came_along() else home


def texture_cache_came_along() -> bool:
    """Whether any image has `.tx` files beside it."""
    beside = {
        os.path.dirname(bpy.path.abspath(image.filepath, library=image.library))
        for image in bpy.data.images
        if image.filepath
    }
    return any(os.path.isdir(os.path.join(folder, "blender_tx")) for folder in beside)


def stamp_own_name(render) -> None:
    """Stamps the name of the artist's file: where a worker has put it says nothing to anybody."""
    if not (render.use_stamp and render.use_stamp_filename):
        return
    name = os.path.basename(bpy.data.filepath)
    note = render.stamp_note_text if render.use_stamp_note else ""
    lines = [f"File {name}" if render.use_stamp_labels else name, note]
    render.use_stamp_filename, render.use_stamp_note = False, True
    render.stamp_note_text = "\n".join(line for line in lines if line)


def prepare_output(scene, folder: str, template: str) -> None:
    """Sends the scene's output into a folder, under the name that the scene gives it."""
    render = scene.render
    if bpy.app.version < (5, 0):
        # Curly brackets are letters there, and need no second one to be.
        template = template.replace("{{", "{").replace("}}", "}")
    render.filepath = os.path.join(folder, template)
    stamp_own_name(render)
    render.use_overwrite = True
    render.use_placeholder = False
    if render.is_movie_format:
        # A movie cannot be made of one frame; lossless frames can become one afterwards.
        settings = render.image_settings
        if hasattr(settings, "media_type"):
            settings.media_type = "IMAGE"
        settings.file_format = "PNG"
