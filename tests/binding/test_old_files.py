"""Files of old versions of Blender, built by hand."""

from __future__ import annotations

import struct
from pathlib import Path

import render_on_lambda as native

PATH_BYTES = 240
NAME_BYTES = 72


def strings(texts: list[str]) -> bytes:
    packed = struct.pack("<I", len(texts)) + b"".join(text.encode() + b"\0" for text in texts)
    return packed + b"\0" * (-len(packed) % 4)


def block(code: bytes, address: int, structure: int, payload: bytes) -> bytes:
    return code + struct.pack("<IQII", len(payload), address, structure, 1) + payload


def library_file(name: bytes, filepath: bytes) -> bytes:
    """A file of Blender 2.79 with one library, and no scene.

    `struct ID { char name[72]; }`, `struct Library { ID id; char name[240], filepath[240]; }`
    """
    size = NAME_BYTES + 2 * PATH_BYTES
    members = [f"name[{NAME_BYTES}]", "id", f"name[{PATH_BYTES}]", f"filepath[{PATH_BYTES}]"]
    dna = b"SDNANAME" + strings(members) + b"TYPE" + strings(["char", "ID", "Library"])
    sizes = struct.pack("<3H", 1, NAME_BYTES, size)
    dna += b"TLEN" + sizes + b"\0" * (-len(sizes) % 4)
    dna += b"STRC" + struct.pack("<I2H2H2H6H", 2, 1, 1, 0, 0, 2, 3, 1, 1, 0, 2, 0, 3)
    library = b"LIset.blend".ljust(NAME_BYTES, b"\0")
    library += name.ljust(PATH_BYTES, b"\0") + filepath.ljust(PATH_BYTES, b"\0")
    return (
        b"BLENDER-v279"
        + block(b"LI\0\0", 11, 1, library)
        + block(b"DNA1", 1, 0, dna)
        + block(b"ENDB", 0, 0, b"")
    )


def test_a_library_is_where_it_was_written_and_not_where_it_lay_on_another_disk(
    tmp_path: Path,
) -> None:
    elsewhere = tmp_path / "home of another artist" / "set.blend"
    beside = tmp_path / "show" / "set.blend"
    for place in (elsewhere, beside):
        place.parent.mkdir()
        place.write_bytes(library_file(b"//none.blend", b""))
    scene = tmp_path / "show" / "shot.blend"
    scene.write_bytes(library_file(b"//set.blend", bytes(elsewhere)))
    (library,) = [item for item in native.trace(scene) if item.kind == "library"]
    assert (library.path, library.written, library.missing) == (beside, b"//set.blend", False)
