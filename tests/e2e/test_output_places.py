"""Each file comes back to where F12 puts it, none is lost, and what is to be kept is kept."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import bpy
import pytest
from conftest import Blender

# A small scene whose compositor writes files; ROOT is its folder.
MAKE = """
import bpy
from pathlib import Path
ROOT = Path({root!r})
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.render.engine = "CYCLES"
scene.cycles.samples = 1
scene.render.resolution_x = scene.render.resolution_y = 8
scene.frame_start, scene.frame_end = 1, 2
scene.camera = bpy.data.objects.new("cam/1", bpy.data.cameras.new("camera"))
scene.collection.objects.link(scene.camera)

def compose(*folders):
    if hasattr(scene, "compositing_node_group"):
        tree = bpy.data.node_groups.new("compositor", "CompositorNodeTree")
        scene.compositing_node_group = tree
        tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
        output, layer = tree.nodes.new("NodeGroupOutput"), tree.nodes.new("CompositorNodeRLayers")
        layer.scene = scene
    else:
        scene.use_nodes = True
        tree = scene.node_tree
        output = next(node for node in tree.nodes if node.type == "COMPOSITE")
        layer = next(node for node in tree.nodes if node.type == "R_LAYERS")
    tree.links.new(layer.outputs["Image"], output.inputs[0])
    for folder in folders:
        node = tree.nodes.new("CompositorNodeOutputFile")
        if hasattr(node, "file_output_items"):
            node.directory, node.file_name = folder, "raw_"
            node.file_output_items.new("RGBA", "Image")
            node.format.media_type = "IMAGE"
        else:
            node.base_path = folder
            node.file_slots[0].path = "raw_"
        node.format.file_format = "PNG"
        tree.links.new(layer.outputs["Image"], node.inputs[0])

{change}
bpy.ops.wm.save_as_mainfile(filepath=str(ROOT / "shot.blend"))
"""

LOCAL = "bpy.ops.render.render(animation=True)\n"

FARM = """
bpy.ops.wm.open_mainfile(filepath=sys.argv[1])
scene = bpy.context.scene
{change}
try:
    RESULT["outcome"] = sorted(bpy.ops.render_on_lambda.render_animation())
except RuntimeError as error:
    RESULT["error"] = str(error)
if jobs.jobs().list.jobs:
    RESULT["job"] = job_json()
RESULT["images"] = [image.filepath for image in bpy.data.images]
"""


def make(root: Path, change: str, then: str = "") -> None:
    """A scene in a folder, by a Blender of its own."""
    root.mkdir(parents=True, exist_ok=True)
    script = MAKE.format(root=str(root), change=change) + then
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script + "\nimport os; os._exit(0)"],
        capture_output=True, text=True, check=False, cwd=root,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def files(root: Path) -> list[str]:
    found = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    return sorted(path for path in found if ".blend" not in path)


def on_farm(blender: Blender, root: Path, change: str = "") -> dict[str, Any]:
    return blender.run(FARM.format(change=change), str(root / "shot.blend"))


PLACES = {
    "a folder of the file": """
scene.render.filepath = "{blend_dir}/render/shot_####"
compose("//render/a_mask/", "{blend_dir}/passes/{blend_name}/")
""",
    "numbers and names": """
scene.render.filepath = "//out/{blend_name}_{fps:.##}_{resolution_x}_{camera_name}:a_####"
""",
    "what goes up behind a variable": """
scene.render.filepath = "//out/{blend_name}/../deep/shot_####"
compose("//out/deep/x/../raw/")
""",
    "folders beside an absolute output": """
scene.render.filepath = str(ROOT / "out" / "shot_####")
compose("//passes/", str(ROOT / "out" / "inside"), str(ROOT / "elsewhere" / "passes"))
""",
    "folders that differ by what goes up": """
scene.render.filepath = "//render/deep/shot_####"
compose("//mattes/", "//render/mattes/", "//render/deep/mattes/")
""",
}


@pytest.mark.skipif(bpy.app.version < (5, 0), reason="path variables came with 5.0")
@pytest.mark.parametrize("change", PLACES.values(), ids=PLACES.keys())
def test_files_go_where_f12_puts_them(blender: Blender, tmp_path: Path, change: str) -> None:
    make(tmp_path / "show", change, LOCAL)
    root = tmp_path / "show"
    expected = files(root)
    for path in root.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
    result = on_farm(blender, root)
    assert result.get("outcome") == ["FINISHED"], result["job"]["failures"]
    assert files(root) == expected
    own = [path for path in expected if "raw" not in path]
    assert len(own) == 2 and str(root / own[0]) in result["images"]


def test_a_variable_that_there_is_not_is_named_before_anything_is_sent(
    blender: Blender, tmp_path: Path
) -> None:
    make(tmp_path / "show", 'scene.render.filepath = "//out/{shot}_####"')
    result = on_farm(blender, tmp_path / "show")
    assert "{shot}, which no variable of output paths is" in result["error"]
    assert "job" not in result


def test_frames_that_are_there_are_kept_where_overwrite_is_off(
    blender: Blender, tmp_path: Path
) -> None:
    root = tmp_path / "show"
    make(root, 'scene.render.filepath = "//out/shot_####"; scene.render.use_overwrite = False')
    kept = root / "out" / "shot_0002.png"
    kept.parent.mkdir()
    kept.write_bytes(b"the artist's own")
    result = on_farm(blender, root)
    assert result["outcome"] == ["FINISHED"]
    assert (result["job"]["total"], result["job"]["done"]) == (1, 1)
    assert files(root) == ["out/shot_0001.png", "out/shot_0002.png"]
    assert kept.read_bytes() == b"the artist's own"
    nothing = on_farm(blender, root, "scene.frame_start = 2")
    assert "Frame 2 is there already, and Overwrite is off" in nothing["error"]


def test_a_compositor_without_render_layers_needs_no_camera(
    blender: Blender, tmp_path: Path
) -> None:
    root = tmp_path / "show"
    make(
        root,
        """
plate = bpy.data.images.new("plate", 8, 8)
plate.generated_color = (0, 1, 0, 1)
plate.filepath_raw, plate.file_format = str(ROOT / "plate.png"), "PNG"
plate.save()
compose()
tree = getattr(scene, "compositing_node_group", None) or scene.node_tree
shown = tree.nodes.new("CompositorNodeImage")
shown.image = bpy.data.images.load(str(ROOT / "plate.png"))
tree.nodes.remove(next(node for node in tree.nodes if node.type == "R_LAYERS"))
output = next(node for node in tree.nodes if node.type in {"GROUP_OUTPUT", "COMPOSITE"})
tree.links.new(shown.outputs[0], output.inputs[0])
scene.collection.objects.unlink(scene.camera)
scene.camera = None
scene.frame_end = 1
scene.render.filepath = "//out/shot_####"
""",
    )
    result = on_farm(blender, root)
    assert result.get("outcome") == ["FINISHED"], result["job"]["failures"]
    assert (root / "out" / "shot_0001.png").is_file()
