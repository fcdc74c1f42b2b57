"""No file imports, over however many others, itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent

RUST = ["native/blendfile", "native/scene", "native/protocol", "native/farm", "native/python"]
RUST += [
    "native/account",
    "native/frames",
    "native/preview",
    "native/sign_in",
    "consumer",
    "producer",
    "setup",
]
PYTHON = ["addon", "bench", "consumer/worker", "native/python/python", "tools"]

Imports = dict[Path, set[Path]]


def circle(imports: Imports) -> list[Path]:
    """One circle of imports; empty where there is none."""
    done: set[Path] = set()

    def visit(path: Path, way: list[Path]) -> list[Path]:
        if path in way:
            return [*way[way.index(path) :], path]
        if path in done:
            return []
        for imported in sorted(imports.get(path, set())):
            if found := visit(imported, [*way, path]):
                return found
        done.add(path)
        return []

    for path in sorted(imports):
        if found := visit(path, []):
            return found
    return []


def rust_modules(source: Path) -> dict[tuple[str, ...], Path]:
    """The file of each module below a crate's `src`."""
    modules = {}
    for path in source.rglob("*.rs"):
        parts = path.relative_to(source).with_suffix("").parts
        if parts in {("lib",), ("main",)}:
            parts = ()
        elif parts[-1] == "mod":
            parts = parts[:-1]
        modules[parts] = path
    return modules


def without_tests_and_comments(text: str) -> str:
    text = re.sub(r"//.*", "", text)
    return text.split("#[cfg(test)]")[0]


def expanded(path: str) -> Iterator[str]:
    """`a::{b, c::{d}}` is `a::b` and `a::c::d`."""
    path = re.sub(r"\s+", "", path)
    if "{" not in path:
        yield path
        return
    head, rest = path.split("{", 1)
    depth, item = 0, ""
    for letter in rest[: rest.rindex("}")] + ",":
        if letter == "," and depth == 0:
            if item:
                yield from expanded(head + item)
            item = ""
            continue
        depth += {"{": 1, "}": -1}.get(letter, 0)
        item += letter


def rust_imports(crate: Path) -> Imports:
    """What each file of a crate names of the others: in `use`, or by its whole path."""
    modules = rust_modules(crate / "src")
    imports: Imports = {}
    for module, path in modules.items():
        text = without_tests_and_comments(path.read_text())
        named = re.findall(r"(?<![\w:])((?:crate|super)::[\w:]*(?:\{[^;]*\})?)", text)
        found = set()
        for name in (one for names in named for one in expanded(names)):
            parts = tuple(part for part in name.split(" as ")[0].split("::") if part)
            base = module
            if parts[0] == "crate":
                base, parts = (), parts[1:]
            while parts and parts[0] == "super":
                base, parts = base[:-1], parts[1:]
            whole = base + parts
            # The longest part of the path that is a module; what follows is a name in it.
            while whole not in modules:
                whole = whole[:-1]
            found.add(modules[whole])
        imports[path] = found - {path}
    return imports


def python_imports(folder: Path) -> Imports:
    """What each module below a folder imports of the others when it runs."""
    files = {
        path for path in folder.rglob("*.py") if not path.name.startswith(("test_", "conftest"))
    }
    imports: Imports = {}
    for path in files:
        found: set[Path] = set()
        waiting: list[ast.AST] = [ast.parse(path.read_text())]
        while waiting:
            node = waiting.pop()
            if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
                continue
            if isinstance(node, ast.Import):
                found |= {folder / f"{alias.name.replace('.', '/')}.py" for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                base = path.parents[node.level - 1] if node.level else folder
                module = base / (node.module or "").replace(".", "/")
                found |= {module.with_suffix(".py"), module / "__init__.py"}
                found |= {module / f"{alias.name}.py" for alias in node.names}
            waiting.extend(ast.iter_child_nodes(node))
        # A package's own file lists what is in it.
        imports[path] = {one for one in found & files if one.name != "__init__.py"} - {path}
    return imports


@pytest.mark.parametrize("crate", RUST)
def test_no_circle_of_imports_in_rust(crate: str) -> None:
    found = circle(rust_imports(PROJECT / crate))
    assert not found, " -> ".join(str(path.relative_to(PROJECT)) for path in found)


@pytest.mark.parametrize("folder", PYTHON)
def test_no_circle_of_imports_in_python(folder: str) -> None:
    found = circle(python_imports(PROJECT / folder))
    assert not found, " -> ".join(str(path.relative_to(PROJECT)) for path in found)


def test_a_circle_is_found(tmp_path: Path) -> None:
    source = tmp_path / "src"
    (source / "walk").mkdir(parents=True)
    (source / "lib.rs").write_text("mod trace;\nmod walk;\npub use trace::Trace;\n")
    (source / "trace.rs").write_text("use crate::walk::{found::Found, Walk};\n")
    (source / "walk" / "mod.rs").write_text("pub(crate) mod found;\n")
    (source / "walk" / "found.rs").write_text("fn look() -> super::super::trace::Trace {}\n")
    names = [path.name for path in circle(rust_imports(tmp_path))]
    assert names == ["trace.rs", "found.rs", "trace.rs"] or names == [
        "found.rs",
        "trace.rs",
        "found.rs",
    ]


def test_a_circle_in_python_is_found_and_one_for_type_checkers_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import b\n")
    (tmp_path / "b.py").write_text("if TYPE_CHECKING:\n    import a\n")
    assert circle(python_imports(tmp_path)) == []
    (tmp_path / "b.py").write_text("def later():\n    from a import name\n")
    assert circle(python_imports(tmp_path))
