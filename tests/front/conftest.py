"""MiniStack behind the strict front, without a stack."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "tools"))

from local_farm import LocalFarm, bare_farm  # noqa: E402

BUCKET = "a-bucket"


@pytest.fixture(scope="session")
def farm() -> Iterator[LocalFarm]:
    with bare_farm() as running:
        running.client("s3").create_bucket(Bucket=BUCKET)
        yield running


@pytest.fixture
def s3(farm: LocalFarm) -> Any:
    """S3 through the front."""
    return farm.front_client("s3")
