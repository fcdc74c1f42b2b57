"""*Check Scene*: the artist's own Blender opens the pack before anything is spent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Blender

CHECK = """
bpy.ops.wm.open_mainfile(filepath=sys.argv[-1])
try:
    RESULT["outcome"] = sorted(bpy.ops.render_on_lambda.check_scene())
except RuntimeError as error:
    RESULT["outcome"] = str(error)
check = jobs.jobs().scene_check
RESULT["summary"] = check.summary
RESULT["problems"] = [[item.kind, item.datablock_type, item.path] for item in check.problems]
scenes = Path(sys.modules["bl_ext.user_default.render_on_lambda.tool.storage"].folder()) / "scenes"
RESULT["left"] = len(list(scenes.iterdir()))
"""


def test_a_sound_scene_is_said_to_be_sound_and_leaves_no_copy(
    blender: Blender, sample: Path
) -> None:
    found = blender.run(CHECK, str(sample))
    assert found["summary"] == "Blender finds every file and datablock in the pack"
    assert (found["outcome"], found["problems"], found["left"]) == (["FINISHED"], [], 0)


def test_what_blender_misses_is_named_by_its_datablock(blender: Blender, sample: Path) -> None:
    (texture, *_) = sorted(sample.parent.rglob("*.png"))
    texture.unlink()
    found = blender.run(CHECK, str(sample))
    assert found["summary"] == "1 problem in the pack"
    ((kind, datablock_type, path),) = found["problems"]
    assert (kind, datablock_type) == ("missing file", "Image")
    assert path.endswith(texture.name)


def test_what_render_would_refuse_is_refused_in_the_same_words(
    blender: Blender, sample: Path
) -> None:
    found = blender.run(REFUSED, str(sample))
    assert found["camera"] == ['Error: The scene "Scene" has no camera to render with'] * 2
    assert found["variable"][0] == found["variable"][1]
    assert "{nobody}" in found["variable"][0]


REFUSED = """
bpy.ops.wm.open_mainfile(filepath=sys.argv[-1])
def said(operator):
    try:
        operator()
    except RuntimeError as error:
        return str(error).strip()
both = (bpy.ops.render_on_lambda.check_scene, bpy.ops.render_on_lambda.render_animation)
camera, bpy.context.scene.camera = bpy.context.scene.camera, None
# Neither is rendered instead of a camera's view.
strips = bpy.context.scene.sequence_editor_create().strips
strips.new_effect("muted", "COLOR", 1, 1, length=9).mute = True
RESULT["camera"] = [said(operator) for operator in both]
bpy.context.scene.camera = camera
bpy.context.scene.render.filepath = "//{nobody}_####"
RESULT["variable"] = [said(operator) for operator in both]
"""


def test_an_artist_is_told_what_eevee_takes_without_a_graphics_card(
    blender: Blender, sample: Path
) -> None:
    found = blender.run(CHECK + EEVEE, str(sample))
    of_cycles, of_eevee = found["notes"]
    assert of_cycles == []
    assert len(of_eevee) == 2
    assert "EEVEE has no graphics card on the farm" in of_eevee[0]
    assert "Texts with Register do not run on the farm: rig.py" in of_eevee[1]


EEVEE = """
RESULT["notes"] = [check.notes]
bpy.context.scene.render.engine = "BLENDER_EEVEE"
bpy.data.texts.new("rig.py").use_module = True
bpy.ops.render_on_lambda.check_scene()
RESULT["notes"].append(jobs.jobs().scene_check.notes)
"""


UNBAKED = """
bpy.ops.wm.open_mainfile(filepath=sys.argv[-1])
scene = bpy.context.scene
scene.frame_end = 1
cloth = next(one for one in scene.objects if one.type == "MESH")
cloth.modifiers.new("cloth", "CLOTH")
try:
    bpy.ops.render_on_lambda.render_animation()
except RuntimeError as error:
    RESULT["error"] = str(error)
RESULT["asked"] = job_json()
bpy.ops.render_on_lambda.render_anyway(job_id=RESULT["asked"]["id"])
RESULT["rendered"] = job_json()
RESULT["cloth"] = cloth.name
"""


def test_a_simulation_that_is_not_baked_asks_first_and_is_rendered_anyway(
    blender: Blender, sample: Path
) -> None:
    found = blender.run(UNBAKED, str(sample))
    assert "1 simulation is not baked" in found["error"]
    asked = found["asked"]
    assert (asked["state"], asked["total"]) == ("concerns", 0)
    expected = {"datablock_type": "Object", "datablock": found["cloth"], "simulation": "cloth"}
    assert asked["unbaked"] == [expected]
    rendered = found["rendered"]
    assert (rendered["state"], rendered["done"], rendered["failed"]) == ("finished", 1, 0)
