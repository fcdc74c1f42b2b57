"""The invariants of ARCHITECTURE.md, where a check can keep them."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent

# What each crate may depend on of ours.
OURS = {
    "native/protocol": set(),
    "native/blendfile": set(),
    "native/scene": {"blendfile", "protocol"},
    "native/farm": {"protocol", "scene", "frames", "plan"},
    "native/frames": set(),
    "native/plan": set(),
    "native/preview": set(),
    "native/python": {"protocol", "scene", "farm", "frames", "preview"},
    "consumer": {"protocol", "farm", "frames", "plan"},
    "producer": {"protocol", "farm"},
}


def dependencies(crate: str) -> set[str]:
    """The dependencies that a crate ships with."""
    manifest = tomllib.loads((PROJECT / crate / "Cargo.toml").read_text())
    return set(manifest["dependencies"])


@pytest.mark.parametrize("crate", OURS)
def test_a_crate_depends_only_on_what_is_below_it(crate: str) -> None:
    ours = dependencies(crate) & {one.rpartition("/")[2] for one in OURS}
    assert ours <= OURS[crate]


def test_only_the_binding_knows_python_and_only_the_farm_and_its_users_know_aws() -> None:
    assert [crate for crate in OURS if "pyo3" in dependencies(crate)] == ["native/python"]
    for crate in OURS:
        if "farm" in OURS[crate] or crate == "native/farm":
            continue
        assert not any(name.startswith("aws") for name in dependencies(crate)), crate


def test_the_core_of_the_add_on_never_imports_bpy() -> None:
    for path in (PROJECT / "addon" / "core").glob("*.py"):
        assert imports(path).isdisjoint({"bpy", "render_on_lambda"}), path


def test_only_tool_imports_the_native_module_at_run_time() -> None:
    for path in (PROJECT / "addon").rglob("*.py"):
        if "render_on_lambda" in imports(path):
            assert path.parent.name == "tool", path


def test_panels_call_no_operator_and_open_no_file() -> None:
    drawn = {"panels.py", "details.py", "lists.py", "drawing.py", "preferences.py"}
    for path in (PROJECT / "addon" / "ui").rglob("*.py"):
        if path.name in drawn:
            assert not re.search(r"bpy\.ops|open\(|Path\(", path.read_text()), path


def test_no_file_of_the_add_on_is_long() -> None:
    for path in (PROJECT / "addon").rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 300, path


def test_no_secret_and_no_path_of_a_machine_is_in_the_repository() -> None:
    pattern = re.compile(
        r"AKIA(?!IOSFODNN7EXAMPLE)[0-9A-Z]{16}|aws_secret_access_key\s*=\s*['\"]?[A-Za-z0-9/+]{40}"
    )
    for path in PROJECT.rglob("*"):
        parts = path.relative_to(PROJECT).parts
        if parts[0] in {"target", ".tools", ".git", "build", "demo-output"} or not path.is_file():
            continue
        found = pattern.search(path.read_text(errors="ignore"))
        assert not found, f"{path}: {found and found[0]}"


def imports(path: Path) -> set[str]:
    """The top packages that a module imports when it runs (not for type checkers alone)."""
    found: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(path.read_text())]
    while waiting:
        node = waiting.pop()
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                continue
            case ast.Import():
                found |= {alias.name.split(".")[0] for alias in node.names}
            case ast.ImportFrom(module=str(module), level=0):
                found.add(module.split(".")[0])
        waiting.extend(ast.iter_child_nodes(node))
    return found
