"""Lays extension zips out in a folder with the index by which Blender installs and updates them.

    python tools/extension_index.py FOLDER ZIP...

Any web page can serve the folder. In Blender: Preferences, Get Extensions, Repositories, Add Remote
Repository, with the address of its index.json.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import build_extension


def main(folder: Path, zips: list[Path]) -> Path:
    """Copy the zips, and have Blender's own tool write the index; its path.

    Raises FileNotFoundError where a zip is not there, FileExistsError where the folder has others.
    """
    folder.mkdir(parents=True, exist_ok=True)
    others = {path.name for path in folder.glob("*.zip")} - {path.name for path in zips}
    if others:
        raise FileExistsError(f"{folder} has other extensions already: {', '.join(sorted(others))}")
    for path in zips:
        shutil.copy(path, folder)
    build_extension.run_builder("server-generate", "--repo-dir", str(folder), "--html")
    return folder / "index.json"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Writes the index of an extension repository.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("zips", type=Path, nargs="+", metavar="ZIP")
    arguments = parser.parse_args()
    print(main(arguments.folder, arguments.zips))
