"""Scenes made by Blender, and what Blender and the tracer say of their files."""

from __future__ import annotations

import time
from pathlib import Path

import bpy
import pytest
import render_on_lambda as native


def touch(path: Path) -> Path:
    """A file that is there; no test here reads what is in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def image(path: Path, color: float = 0.5) -> Path:
    """A small picture."""
    made = bpy.data.images.new("made", 2, 2)
    made.generated_color = (color, color, color, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    made.filepath_raw = str(path)
    made.file_format = "PNG"
    made.save()
    bpy.data.images.remove(made)
    return path


def load_image(path: Path | str, source: str = "FILE") -> bpy.types.Image:
    loaded = bpy.data.images.load(str(path))
    loaded.source = source
    loaded.use_fake_user = True
    return loaded


def blender_lists(scene: Path) -> set[Path]:
    """Every absolute path that Blender names after it has opened the file."""
    bpy.ops.wm.open_mainfile(filepath=str(scene))
    listed = bpy.utils.blend_paths(absolute=True, packed=False, local=False)
    # A cache on disk in its usual place is listed with an empty path.
    return {Path(path) for path in listed if path}


def traced_paths(scene: Path) -> set[Path]:
    found: set[Path] = set()
    for dependency in native.trace(scene):
        found.add(dependency.path)
        found.update(dependency.files)
        if dependency.missing and dependency.required:
            pytest.fail(f"{dependency.kind} of {dependency.datablock}: {dependency.path}")
    return found


def save(scene: Path, *, compress: bool = True) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(scene), compress=compress)


def check(scene: Path, *also: Path) -> None:
    listed = blender_lists(scene)
    traced = traced_paths(scene)
    assert listed - traced == set()
    assert set(also) - traced == set()


def show(shown: bpy.types.Image) -> None:
    """Make the scene use an image."""
    material = new_material("shown")
    image_node(material, shown)
    use_material(material)


def use_material(material: bpy.types.Material) -> None:
    """Make the scene use a material."""
    mesh = bpy.data.meshes.new("mesh")
    mesh.materials.append(material)
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("thing", mesh))


def image_node(material: bpy.types.Material, shown: bpy.types.Image) -> bpy.types.Node:
    """A node that shows an image, in a pass of its own."""
    nodes = material.node_tree.nodes
    node = nodes.new("ShaderNodeTexImage")
    node.image = shown
    material.node_tree.links.new(node.outputs[0], nodes.new("ShaderNodeOutputAOV").inputs[0])
    return node


def new_material(name: str) -> bpy.types.Material:
    material = bpy.data.materials.new(name)
    if material.node_tree is None:
        material.use_nodes = True
    return material


def used_paths(scene: Path) -> set[str]:
    return {item.path.name for item in native.trace(scene) if item.used}


def packed_names(scene: Path, to: Path, frames: tuple[int, int, int] | None = None) -> set[str]:
    """The names of the files in a pack."""
    work = native.LocalPack(scene, to, frames=frames)
    while not work.is_over:
        work.poll()
        time.sleep(0.01)
    return {path.name for path in to.rglob("*") if path.is_file()}
