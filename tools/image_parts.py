"""Writes infra/image/parts.json: what the image is assembled from, each part by its SHA-256.

    python tools/image_parts.py

The packages are Debian's, resolved as APT would without its recommendations; the wheels are those
that pip would install. Run it to take newer ones, look at the difference, and commit it.
"""

from __future__ import annotations

import json
import lzma
import re
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

PROJECT = Path(__file__).resolve().parent.parent
PARTS = PROJECT / "infra" / "image" / "parts.json"
DEBIAN = "https://deb.debian.org/debian"
SNAPSHOT = "https://snapshot.debian.org/archive/debian"
SUITE = "trixie"

# What Blender links, Python to run it in, and Mesa, whose software renderer serves EEVEE and
# Workbench.
WANTED = [
    *("base-files", "ca-certificates", "libegl1", "libgl1", "libgl1-mesa-dri", "libice6", "libsm6"),
    *("libx11-6", "libxfixes3", "libxi6", "libxkbcommon0", "libxrender1", "libxxf86vm1", "python3"),
]
# Programs that only installing or a login needs: nothing is installed in an image of files.
NOT_NEEDED = {"debconf", "dpkg", "perl-base", "tar", "openssl", "gawk", "awk", "mawk", "tzdata"}
# Each with the Python that it asks for; the newest first, which is the system's own.
BLENDERS = [("5.2", "3.13", "bpy==5.2.3"), ("4.5", "3.11", "bpy==4.5.15")]
# Python 3.11 is that of the Debian before; what else it links is the same in this one.
OLDER_SUITE = "bookworm"
OLDER_PYTHON = ["libpython3.11-minimal", "libpython3.11-stdlib", "python3.11-minimal"]


class Package(NamedTuple):
    """A package of Debian's."""

    name: str
    path: str
    sha256: str
    size_bytes: int
    needs: list[list[str]]


def main() -> None:
    """Write the list."""
    newest, *older = (blender_layer(*blender) for blender in BLENDERS)
    layers = [system_layer(), newest, older_python_layer(), *older]
    PARTS.write_text(json.dumps({"layers": layers}, indent=1) + "\n")
    count = sum(len(layer["parts"]) for layer in layers)
    size = sum(part["size_bytes"] for layer in layers for part in layer["parts"])
    print(f"{PARTS}: {count} parts of {size / 1e6:.0f} MB")


def system_layer() -> dict[str, Any]:
    """The packages, with those that they need."""
    packages, provided = read_packages(SUITE)
    chosen: dict[str, Package] = {}
    open_names = list(WANTED)
    while open_names:
        name = open_names.pop(0)
        if name in chosen:
            continue
        chosen[name] = package = packages[name]
        for alternatives in package.needs:
            if any(other in NOT_NEEDED or other in chosen for other in alternatives):
                continue
            if any(set(provided.get(other, ())) & chosen.keys() for other in alternatives):
                continue
            found = [other for other in alternatives if other in packages]
            found += [real for other in alternatives for real in provided.get(other, ())]
            if not found:
                raise SystemExit(f"{name} needs one of {alternatives}, and none is there")
            open_names.append(found[0])
    return debian_layer("system", "debian", [chosen[name] for name in sorted(chosen)])


def older_python_layer() -> dict[str, Any]:
    """The Python of older Blenders, without what it shares with the system's."""
    packages, _ = read_packages(OLDER_SUITE)
    return debian_layer("python 3.11", "packages", [packages[name] for name in OLDER_PYTHON])


def debian_layer(name: str, kind: str, packages: Sequence[Package]) -> dict[str, Any]:
    """A layer of packages."""
    moment = datetime.now(UTC).strftime("%Y%m%dT000000Z")
    return {
        "name": name,
        "kind": kind,
        "sources": [DEBIAN, f"{SNAPSHOT}/{moment}"],
        "root": "",
        "parts": [
            {"path": package.path, "sha256": package.sha256, "size_bytes": package.size_bytes}
            for package in packages
        ],
    }


def read_packages(suite: str) -> tuple[dict[str, Package], dict[str, list[str]]]:
    """All packages of a suite, and by whom names are provided."""
    index = lzma.decompress(fetch(f"{DEBIAN}/dists/{suite}/main/binary-amd64/Packages.xz")).decode()
    packages: dict[str, Package] = {}
    provided: dict[str, list[str]] = {}
    for paragraph in index.split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z0-9-]+): (.*)$", paragraph, re.MULTILINE))
        if not fields:
            continue
        needs = ", ".join(fields.get(field, "") for field in ("Pre-Depends", "Depends"))
        name = fields["Package"]
        packages[name] = Package(
            name,
            fields["Filename"],
            fields["SHA256"],
            int(fields["Size"]),
            [names(group.split("|")) for group in needs.split(",") if group.strip()],
        )
        for other in names(fields.get("Provides", "").split(",")):
            provided.setdefault(other, []).append(name)
    return packages, provided


def names(relations: Sequence[str]) -> list[str]:
    """The packages' names in relations such as `libc6 (>= 2.38)` and `python3:any`."""
    return [match[0] for text in relations if (match := re.match(r"[^\s:(]+", text.strip()))]


def blender_layer(version: str, python: str, requirement: str) -> dict[str, Any]:
    """The wheels of a Blender, as pip for its Python would choose them."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", requirement]
        platforms = [f"manylinux_2_{minor}_x86_64" for minor in range(36, 16, -1)]
        platforms += ["manylinux2014_x86_64", "manylinux1_x86_64"]
        tags = [word for platform in platforms for word in ("--platform", platform)]
        where = ["--target", folder, "--only-binary", ":all:", "--python-version", python, *tags]
        subprocess.run(
            [*command, "--ignore-installed", *where, "--report", str(report)], check=True
        )
        chosen = json.loads(report.read_text())["install"]
    wheels = [item["download_info"] for item in chosen if item["metadata"]["name"] != "Cython"]
    parts = [
        {
            "path": wheel["url"].removeprefix("https://files.pythonhosted.org/"),
            "sha256": wheel["archive_info"]["hashes"]["sha256"],
            "size_bytes": size_of(wheel["url"]),
        }
        for wheel in sorted(wheels, key=lambda wheel: wheel["url"].rsplit("/", 1)[1].lower())
    ]
    return {
        "name": f"blender {version}",
        "kind": "wheels",
        "sources": ["https://files.pythonhosted.org"],
        "root": f"usr/local/lib/python{python}/dist-packages",
        "parts": parts,
    }


def fetch(address: str) -> bytes:
    """The bytes at an address."""
    with urllib.request.urlopen(address, timeout=120) as answer:
        return answer.read()


def size_of(address: str) -> int:
    """How many bytes are at an address."""
    request = urllib.request.Request(address, method="HEAD")
    with urllib.request.urlopen(request, timeout=120) as answer:
        return int(answer.headers["Content-Length"])


if __name__ == "__main__":
    main()
