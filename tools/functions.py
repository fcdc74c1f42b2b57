"""What of the farm travels in the wheel: the zips of the stack's functions, and the test frame.

    python tools/functions.py

Zips are the same to the byte where what is in them is: their digests are their names in AWS.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
BINARIES = PROJECT / "build" / "functions"
DATA = PROJECT / "native" / "python" / "python" / "render_on_lambda" / "data"


def main() -> None:
    """Write the zips to where maturin takes them from."""
    DATA.mkdir(exist_ok=True)
    binary = "render-on-lambda-{}".format
    write(
        DATA / "setup.zip",
        {
            "bootstrap": BINARIES / binary("setup"),
            "consumer": BINARIES / binary("consumer"),
            "parts.json": PROJECT / "infra" / "image" / "parts.json",
        },
    )
    write(DATA / "producer.zip", {"bootstrap": BINARIES / binary("producer")})


def write(archive: Path, members: dict[str, Path]) -> None:
    """A zip for provided.al2023."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as opened:
        for name, source in sorted(members.items()):
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if source.suffix == "" else 0o100644) << 16
            opened.writestr(entry, source.read_bytes(), compresslevel=9)


if __name__ == "__main__":
    main()
