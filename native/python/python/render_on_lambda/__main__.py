"""The command line: `render-on-lambda trace FILE`.

Exit codes: 0 done · 1 files that the scene needs are missing · 2 wrong use · 3 a file cannot be
read, or is no sound .blend file.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from . import Dependency, __version__, trace

EXIT_MISSING = 1
EXIT_UNREADABLE = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; gives its exit code."""
    parsed = parser().parse_args(arguments)
    try:
        dependencies = trace(parsed.file.absolute())
    except (OSError, ValueError) as error:
        print(f"render-on-lambda: {error}", file=sys.stderr)
        return EXIT_UNREADABLE
    if parsed.json:
        print(json.dumps(list(records(dependencies)), indent=1))
    else:
        print_for_people(dependencies)
    needed = [item for item in dependencies if item.missing and item.required]
    return EXIT_MISSING if needed else 0


def parser() -> argparse.ArgumentParser:
    """What the command line takes."""
    command_line = argparse.ArgumentParser(
        prog="render-on-lambda", description="What a Blender scene needs to render elsewhere."
    )
    command_line.add_argument("--version", action="version", version=__version__)
    commands = command_line.add_subparsers(required=True, metavar="COMMAND")
    tracing = commands.add_parser(
        "trace",
        help="list the files behind a scene",
        description="List every file that a scene asks for, through linked libraries too.",
        epilog="Exit codes: 0 all there, 1 needed files missing, 2 wrong use, 3 unreadable file.",
    )
    tracing.add_argument("file", type=Path, metavar="FILE", help="the .blend file")
    tracing.add_argument("--json", action="store_true", help="a list of objects, for machines")
    return command_line


def records(dependencies: Sequence[Dependency]) -> Iterator[dict[str, object]]:
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
            "missing": item.missing,
            "required": item.required,
            "part_of": None,
        }
        yield record
        for file in item.files:
            if file != item.path:
                yield {**record, "path": str(file), "missing": False, "part_of": str(item.path)}


def print_for_people(dependencies: Sequence[Dependency]) -> None:
    """A line a dependency, what is missing first."""
    for item in sorted(dependencies, key=lambda item: not (item.missing and item.required)):
        state = "MISSING" if item.missing and item.required else "absent " if item.missing else ""
        count = f" ({len(item.files)} files)" if len(item.files) > 1 else ""
        where = item.library_chain[-1].name if item.library_chain else ""
        # A name may hold what steers a terminal, or bytes that are not text.
        path = "".join(
            letter if letter.isprintable() else ascii(letter)[1:-1] for letter in str(item.path)
        )
        user = f"{item.datablock_type} “{item.datablock}” in {where}"
        print(f"{state:8}{item.kind:20} {path}{count}  ·  {user}")
    missing = sum(item.missing and item.required for item in dependencies)
    files = {file for item in dependencies for file in item.files}
    size_mb = sum(file.stat().st_size for file in files if file.is_file()) / 1e6
    print(f"{len(files)} files, {size_mb:,.1f} MB; {missing} missing")


if __name__ == "__main__":
    sys.exit(main())
