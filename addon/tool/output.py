"""Where the frames of the open scene go, and which of them are there already."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ..core.output_folders import OutputFolders, native_path, output_folders
from ..core.translation import tr
from . import farm
from .cannot_render import CannotRender

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpy.types import Library, Node, NodeTree, Scene


def own_output(scene: Scene) -> tuple[Path, str]:
    """The folder of the scene's own output on this machine, and the template of the names in it.

    Raises CannotRender where the output path has a variable that there is not.
    """
    written = scene.render.filepath
    try:
        fixed, template = farm.split_output_path(
            written, bpy.data.filepath or None, bpy.app.version[:2]
        )
        if bpy.app.version >= (5, 0):
            scene.render.frame_path(frame=scene.frame_current)
    except (ValueError, RuntimeError) as error:
        text = " ".join(str(error).removeprefix("Error: ").split())
        raise CannotRender(text[:1].upper() + text[1:]) from error
    return absolute(fixed), template


def check_folder(folder: Path) -> None:
    """Refuse a folder that no frame can be written to: better now than when the first is paid."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CannotRender(
            tr(
                "The output folder {folder} cannot be written to ({reason}): choose another in the"
                " Output properties",
                folder=folder,
                reason=error.strerror or error,
            )
        ) from error


def node_folders(own: Path, scene: Scene) -> OutputFolders:
    """Where the File Output nodes of the file write.

    Raises CannotRender where the folder of one has a variable that there is not.
    """
    folders = {}
    for tree, node in file_output_nodes():
        written = node_folder(node)
        if written and written not in folders:
            folders[written] = evaluated(scene, tree, node, written)
    return output_folders(own, folders)


def shown_folders(own: Path) -> list[str]:
    """Where the File Output nodes write, beside the scene's own folder, for a panel that shows it.

    Nothing may be written while a panel is drawn, as asking Blender for variables needs: these stay
    as they stand in the scene.
    """
    written = {node_folder(node): tree.library for tree, node in file_output_nodes()}
    folders = [
        one if "{" in one else str(without_variables(one, library))
        for one, library in written.items()
        if one
    ]
    return [folder for folder in folders if not Path(folder).is_relative_to(own)]


def kept_frames(scene: Scene, folder: Path, frames: tuple[int, int, int]) -> list[int]:
    """The frames that are there, where the scene's Overwrite is off: F12 leaves them out too."""
    render = scene.render
    return [] if render.use_overwrite else frames_there(scene, folder, frames)


def frames_there(scene: Scene, folder: Path, frames: tuple[int, int, int]) -> list[int]:
    """The frames whose files are there, as Blender would name them."""
    render = scene.render
    if render.is_movie_format:
        return []
    views = [""]
    if render.use_multiview and render.image_settings.views_format == "INDIVIDUAL":
        views = [view.name for view in render.views if view.use]
    first, last, step = frames
    return [
        frame
        for frame in range(first, last + 1, step)
        if any(frame_file(scene, folder, frame, view).exists() for view in views)
    ]


def frame_file(scene: Scene, folder: Path, frame: int, view: str) -> Path:
    """The file that F12 writes."""
    path = Path(scene.render.frame_path(frame=frame, view=view))
    return path if path.is_absolute() else folder / path.name


def absolute(path: str) -> Path:
    """What a path of the scene means on this machine."""
    if bpy.data.filepath or not path.startswith("//"):
        folder = Path(bpy.path.abspath(native_path(path, is_windows=os.name == "nt")))
        if folder.is_absolute():
            return Path(os.path.normpath(folder))
    # The file was never saved, so that "beside the file" means nothing.
    return Path.home() / "render-on-lambda" / "untitled" / path.strip("/\\.")


def evaluated(scene: Scene, tree: NodeTree, node: Node, written: str) -> Path:
    """The folder that a File Output node means, with its variables."""
    if "{" not in written or bpy.app.version < (5, 0):
        return without_variables(written, tree.library)
    render = scene.render
    own = render.filepath
    try:
        # Only an output path can be asked for what its variables mean.
        render.filepath = written.replace("{node_name}", node.name).rstrip("/") + "/#"
        return absolute(str(Path(render.frame_path(frame=0)).parent))
    except RuntimeError as error:
        text = " ".join(str(error).removeprefix("Error: ").split())
        raise CannotRender(
            tr('The File Output node "{name}": {reason}', name=node.name, reason=text)
        ) from error
    finally:
        render.filepath = own


def without_variables(written: str, library: Library | None) -> Path:
    """The folder that a File Output node means, whose tree may be of a library."""
    path = native_path(written, is_windows=os.name == "nt")
    return absolute(bpy.path.abspath(path, library=library) if library else path)


def file_output_nodes() -> Iterator[tuple[NodeTree, Node]]:
    """The File Output nodes of the file, those in groups among them."""
    groups = [tree for tree in bpy.data.node_groups if tree.bl_idname == "CompositorNodeTree"]
    # Until 4.5 a scene holds its tree itself.
    own = [getattr(scene, "node_tree", None) for scene in bpy.data.scenes]
    for tree in groups + [tree for tree in own if tree is not None]:
        for node in tree.nodes:
            if node.bl_idname == "CompositorNodeOutputFile":
                yield tree, node


def node_folder(node: Node) -> str:
    """The folder as it stands in a File Output node, with forward slashes."""
    # Renamed in Blender 5.0; before, it was the whole path of one file with many layers.
    if hasattr(node, "directory"):
        return node.directory.replace("\\", "/")
    path = node.base_path.replace("\\", "/")
    is_file = node.format.file_format == "OPEN_EXR_MULTILAYER"
    return path[: path.rfind("/") + 1] if is_file else path
