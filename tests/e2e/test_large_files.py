"""Files and results that travel in parts, as S3 wants them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import command
from fault_proxy import BREAK, CORRUPT, Fault, Request, fault_proxy
from local_farm import LocalFarm

# Above 16 MiB both ways: a texture that no codec makes small, and a frame in float without one.
SCENE = """
import random, sys
import bpy
from pathlib import Path

folder = Path(sys.argv[-1])
width, height = 1600, 1100
(folder / "noise.bmp").write_bytes(
    b"BM" + (54 + 3 * width * 4400).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little")
    + (40).to_bytes(4, "little") + width.to_bytes(4, "little") + (4400).to_bytes(4, "little")
    + (1).to_bytes(2, "little") + (24).to_bytes(2, "little") + bytes(24)
    + random.Random(1).randbytes(3 * width * 4400)
)
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.render.engine = "BLENDER_WORKBENCH"
scene.render.resolution_x, scene.render.resolution_y = width, height
scene.render.image_settings.file_format = "OPEN_EXR"
scene.render.image_settings.color_depth = "32"
scene.render.image_settings.exr_codec = "NONE"
scene.render.filepath = "//render/frame_####"
scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
scene.collection.objects.link(scene.camera)
scene.camera.location = (0, 0, 5)
bpy.ops.mesh.primitive_plane_add()
material = bpy.data.materials.new("Noise")
material.use_nodes = True
image = material.node_tree.nodes.new("ShaderNodeTexImage")
image.image = bpy.data.images.load(str(folder / "noise.bmp"))
surface = material.node_tree.nodes["Principled BSDF"].inputs["Base Color"]
material.node_tree.links.new(image.outputs["Color"], surface)
bpy.context.object.data.materials.append(material)
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "large.blend"))
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scene with 20 MiB of texture, whose frame is a file of 27 MiB."""
    folder = tmp_path_factory.mktemp("large")
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCENE, str(folder)],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return folder / "large.blend"


def test_files_above_sixteen_mebibytes_arrive_both_ways_although_writes_meet(
    farm: LocalFarm, large: Path, tmp_path: Path
) -> None:
    front = farm.front
    met = {"blobs": 0, "frames": 0}

    def completes(where: str):
        def rule(request) -> bool:
            is_completion = request.method == "POST" and "uploadId" in request.query
            is_met = is_completion and f"/{where}/" in request.path
            met[where] += is_met
            return is_met

        return rule

    # The completion of the texture's upload, and that of the frame's, meet another write once each.
    front.conflicts += [completes("blobs"), completes("frames")]
    uploads = len(front.uploads)
    done = command(farm, "submit", large, "--frames", "1", "--watch", "--to", tmp_path)
    assert done.returncode == 0, done.stderr
    assert met == {"blobs": 1, "frames": 1}
    assert (tmp_path / "frame_0001.exr").stat().st_size > 16 << 20
    begun = list(front.uploads.values())[uploads:]
    # Each twice: after 409 S3 asks to begin anew.
    assert begun == ["CRC32"] * 4
    assert "checksum_of_an_upload_in_parts" not in front.refused


def test_a_file_whose_ranges_break_off_and_lie_arrives_as_it_was_put(
    farm: LocalFarm, large: Path, tmp_path: Path
) -> None:
    direct, troubled = tmp_path / "direct", tmp_path / "troubled"
    done = command(farm, "submit", "--json", large, "--frames", "3", "--watch", "--to", direct)
    assert done.returncode == 0, done.stderr
    job = json.loads(done.stdout.splitlines()[0])["job"]
    # Of the seven ranges of the first try one lies, so that all are asked for again; of the second
    # try's, one breaks off twice.
    faults = {2: CORRUPT, 4: BREAK, 9: BREAK, 12: BREAK}
    ranges = 0

    def rule(request: Request) -> Fault:
        nonlocal ranges
        if request.method != "GET" or "/frames/" not in request.path:
            return None
        ranges += 1
        return faults.get(ranges)

    with fault_proxy(farm.endpoint, farm.authority) as proxy:
        proxy.rule = rule
        done = command(farm, "fetch", job, "--to", troubled, endpoint=proxy.endpoint)
    assert done.returncode == 0, done.stderr
    assert ranges > max(faults), ranges
    fetched = (troubled / "frame_0003.exr").read_bytes()
    assert fetched == (direct / "frame_0003.exr").read_bytes()
    assert [path.name for path in troubled.iterdir()] == ["frame_0003.exr"]


def test_the_same_file_again_is_not_sent(farm: LocalFarm, large: Path, tmp_path: Path) -> None:
    before = len(farm.front.uploads)
    done = command(farm, "submit", large, "--frames", "2", "--watch", "--to", tmp_path)
    assert done.returncode == 0, done.stderr
    # The frame's own, and none for the texture.
    assert len(farm.front.uploads) == before + 1
