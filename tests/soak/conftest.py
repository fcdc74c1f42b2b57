"""What takes too long for every change; the scenes are those of the consumer's tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny scenes."""
    folder = tmp_path_factory.mktemp("scenes")
    script = PROJECT / "tests" / "fixtures" / "consumer_scenes.py"
    subprocess.run(
        [sys.executable, "-W", "ignore", str(script), str(folder)],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return folder
