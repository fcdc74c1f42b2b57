"""Runs inside Blender: opens a packed scene and writes down what does not resolve.

Arguments, last on the command line: the .blend file, the pack's folder, the file for the report.
"""

import glob
import json
import os
import re
import sys
from pathlib import Path

import bpy

TILES = re.compile(r"<(UDIM|UVTILE)>")
# Where these name a folder, Blender has nothing to show.
ONE_FILE = (bpy.types.Image, bpy.types.Sound, bpy.types.VectorFont, bpy.types.Volume)


def main() -> None:
    blend_file, root, report = sys.argv[-3:]
    bpy.ops.wm.open_mainfile(filepath=blend_file, load_ui=False, use_scripts=False)
    problems = []
    for datablock in bpy.data.user_map():
        if getattr(datablock, "is_missing", False) and not is_library(datablock):
            problems.append(problem("missing_datablock", datablock, ""))
    for datablock, paths in file_paths().items():
        if is_library(datablock) or is_packed(datablock):
            continue
        problems += [
            problem(kind, datablock, path)
            for path in sorted(paths)
            if not is_in_memory(path, datablock)
            and (kind := trouble(absolute(path, datablock), root, isinstance(datablock, ONE_FILE)))
        ]
    # Blender keeps the paths of libraries, also of those that libraries link, from the scene on.
    for library in needed_libraries():
        if kind := trouble(absolute(library.filepath, library), root, is_one_file=True):
            problems.append(problem(kind, library, library.filepath))
    Path(report).write_text(json.dumps(problems), encoding="utf-8")


def file_paths() -> dict:
    """The paths of each datablock, as they stand in it."""
    if hasattr(bpy.data, "file_path_map"):
        return bpy.data.file_path_map()
    # Blender 4.2 tells of paths without their datablocks: what has one path tells it itself.
    found = {}
    for datablock in bpy.data.user_map():
        paths = {getattr(datablock, "filepath", "")}
        editor = getattr(datablock, "sequence_editor", None)
        for strip in editor.sequences_all if editor else ():
            if strip.type == "IMAGE":
                # Some folders end with a slash, and "//" is one.
                folder = strip.directory + ("" if strip.directory.endswith("/") else "/")
                paths |= {folder + element.filename for element in strip.elements}
            paths.add(getattr(strip, "filepath", ""))
        if paths := {path for path in paths if path}:
            found[datablock] = paths
    return found


def is_library(datablock) -> bool:
    return isinstance(datablock, bpy.types.Library)


def is_in_memory(path: str, datablock) -> bool:
    """Whether a path is the folder of a simulation's cache that Blender keeps in the file."""
    caches = [system.point_cache for system in getattr(datablock, "particle_systems", ())]
    modifiers = getattr(datablock, "modifiers", ())
    caches += [modifier.point_cache for modifier in modifiers if hasattr(modifier, "point_cache")]
    is_folder = Path(path.replace("\\", "/")).name.startswith("blendcache_")
    return is_folder and bool(caches) and not any(cache.use_disk_cache for cache in caches)


def is_packed(datablock) -> bool:
    return bool(getattr(datablock, "packed_file", None) or getattr(datablock, "packed_files", None))


def needed_libraries() -> list[bpy.types.Library]:
    """The libraries that datablocks come from, but for those that are packed into the file."""
    used = {datablock.library for datablock in bpy.data.user_map() if datablock.library}
    return [
        library
        for library in bpy.data.libraries
        if library in used
        and not library.packed_file
        and not getattr(library, "is_archive", False)
        and not is_blenders_own(library)
    ]


def is_blenders_own(library) -> bool:
    """Whether it is one of the assets that come with Blender: each Blender has them, and what is
    painted with is none of a frame's business.
    """
    own = os.path.realpath(bpy.utils.system_resource("DATAFILES"))
    return os.path.realpath(absolute(library.filepath, library)).startswith(own + os.sep)


def absolute(path: str, datablock) -> str:
    library = getattr(datablock, "library", None)
    return os.path.normpath(bpy.path.abspath(path, library=library))


def trouble(path: str, root: str, is_one_file: bool) -> str | None:
    root = os.path.realpath(root)
    if not os.path.realpath(path).startswith(root + os.sep):
        return "outside"
    pattern = TILES.sub("\0", glob.escape(path)).replace("\0", "*")
    found = glob.glob(pattern)  # noqa: PTH207 - the path may be odd
    if is_one_file:
        found = [path for path in found if Path(path).is_file()]
    return None if found else "missing_file"


def problem(kind: str, datablock, path: str) -> dict[str, str]:
    library = datablock.library
    return {
        "kind": kind,
        "datablock_type": datablock.bl_rna.identifier,
        "datablock": datablock.name,
        "library": absolute(library.filepath, library) if library else "",
        "path": absolute(path, datablock) if path else "",
        "written": path,
    }


main()
