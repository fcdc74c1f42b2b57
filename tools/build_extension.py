"""Builds the extension: the wheel by maturin, then the zip by Blender's own builder.

    python tools/build_extension.py [--output FOLDER] [--wheel WHEEL]

The zip is for the platform of the wheel, which is built where none is given. A release names the
repository that it is made from as its website. Prints the zip's path:
`Install from Disk` in Blender's preferences takes it.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import help_pages

PROJECT = Path(__file__).resolve().parent.parent
BUILD = PROJECT / "build"

# How a wheel's name ends, and what Blender calls that platform
# (https://docs.blender.org/manual/en/5.2/advanced/extensions/getting_started.html).
PLATFORMS = {
    r"linux\w*_x86_64": "linux-x64",
    r"win_amd64": "windows-x64",
    r"macosx_\d+_\d+_arm64": "macos-arm64",
    r"macosx_\d+_\d+_x86_64": "macos-x64",
}


def main(output: Path, wheel: Path | None = None) -> Path:
    """Build wheel and zip; the path of the zip."""
    wheel = wheel or build_wheel()
    platform = platform_of(wheel)
    with tempfile.TemporaryDirectory() as staging:
        source = Path(staging) / "render_on_lambda"
        stage(source, wheel, platform)
        output.mkdir(parents=True, exist_ok=True)
        run_builder("build", "--source-dir", str(source), "--output-dir", str(output))
    version = re.search(r'^version = "(.+)"$', manifest(), re.MULTILINE)
    if version is None:
        raise RuntimeError("addon/blender_manifest.toml has no version")
    built = output / f"render_on_lambda-{version[1]}.zip"
    return built.replace(built.with_stem(f"{built.stem}-{platform.replace('-', '_')}"))


def build_wheel() -> Path:
    """Compile the Rust half into an abi3 wheel for Python 3.11 and later."""
    wheels = BUILD / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    maturin = [sys.executable, "-m", "maturin", "build", "--release", "--out", str(wheels)]
    run_quietly(maturin)
    return next(wheels.glob("*.whl"))


def platform_of(wheel: Path) -> str:
    """What Blender calls the platform that a wheel is for.

    Raises ValueError for a platform that Blender does not have.
    """
    for ending, platform in PLATFORMS.items():
        if re.search(rf"-\w*{ending}\.whl$", wheel.name):
            return platform
    raise ValueError(f"{wheel.name} is for no platform of Blender: {', '.join(PLATFORMS.values())}")


def stage(source: Path, wheel: Path, platform: str) -> None:
    """Lay out what goes into the zip: the add-on without its tests, the wheel, the manifest."""
    ignored = shutil.ignore_patterns("__pycache__", "test_*.py", "tests")
    shutil.copytree(PROJECT / "addon", source, ignore=ignored)
    (source / "wheels").mkdir()
    shutil.copy(wheel, source / "wheels")
    shutil.copy(PROJECT / "LICENSE", source)
    website = website_of_release()
    help_pages.write(source / "help", website)
    filled_in = f'platforms = ["{platform}"]\nwheels = ["./wheels/{wheel.name}"]'
    if website:
        filled_in = f'website = "{website}"\n{filled_in}'
    text = manifest().replace("wheels = []", filled_in)
    (source / "blender_manifest.toml").write_text(text)


def website_of_release() -> str:
    """The address of the repository whose workflow builds this; empty on anybody's own machine.

    Source: docs.github.com, "Default environment variables".
    """
    server, repository = os.environ.get("GITHUB_SERVER_URL"), os.environ.get("GITHUB_REPOSITORY")
    return f"{server}/{repository}" if server and repository else ""


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
    parser = argparse.ArgumentParser(description="Builds the extension's zip.")
    parser.add_argument("--output", type=Path, default=BUILD, help="the folder (build)")
    parser.add_argument("--wheel", type=Path, help="a wheel that is built already")
    arguments = parser.parse_args()
    print(main(arguments.output, arguments.wheel))
