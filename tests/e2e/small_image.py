"""An image of a few files, for tests of who makes it: its parts, and who serves them."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PYTHON_PACKAGES = "usr/local/lib/python3.13/dist-packages"
LIBRARY = b"a library" * 1000


def make_parts(folder: Path) -> bytes:
    """A package and a wheel in a folder; the list of parts that names them."""
    package = debian_package({"./usr/lib/libx.so": LIBRARY, "./usr/share/doc/x/copyright": b"all"})
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bpy/__init__.py", "import numpy")
        archive.writestr("bpy/5.2/datafiles/locale/de.mo", "left out")
    layers = []
    for name, kind, root, path, content in (
        ("system", "debian", "", "pool/x_1_amd64.deb", package),
        ("blender 5.2", "wheels", PYTHON_PACKAGES, "packages/bpy-5.2.whl", wheel.getvalue()),
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
        part = {
            "path": path,
            "sha256": hashlib.sha256(content).hexdigest(),
            "size_bytes": len(content),
        }
        # Nobody listens there: the mirror has to be asked.
        layer = {"name": name, "kind": kind, "root": root, "sources": ["http://127.0.0.1:9"]}
        layers.append(layer | {"parts": [part]})
    return json.dumps({"layers": layers}).encode()


def debian_package(files: dict[str, bytes]) -> bytes:
    """A package with these files (deb(5))."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:xz") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
        link = tarfile.TarInfo("./lib")
        link.type, link.linkname = tarfile.SYMTYPE, "usr/lib"
        archive.addfile(link)
    package = b"!<arch>\n"
    for name, content in (("debian-binary", b"2.0\n"), ("data.tar.xz", data.getvalue())):
        head = f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n"
        package += head.encode() + content + b"\n" * (len(content) % 2)
    return package


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A web server with the files of a folder; its address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
