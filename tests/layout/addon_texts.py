"""Every text of the add-on that an artist reads, as its source has it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

ADDON = Path(__file__).resolve().parents[2] / "addon"

# What Blender shows of a class, a property, a button or a dialog.
SHOWN_FIELDS = {"bl_label"}
SHOWN_ARGUMENTS = {"text", "name", "description", "placeholder", "title", "confirm_text"}
SHOWN_CONSTANTS = {"ENTRIES", "MOVIE", "NO_FARM", "COUNTED"}
CLASSES_WITH_TOOLTIPS = {"Operator"}
PROPERTIES = {"BoolProperty", "IntProperty", "StringProperty", "EnumProperty"}
# What the native module calls a simulation.
SIMULATIONS = (
    "cloth",
    "soft body",
    "particles",
    "hair dynamics",
    "dynamic paint",
    "fluid",
    "simulation nodes",
    "rigid body world",
)


def texts() -> set[str]:
    """All of them."""
    found = {text for path in sources() for text in texts_of(ast.parse(path.read_text()))}
    return {text for text in found | set(SIMULATIONS) if any(map(str.isalpha, text))}


def untranslatable() -> list[str]:
    """Where a text is put together before anybody could translate it."""
    return [
        f"{path.relative_to(ADDON)}:{node.lineno}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and any(map(is_put_together, shown_values(node)))
    ]


def sources() -> list[Path]:
    """The add-on's Python, but for what runs in another Blender or a terminal."""
    ours = (path for path in sorted(ADDON.rglob("*.py")) if not path.name.startswith("test_"))
    return [path for path in ours if path.name not in {"film_in_blender.py", "waiting.py"}]


def texts_of(tree: ast.Module) -> Iterator[str]:
    """The texts of one file."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="tr"), args=[first, *_]):
                yield from strings(first)
            case ast.Call():
                for value in shown_values(node):
                    yield from strings(value)
            case ast.ClassDef():
                yield from texts_of_class(node)
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in SHOWN_CONSTANTS:
                for one in filter(is_constant, ast.walk(value)):
                    # Names of operators and icons are no words.
                    yield from (text for text in strings(one) if not is_name(text))
            # A text is chosen first where one thing is said otherwise than several.
            case ast.Assign(targets=[ast.Name(id="text" | "lost")], value=value):
                yield from strings(value)


def texts_of_class(node: ast.ClassDef) -> Iterator[str]:
    """The name that Blender shows, and the tooltip."""
    bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
    if bases & CLASSES_WITH_TOOLTIPS and (tooltip := ast.get_docstring(node)):
        yield tooltip
    for item in node.body:
        match item:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in SHOWN_FIELDS:
                yield from strings(value)


def shown_values(call: ast.Call) -> Iterator[ast.expr]:
    """What of a call is shown."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    is_property = isinstance(call.func, ast.Name) and call.func.id in PROPERTIES
    is_of_layout = name in {"label", "operator", "progress", "prop"}
    is_dialog = name in {"invoke_confirm", "invoke_props_dialog"}
    is_button = isinstance(call.func, ast.Name) and call.func.id in {"job_button", "draw_setting"}
    if is_property or is_of_layout or is_dialog or is_button:
        yield from (one.value for one in call.keywords if one.arg in SHOWN_ARGUMENTS)
    if is_property:
        yield from shown_items(call)
    if isinstance(call.func, ast.Name) and call.func.id == "draw_setting":
        yield from call.args[1:3]
    if isinstance(call.func, ast.Name) and call.func.id in {"CannotRender", "Answer"}:
        yield from call.args[:1]
    if name == "report":
        yield from call.args[1:2]


def shown_items(call: ast.Call) -> Iterator[ast.expr]:
    """The names and tooltips of what can be chosen, where anybody sees them."""
    arguments = {one.arg: one.value for one in call.keywords}
    is_hidden = "options" in arguments and "HIDDEN" in ast.unparse(arguments["options"])
    items = None if is_hidden else arguments.get("items")
    for item in items.elts if isinstance(items, ast.Tuple) else ():
        yield from item.elts[1:3] if isinstance(item, ast.Tuple) else ()


def strings(value: ast.expr) -> Iterator[str]:
    """The literal texts that a value may be; those of tr are found there."""
    match value:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=body, orelse=orelse):
            yield from strings(body)
            yield from strings(orelse)


def is_constant(node: ast.AST) -> TypeGuard[ast.Constant]:
    """For the type checker."""
    return isinstance(node, ast.Constant)


def is_name(text: str) -> bool:
    """Whether a text is the name of an operator, an icon or a count, and no words."""
    return re.fullmatch(r"[A-Z_]{4,}|[a-z_ ]+", text) is not None


def is_put_together(value: ast.expr) -> bool:
    """Whether a value is an f-string with words in it."""
    parts = value.values if isinstance(value, ast.JoinedStr) else []
    literal = "".join(str(one.value) for one in parts if isinstance(one, ast.Constant))
    return any(map(str.isalpha, literal))
