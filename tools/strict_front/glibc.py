"""The versions of glibc that a binary asks for, read from its ELF (elf(5))."""

from __future__ import annotations

import io

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

NONE = (0, 0)


def newest_glibc(binary: bytes) -> tuple[int, ...]:
    """The newest version of glibc that a binary needs; (0, 0) where it needs none, or is none."""
    try:
        elf = ELFFile(io.BytesIO(binary))
    except ELFError:
        return NONE
    newest: tuple[int, ...] = NONE
    for section in elf.iter_sections():
        if not isinstance(section, GNUVerNeedSection):
            continue
        for _, needs in section.iter_versions():
            for need in needs:
                name, _, version = need.name.partition("_")
                if name == "GLIBC" and version[:1].isdigit():
                    newest = max(newest, tuple(map(int, version.split("."))))
    return newest
