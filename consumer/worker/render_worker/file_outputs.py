"""The files that File Output nodes write."""

import os
import re

import bpy


class FileOutputs:
    """The File Output nodes of a file, with the folders that they had in it."""

    def __init__(self) -> None:
        self._scenes = {scene.name: output_folder(scene) for scene in bpy.data.scenes}
        self._nodes = [
            (tree, node.name, node_folder(node), absolute_folder(node))
            for tree in compositor_trees()
            for node in tree.nodes
            if node.bl_idname == "CompositorNodeOutputFile"
        ]

    def redirect(self, scene, folder: str, places: dict[str, str]) -> None:
        """Sends what they write below a folder: to the place that the job has for a node's folder
        as it stands in the scene, or where that lies to the scene's own output. Folders elsewhere
        have a place of their own each.
        """
        taken = dict.fromkeys(places.values())
        ours = self._scenes[scene.name]
        for tree, name, written, theirs in self._nodes:
            place = places.get(written)
            if place is None:
                place = free_place(place_of(theirs, ours), theirs, taken)
            node = tree.nodes[name]
            set_node_folder(node, os.path.join(folder, inside(place), ""))
            keep_names_inside(node)


def place_of(theirs: str, ours: str) -> str:
    """A folder as it lies to that of the scene's own output; one elsewhere by its own name."""
    below = os.path.relpath(theirs, ours) if os.path.isabs(theirs) else theirs
    return re.sub(r"^(\.\./?)+", "", below) or "files" if below.startswith("..") else below


def free_place(place: str, folder: str, taken: dict[str, str | None]) -> str:
    """A place that no other folder has: two of one name elsewhere stay two."""
    number, free = 1, place
    while free in taken and taken[free] != folder:
        number += 1
        free = f"{place}_{number}"
    taken[free] = folder
    return free


def inside(path: str) -> str:
    """A path that stays below the folder where it begins: what goes up from there is left out, as
    if that folder were the root.
    """
    parts: list[str] = []
    for part in re.split(r"[/\\]", path):
        if part == "..":
            del parts[-1:]
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)


def keep_names_inside(node) -> None:
    """A node's file names may hold folders, and what goes up from them. A name that ends with a
    slash is a folder, where the names of the layers or the frame follow.
    """
    # Renamed in Blender 5.0; before, each slot has a path, and each layer a name in one file.
    if hasattr(node, "file_name"):
        node.file_name = name_inside(node.file_name)
        for item in node.file_output_items:
            item.name = item.name.replace("..", "__") if is_upward(item.name) else item.name
    else:
        for slot in node.file_slots:
            slot.path = name_inside(slot.path)


def name_inside(name: str) -> str:
    if not is_upward(name) and not name.startswith(("/", "\\")):
        return name
    return inside(name) + ("/" if name.endswith("/") else "")


def is_upward(name: str) -> bool:
    return ".." in re.split(r"[/\\]", name)


def keep_views_inside(scene) -> None:
    """A view's suffix comes behind each file's name."""
    for view in scene.render.views:
        suffix = re.sub(r"[/\\]", "_", view.file_suffix)
        if suffix != view.file_suffix:
            view.file_suffix = suffix


def compositor_trees():
    """Every node tree with compositor nodes, groups among them."""
    trees = [tree for tree in bpy.data.node_groups if tree.bl_idname == "CompositorNodeTree"]
    # Until 4.5 a scene holds its tree itself.
    own = [getattr(scene, "node_tree", None) for scene in bpy.data.scenes]
    return trees + [tree for tree in own if tree is not None and tree not in trees]


def absolute_folder(node) -> str:
    """Where a node writes, with the variable that means the folder of the .blend file."""
    here = os.path.dirname(bpy.data.filepath)
    return bpy.path.abspath(node_folder(node).replace("{blend_dir}", here))


def node_folder(node) -> str:
    # Renamed in Blender 5.0.
    if hasattr(node, "directory"):
        return node.directory.replace("\\", "/")
    path = node.base_path.replace("\\", "/")
    return path[: path.rfind("/") + 1] if is_one_file(node) else path


def set_node_folder(node, folder: str) -> None:
    if hasattr(node, "directory"):
        node.directory = folder
    elif is_one_file(node):
        name = node.base_path.replace("\\", "/").rpartition("/")[2]
        node.base_path = folder + ("_" if name == ".." else name)
    else:
        node.base_path = folder


def is_one_file(node) -> bool:
    """Whether all layers are in one file, whose whole path the node has until Blender 5.0."""
    return node.format.file_format == "OPEN_EXR_MULTILAYER"


def output_folder(scene) -> str:
    """The fixed folder of a scene's output path, absolute."""
    fixed = re.split(r"[#{]", scene.render.filepath.replace("\\", "/"))[0]
    return os.path.dirname(bpy.path.abspath(fixed)) or "/"
