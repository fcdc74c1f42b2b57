"""What a worker does at the same time when a job is new to it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import bpy
import pytest
from fault_proxy import Request, fault_proxy
from workers import Queue

# The emulator may hand a message to a worker that the test before has ended: it comes back later.
ARRIVAL_SECONDS = 120

# A bent plane with a picture on it: one image that only its material shows, one that bends it too.
MAKE = """
import sys, bpy, numpy
from pathlib import Path
folder = Path(sys.argv[-1])
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.render.engine = "CYCLES"
scene.cycles.samples = 4
scene.render.resolution_x = scene.render.resolution_y = 48
scene.render.image_settings.file_format = "PNG"
def picture(name, seed):
    image = bpy.data.images.new(name, 500, 500)
    noise = numpy.random.default_rng(seed).random((500, 500, 4), dtype="f")
    noise[..., 3] = 1
    image.pixels.foreach_set(noise.ravel())
    image.filepath_raw = str(folder / name)
    image.file_format = "PNG"
    image.save()
    return image
color, height = picture("color.png", 1), picture("height.png", 2)
mesh = bpy.data.meshes.new("plane")
side = 24
points = [(x / side * 2 - 1, y / side * 2 - 1, 0) for y in range(side + 1) for x in range(side + 1)]
row = side + 1
faces = [(y * row + x, y * row + x + 1, y * row + x + row + 1, y * row + x + row)
         for y in range(side) for x in range(side)]
mesh.from_pydata(points, [], faces)
mesh.uv_layers.new()
plane = bpy.data.objects.new("plane", mesh)
scene.collection.objects.link(plane)
texture = bpy.data.textures.new("height", "IMAGE")
texture.image = height
bend = plane.modifiers.new("bend", "DISPLACE")
bend.texture, bend.strength = texture, 0.3
material = bpy.data.materials.new("material")
tree = material.node_tree
tree.nodes.clear()
output = tree.nodes.new("ShaderNodeOutputMaterial")
light = tree.nodes.new("ShaderNodeEmission")
mix = tree.nodes.new("ShaderNodeMixRGB")
place = tree.nodes.new("ShaderNodeTexCoord")
for socket, image in (("Color1", color), ("Color2", height)):
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    tree.links.new(place.outputs["Generated"], node.inputs["Vector"])
    tree.links.new(node.outputs["Color"], mix.inputs[socket])
tree.links.new(mix.outputs["Color"], light.inputs["Color"])
tree.links.new(light.outputs["Emission"], output.inputs["Surface"])
mesh.materials.append(material)
camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
camera.location, camera.rotation_euler = (0, -1.8, 1.8), (0.78, 0, 0)
scene.collection.objects.link(camera)
scene.camera = camera
scene.render.filepath = "//frames/"
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))
for image in (color, height):
    image.filepath = "//" + image.name
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))
bpy.ops.render.render(animation=True, frame_start=1, frame_end=1)
"""


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    """A scene with its first frame rendered beside it."""
    folder = tmp_path / "show"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", MAKE, str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "shot.blend"


def late_files(queue: Queue, job: str) -> dict[str, str]:
    """The files of a job's pack that come after the scene is open: their digests by name."""
    document = json.loads(queue.read(f"jobs/{job}/job.json"))
    manifest = json.loads(queue.read(f"packs/{document['pack']}.json"))
    late = [file for file in manifest["files"] if file.get("opens_without")]
    return {Path(file["path"]).name: file["digest"] for file in late}


def pixels(path: Path) -> list[float]:
    image = bpy.data.images.load(str(path))
    try:
        return image.pixels[:]
    finally:
        bpy.data.images.remove(image)


def test_a_scene_is_opened_while_what_only_rendering_reads_is_on_its_way(
    queue: Queue, shot: Path, tmp_path: Path
) -> None:
    job = queue.submit(shot, "1")
    late = late_files(queue, job)
    assert set(late) == {"color.png"}
    log = tmp_path / "worker.log"

    def holds(request: Request) -> bool:
        """The picture stays away until the scene is open."""
        return late["color.png"] in request.path and b"scene opened" not in log.read_bytes()

    with fault_proxy(queue.farm.endpoint, queue.farm.authority) as proxy:
        proxy.holds = holds
        with queue.worker(tmp_path, AWS_ENDPOINT_URL=proxy.endpoint):
            record = queue.wait_for(job, 1, ARRIVAL_SECONDS)[1]
    assert record["state"] == "done", record
    assert record["times"]["load_seconds"] > 0
    fetched = tmp_path / "fetched"
    queue.fetch(job, fetched)
    (ours,) = fetched.rglob("*.png")
    local = pixels(shot.parent / "frames" / "0001.png")
    assert len(set(local)) > 100
    assert pixels(ours) == local


def test_a_script_finds_every_file_as_soon_as_its_scene_is_open(
    queue: Queue, shot: Path, tmp_path: Path
) -> None:
    job = queue.submit(shot, "1", "--allow-scripts")
    assert late_files(queue, job) == {}
    with queue.worker(tmp_path):
        assert queue.wait_for(job, 1, ARRIVAL_SECONDS)[1]["state"] == "done"
