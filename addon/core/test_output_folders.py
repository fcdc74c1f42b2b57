"""Each folder of a File Output node has one place, and no two share one."""

from __future__ import annotations

from pathlib import Path

from core.output_folders import native_path, output_folders


def test_folders_below_the_output_keep_their_place_and_others_get_their_own() -> None:
    own = Path("/show/render")
    found = output_folders(
        own,
        {
            "//render/passes/": Path("/show/render/passes"),
            "//mattes/": Path("/show/mattes"),
            "//../mattes/": Path("/mattes"),
            "/show/mattes": Path("/show/mattes"),
            "//render/": own,
        },
    )
    places = dict(found.places)
    assert places["//render/passes/"] == "passes"
    assert places["//mattes/"] == places["/show/mattes"] == "mattes"
    assert places["//../mattes/"] == "mattes_2"
    assert dict(found.elsewhere) == {"mattes": "/show/mattes", "mattes_2": "/mattes"}
    assert "//render/" not in places


def test_a_place_elsewhere_is_never_one_of_the_outputs_own() -> None:
    own = Path("/show/render")
    found = output_folders(
        own, {"a": Path("/show/render/mattes/deep"), "b": Path("/elsewhere/mattes"), "c": Path("/")}
    )
    assert dict(found.places) == {"a": "mattes/deep", "b": "mattes_2", "c": "files"}


def test_a_drive_is_a_folder_where_there_are_no_drives() -> None:
    assert native_path("D:\\show\\render", is_windows=False) == "/d/show/render"
    assert native_path("D:\\show\\render", is_windows=True) == "D:\\show\\render"
    assert native_path("\\\\server\\share\\x", is_windows=False) == "//server/share/x"
