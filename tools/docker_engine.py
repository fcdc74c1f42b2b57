"""A Docker engine and a base image for tests, also where there is no registry of images.

The engine is the one that DOCKER_HOST names, the one of this machine, or one that is started here
for the length of the test. The base image is made by debootstrap.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_LIMIT_SECONDS = 60
CERTIFICATES = Path("/usr/local/share/ca-certificates")


def client() -> str:
    """The client of Debian's engine, which builds with BuildKit without a plugin; it may have been
    installed a moment ago.
    """
    debians = Path("/usr/bin/docker")
    return str(debians) if debians.exists() else "docker"


def docker(*arguments: str | Path, host: str, **options: object) -> subprocess.CompletedProcess:
    """Run the client; an error where it fails."""
    environment = os.environ | {"DOCKER_HOST": host, "DOCKER_BUILDKIT": "1"}
    return subprocess.run([client(), *arguments], env=environment, check=True, **options)  # type: ignore[call-overload]


def answers(host: str) -> bool:
    """Whether an engine is there."""
    environment = os.environ | {"DOCKER_HOST": host}
    try:
        done = subprocess.run(
            [client(), "version"], env=environment, capture_output=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


@contextmanager
def docker_engine(folder: Path) -> Iterator[str]:
    """The address of an engine; one that is started here keeps its data in a folder."""
    for host in (os.environ.get("DOCKER_HOST"), "unix:///var/run/docker.sock"):
        if host and answers(host):
            yield host
            return
    if os.geteuid() != 0:
        raise SystemExit("error: there is no Docker engine here; start one, or set DOCKER_HOST")
    if not shutil.which("dockerd"):
        install("docker.io", "iptables")
    folder.mkdir(parents=True, exist_ok=True)
    host = f"unix://{folder}/docker.sock"
    with (folder / "dockerd.log").open("wb") as log:
        engine = subprocess.Popen(
            ["dockerd", "--data-root", folder / "data", "--exec-root", folder / "exec",
             "--pidfile", folder / "pid", "-H", host],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )  # fmt: skip
    try:
        limit = time.monotonic() + START_LIMIT_SECONDS
        while not answers(host):
            if engine.poll() is not None or time.monotonic() > limit:
                raise SystemExit((folder / "dockerd.log").read_text()[-2000:])
            time.sleep(0.5)
        yield host
    finally:
        engine.terminate()
        engine.wait(timeout=60)


def base_image(host: str, folder: Path) -> str:
    """A minimal Debian 13, with the certificates that this machine trusts; its name.

    CONTAINER_BASE_IMAGE names another one.
    """
    if given := os.environ.get("CONTAINER_BASE_IMAGE"):
        return given
    name = "render-on-lambda-base:trixie"
    found = docker("images", "--quiet", name, host=host, capture_output=True, text=True)
    if found.stdout.strip():
        return name
    if not shutil.which("debootstrap"):
        install("debootstrap")
    root = folder / "trixie"
    shutil.rmtree(root, ignore_errors=True)
    subprocess.run(
        ["debootstrap", "--variant=minbase", "trixie", root], check=True, stdout=subprocess.DEVNULL
    )
    if CERTIFICATES.is_dir():
        trusted = root / CERTIFICATES.relative_to("/")
        shutil.copytree(CERTIFICATES, trusted, dirs_exist_ok=True)
    packed = subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE)
    docker("import", "-", name, host=host, stdin=packed.stdout, stdout=subprocess.DEVNULL)
    if packed.wait():
        raise SystemExit("error: the base image could not be packed")
    shutil.rmtree(root)
    return name


def install(*packages: str) -> None:
    """Install Debian packages."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise SystemExit(f"error: run: sudo apt-get install {' '.join(packages)}")
    subprocess.run(["apt-get", "update", "-qq"], check=True)
    subprocess.run(
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        check=True,
        stdout=subprocess.DEVNULL,
    )
