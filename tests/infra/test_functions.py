"""The functions start on the systems that they are for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(PROJECT / "tools"))

from strict_front.glibc import newest_glibc  # noqa: E402


@pytest.mark.parametrize("name", ["consumer", "producer", "setup"])
def test_a_function_asks_for_no_newer_glibc_than_2_28(name: str) -> None:
    """provided.al2023 has 2.34, Debian 10 and RHEL 8, where --poll may run, 2.28."""
    binary = (PROJECT / "build" / "functions" / f"render-on-lambda-{name}").read_bytes()
    assert (2, 0) < newest_glibc(binary) <= (2, 28)
