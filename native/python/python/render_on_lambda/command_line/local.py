"""The commands that need no farm: trace, pack, verify."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .. import Dependency, LocalPack, LocalPackEvent, MissingFile, Problem, UnbakedSimulation
from .. import trace as trace_scene
from .output import EXIT_MISSING, Reporter, count_text, printable, size_text

if TYPE_CHECKING:
    from argparse import Namespace

_POLL_SECONDS = 0.02


def trace(arguments: Namespace, _reporter: Reporter) -> int:
    """List the files behind a scene."""
    dependencies = trace_scene(arguments.file.absolute())
    if arguments.json:
        print(json.dumps(list(_records(dependencies)), indent=1))
    else:
        _print_for_people(dependencies)
    needed = [item for item in dependencies if item.missing and item.required]
    return EXIT_MISSING if needed else 0


def pack(arguments: Namespace, reporter: Reporter) -> int:
    """Write a scene with all its files to a folder or a zip."""
    work = LocalPack(
        arguments.file.absolute(),
        arguments.to.absolute(),
        allow_missing_files=arguments.allow_missing,
        frames=arguments.frames,
    )
    code = 0
    for event in _events(work, reporter):
        match event:
            case LocalPackEvent.MissingFiles(files):
                say_missing(files, reporter)
                code = EXIT_MISSING
            case LocalPackEvent.Written(files, count, blend_file, rewritten):
                record = {
                    "to": str(arguments.to.absolute()),
                    "blend_file": blend_file,
                    "files": files,
                    "bytes": count,
                    "rewritten_blend_files": rewritten,
                }
                size = f"{count_text(files, 'file')}, {size_text(count)}"
                text = f"{size} in {arguments.to}; open {blend_file}"
                reporter.result(record, text)
                code = 0 if arguments.allow_missing else code
            case _:
                pass
    return code


def verify(arguments: Namespace, reporter: Reporter) -> int:
    """Open the pack with Blender and list what would be missed on the farm."""
    blender = find_blender(arguments.blender)
    if blender is None:
        raise FileNotFoundError("there is no blender on the PATH: name it with --blender")
    work = LocalPack.verify(
        arguments.file.absolute(),
        blender,
        scene=arguments.scene,
        allow_scripts=arguments.allow_scripts,
        limit_seconds=arguments.limit_seconds,
    )
    problems: list[Problem] = []
    for event in _events(work, reporter):
        match event:
            case LocalPackEvent.NotSplit(_, message):
                reporter.note(f"each frame is rendered by one worker: {message}")
            case LocalPackEvent.Verified(problems):
                pass
            case _:
                pass
    records = [
        {
            "problem": item.kind,
            "datablock_type": item.datablock_type,
            "datablock": item.datablock,
            "library": item.library,
            "path": item.path,
        }
        for item in problems
    ]
    lines = [
        f"{item.kind}: {item.path or item.library}  ·  {item.datablock_type} “{item.datablock}”"
        for item in problems
    ]
    if arguments.json:
        reporter.result(records, "")
    else:
        for line in lines:
            reporter.result(None, line)
        found = f"{len(lines)} problems" if lines else "every path resolves in the pack"
        reporter.result(None, found)
    return EXIT_MISSING if problems else 0


def find_blender(program: Path | None) -> Path | None:
    """The program that was named, or Blender on the PATH, or this Python with the module bpy."""
    if program is not None:
        # Absolute, but not resolved: a Python of a virtual environment is a link.
        return Path(shutil.which(program) or program).absolute()
    found = shutil.which("blender")
    if found:
        return Path(found).absolute()
    return Path(sys.executable) if importlib.util.find_spec("bpy") else None


def say_missing(files: Sequence[MissingFile], reporter: Reporter) -> None:
    """Name each missing file with its user."""
    for item in files:
        user = f"{item.datablock_type} “{item.datablock}” in {item.blend_file.name}"
        reporter.note(f"missing {item.kind}: {item.path}  ·  {user}")


def say_unbaked(simulations: Sequence[UnbakedSimulation], reporter: Reporter) -> None:
    """Name each simulation that is not baked with its owner, and the ways on."""
    for item in simulations:
        owner = f"{item.datablock_type} “{item.datablock}”"
        reporter.note(f"not baked: {item.simulation}  ·  {owner}")
    if simulations:
        reporter.note(
            "bake in Blender, or submit with --allow-unbaked: each frame then shows its simulations"
            " as if it was the first"
        )


def say_other_blender(
    scene: tuple[int, int, int], farm: tuple[int, int] | None, reporter: Reporter
) -> None:
    """Say that another Blender renders than the scene's, and the way on."""
    if farm:
        reporter.note(
            f"the scene comes from Blender {scene[0]}.{scene[1]}, and the farm renders with"
            f" {farm[0]}.{farm[1]}: pictures may differ; submit with --allow-other-blender"
        )


def _events(work: LocalPack, reporter: Reporter) -> Iterator[LocalPackEvent]:
    """The events of a pack as they come; progress is shown on the way."""
    try:
        while not work.is_over:
            for event in work.poll():
                match event:
                    case LocalPackEvent.Tracing(path):
                        reporter.bar(0.0, f"Reading {path.name}")
                    case LocalPackEvent.Writing(_, total, count, size):
                        text = f"Packing {size_text(count)} of {size_text(size)}"
                        text += f" in {count_text(total, 'file')}"
                        reporter.bar(count / size if size else 1.0, text)
                    case LocalPackEvent.Opening():
                        reporter.bar(1.0, "Opening the pack with Blender")
                    case _:
                        pass
                yield event
            time.sleep(_POLL_SECONDS)
    finally:
        work.stop()
        reporter.end_bar()


def _records(dependencies: Sequence[Dependency]) -> Iterator[dict[str, object]]:
    """One object a path; a set of files has one for its pattern or folder and one a file.

    Bytes of a path that are not UTF-8 stand as Python's surrogates (`os.fsdecode`).
    """
    for item in dependencies:
        record = {
            "path": str(item.path),
            "kind": item.kind,
            "datablock_type": item.datablock_type,
            "datablock": item.datablock,
            "library_chain": [str(path) for path in item.library_chain],
            "written": item.written.decode("utf-8", "surrogateescape"),
            "size_bytes": sum(item.file_sizes),
            "frames": item.frames,
            "missing": item.missing,
            "used": item.used,
            "required": item.required,
            "part_of": None,
        }
        yield record
        for file, size_bytes in zip(item.files, item.file_sizes, strict=True):
            if file != item.path:
                yield {
                    **record,
                    "path": str(file),
                    "size_bytes": size_bytes,
                    "missing": False,
                    "part_of": str(item.path),
                }


def _print_for_people(dependencies: Sequence[Dependency]) -> None:
    """A line a dependency, what is missing first."""
    for item in sorted(dependencies, key=lambda item: not (item.missing and item.required)):
        state = _state(item)
        count = f" ({len(item.files)} files)" if len(item.files) > 1 else ""
        where = item.library_chain[-1].name if item.library_chain else ""
        user = f"{item.datablock_type} “{item.datablock}” in {where}"
        for path in item.missing_files if item.missing else [item.path]:
            print(f"{state:8}{item.kind:20} {printable(path)}{count}  ·  {printable(user)}")
    missing = sum(
        len(item.missing_files) for item in dependencies if item.missing and item.required
    )
    files = {
        file: size_bytes
        for item in dependencies
        if item.packed
        for file, size_bytes in zip(item.files, item.file_sizes, strict=True)
    }
    print(f"{count_text(len(files), 'file')}, {size_text(sum(files.values()))}; {missing} missing")


def _state(item: Dependency) -> str:
    if item.missing:
        return "MISSING" if item.required else "absent"
    return "" if item.used else "unused"
