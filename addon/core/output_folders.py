"""Where the files of File Output nodes go: their places among the results, and on this machine."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class OutputFolders:
    """The folders of File Output nodes."""

    # As they stand in the scene, with their places among the results.
    places: list[tuple[str, str]] = field(default_factory=list)
    # Those that lie outside the scene's own output folder, by their places.
    elsewhere: list[tuple[str, str]] = field(default_factory=list)


def output_folders(own: Path, folders: dict[str, Path]) -> OutputFolders:
    """Give each folder a place: below the scene's own output where it lies there, else one for
    itself.

    own: the folder of the scene's own output, absolute. folders: as they stand in the scene, with
    what they mean on this machine, absolute.
    """
    found = OutputFolders()
    inside = {folder: below(own, folder) for folder in folders.values()}
    taken = {place for place in inside.values() if place is not None}
    outside: dict[Path, str] = {}
    for written, folder in folders.items():
        place = inside[folder]
        if place is None:
            if folder not in outside:
                outside[folder] = free_place(place_name(folder), taken)
                found.elsewhere.append((outside[folder], str(folder)))
            place = outside[folder]
        if place != ".":
            found.places.append((written, place))
    return found


def below(own: Path, folder: Path) -> str | None:
    """A folder's place below the scene's own; None where it lies elsewhere."""
    return folder.relative_to(own).as_posix() if folder.is_relative_to(own) else None


def place_name(folder: Path) -> str:
    """A name for a folder elsewhere: its own, of letters that any system takes."""
    return re.sub(r"[^\w.-]+", "_", folder.name).strip(". ") or "files"


def free_place(name: str, taken: set[str]) -> str:
    """A place beside all others: none lies in another."""
    number, place = 1, name
    while any(f"{one}/".startswith(f"{place}/") for one in taken):
        number += 1
        place = f"{name}_{number}"
    taken.add(place)
    return place


def native_path(path: str, *, is_windows: bool) -> str:
    """An absolute path as Blender takes it on this system.

    Where there are no drives, `D:\\show` is `/d/show` (`BLI_path_abs`, `path_utils.cc`, 5.2).
    """
    if is_windows:
        return path
    path = path.replace("\\", "/")
    drive = re.match(r"([A-Za-z]):/", path)
    return f"/{drive[1].lower()}/{path[3:]}" if drive else path
