"""A farm with its real image, from the wheel alone: `make setup-test`.

Sets a farm up on MiniStack, as an administrator would: the stack's own function downloads Blender
and its libraries and pushes the image. Compares its digest with that of the same image made here,
pulls it with a Docker engine, compares what it holds with the image that the Dockerfile makes, and
renders with it under Lambda's emulator, read-only, as another user. What does not need an image of
a gigabyte is in tests/e2e/test_set_up.py.
"""

from __future__ import annotations

import fnmatch
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

from container_test import (
    IMAGE,
    NEWEST,
    OLDER,
    Renderer,
    build,
    local_frames,
    through_the_emulator,
)
from docker_engine import docker, docker_engine
from local_farm import ADMINISTRATOR, PROJECT, LocalFarm, bare_farm

FOLDER = PROJECT / "build" / "container"
ASSEMBLED = "render-on-lambda:assembled"
COMMAND = Path(sys.executable).with_name("render-on-lambda")
SAM_CLI = "aws-sam-cli==1.170.0"
EMULATOR = "samcli/local/rapid/aws-lambda-rie-x86_64"

FILES = """
import hashlib, os, sys
for root in sys.argv[1:]:
    for at, _, names in os.walk(root):
        for name in names:
            path = os.path.join(at, name)
            if not os.path.islink(path):
                print(hashlib.sha256(open(path, "rb").read()).hexdigest(), path)
"""
# Where what a renderer reads is.
ROOTS = ("/usr/lib", "/usr/local/lib", "/etc/ssl", "/usr/share/X11", "/usr/share/glvnd")
# What scripts and pip leave behind.
MAY_DIFFER = ("*.pyc", "*.dist-info/*", "/etc/ssl/*")
# The base of the Dockerfile brings libraries along that no renderer reads; below this folder there
# is nothing but Blender and what it imports.
WHOLE = "/usr/local/lib/"


def main() -> None:
    """Set up, compare, pull, render; the exit code says whether all of it held."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with docker_engine(FOLDER / "docker") as host, bare_farm(emulator_tls=False) as farm:
        digest = set_up(farm)
        made_here = assemble()
        if digest != made_here:
            raise SystemExit(f"error: the stack made {digest}, and this machine {made_here}")
        print(f"twice: the stack and this machine made {digest}")
        pull(host, farm, digest)
        build(host)
        compare(host)
        renderer = Renderer(ASSEMBLED, emulator(), has_emulator=False)
        for blender in (NEWEST, OLDER):
            scene, expected = local_frames(host, renderer, blender)
            through_the_emulator(host, renderer, scene, expected)
        administer(farm, "remove", "--yes")
    print("setup-test: everything holds")


def administer(farm: LocalFarm, command: str, *arguments: str) -> str:
    """A command of `render-on-lambda farm`; what it says."""
    key = dict(zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), ADMINISTRATOR, strict=True))
    done = subprocess.run(
        [COMMAND, "farm", command, *arguments, "--stack", "real", "--endpoint", farm.endpoint],
        env=os.environ | farm.environment() | key,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(farm.log.read_text(errors="replace")[-3000:], file=sys.stderr)
        raise SystemExit(done.stderr)
    return done.stdout


def set_up(farm: LocalFarm) -> str:
    """Make the farm from what travels in the wheel; the digest of its image."""
    began = time.monotonic()
    # MiniStack has no engine here, so that no frame can be tried; one is below.
    print(administer(farm, "set-up", "--yes", "--no-test-frame", "--json").strip())
    seconds = time.monotonic() - began
    name = json.loads(administer(farm, "status", "--json"))["outputs"]["RepositoryName"]
    (image,) = farm.client("ecr").describe_images(repositoryName=name)["imageDetails"]
    print(f"set-up: {seconds:.0f} s with the image")
    return image["imageDigest"]


def assemble() -> str:
    """The same image, made on this machine; its digest."""
    began = time.monotonic()
    binaries, layout = PROJECT / "build" / "functions", FOLDER / "layout"
    shutil.rmtree(layout, ignore_errors=True)
    done = subprocess.run(
        [
            binaries / "render-on-lambda-setup",
            PROJECT / "infra" / "image" / "parts.json",
            binaries / "render-on-lambda-consumer",
            layout,
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    blobs = [path.stat().st_size for path in (layout / "blobs" / "sha256").iterdir()]
    layers = [size for size in blobs if size > 1 << 16]
    sizes = ", ".join(f"{size / 1e6:.0f} MB" for size in sorted(layers))
    print(f"image: {len(layers)} layers, {sizes}, made in {time.monotonic() - began:.0f} s")
    return done.stdout.strip()


def pull(host: str, farm: LocalFarm, digest: str) -> None:
    """Have the engine pull the image from MiniStack's registry, which is on this machine."""
    name = json.loads(administer(farm, "status", "--json"))["outputs"]["RepositoryName"]
    place = f"{urlsplit(farm.emulator).netloc}/{name}@{digest}"
    began = time.monotonic()
    docker("pull", "--quiet", place, host=host, stdout=subprocess.DEVNULL)
    docker("tag", place, ASSEMBLED, host=host)
    print(f"pull: {time.monotonic() - began:.0f} s")


def compare(host: str) -> None:
    """The Dockerfile's image has every file of ours, and no other of Blender's."""
    theirs, ours = files(host, IMAGE), files(host, ASSEMBLED)
    wrong = [path for path, digest in ours.items() if theirs.get(path) != digest]
    wrong += [path for path in theirs.keys() - ours.keys() if path.startswith(WHOLE)]
    wrong = [path for path in wrong if not any(fnmatch.fnmatch(path, one) for one in MAY_DIFFER)]
    for path in sorted(wrong):
        print(f"  {path}", file=sys.stderr)
    if wrong:
        raise SystemExit(f"error: {len(wrong)} files differ between the Dockerfile's and ours")
    print(f"compare: {len(ours)} files of ours are the same in the Dockerfile's image")


def files(host: str, image: str) -> dict[str, str]:
    """The files below what a renderer reads, with their digests."""
    listed = docker(
        "run", "--rm", "--user", "0", "--entrypoint", "/usr/bin/python3", image, "-c", FILES,
        *ROOTS, host=host, capture_output=True, text=True,
    ).stdout  # fmt: skip
    pairs = (line.split(" ", 1) for line in listed.splitlines())
    return {path: digest for digest, path in pairs}


def emulator() -> tuple[str, ...]:
    """Docker's options to run an image under Lambda's emulator, which lies beside it."""
    binary = FOLDER / "aws-lambda-rie"
    if not binary.exists():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", SAM_CLI]
        subprocess.run([*pip, "--dest", FOLDER], check=True)
        with zipfile.ZipFile(next(FOLDER.glob("aws_sam_cli-*.whl"))) as wheel:
            binary.write_bytes(wheel.read(EMULATOR))
        binary.chmod(0o755)
    return ("--volume", f"{binary}:/aws-lambda-rie:ro", "--entrypoint", "/aws-lambda-rie")


if __name__ == "__main__":
    main()
