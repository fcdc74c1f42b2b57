"""Builds the extension: the wheel by maturin, then the zip by Blender's own builder.

    python tools/build_extension.py [OUTPUT_FOLDER]

Prints the path of the zip. `Install from Disk` in Blender's preferences takes it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
BUILD = PROJECT / "build"


def main(output: Path) -> Path:
    """Build wheel and zip; the path of the zip."""
    wheel = build_wheel()
    with tempfile.TemporaryDirectory() as staging:
        source = Path(staging) / "render_on_lambda"
        stage(source, wheel)
        output.mkdir(parents=True, exist_ok=True)
        run_builder("build", "--source-dir", str(source), "--output-dir", str(output))
    version = re.search(r'^version = "(.+)"$', manifest(), re.MULTILINE)
    if version is None:
        raise RuntimeError("addon/blender_manifest.toml has no version")
    return output / f"render_on_lambda-{version[1]}.zip"


def build_wheel() -> Path:
    """Compile the Rust half into an abi3 wheel for Python 3.11 and later."""
    wheels = BUILD / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    maturin = [sys.executable, "-m", "maturin", "build", "--release", "--out", str(wheels)]
    run_quietly(maturin)
    return next(wheels.glob("*.whl"))


def stage(source: Path, wheel: Path) -> None:
    """Lay out what goes into the zip: the add-on without its tests, the wheel, the manifest."""
    ignored = shutil.ignore_patterns("__pycache__", "test_*.py", "tests")
    shutil.copytree(PROJECT / "addon", source, ignore=ignored)
    (source / "wheels").mkdir()
    shutil.copy(wheel, source / "wheels")
    shutil.copy(PROJECT / "LICENSE", source)
    text = manifest().replace("wheels = []", f'wheels = ["./wheels/{wheel.name}"]')
    (source / "blender_manifest.toml").write_text(text)


def manifest() -> str:
    """The manifest as it is in the repository."""
    return (PROJECT / "addon" / "blender_manifest.toml").read_text()


def run_builder(*arguments: str) -> None:
    """Run Blender's extension tool; it is part of the bpy module."""
    import bpy

    tool = Path(bpy.utils.system_resource("SCRIPTS")) / "addons_core/bl_pkg/cli/blender_ext.py"
    run_quietly([sys.executable, str(tool), *arguments])


def run_quietly(command: list[str]) -> None:
    """Run a command whose words matter only where it fails."""
    run = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{run.stdout}{run.stderr}")


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else BUILD
    print(main(folder))
