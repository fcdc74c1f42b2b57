"""Python of a scene that may not run, and what of it a frame would have needed.

Blender leaves it out, renders what was saved, and says so to nobody who is not looking.
"""

import ast

import bpy

from .scene_errors import SceneError

# What an expression may name without *Run Scripts* (`bpy_driver.cc`, Blender 5.2, whose list holds
# the names of `math` and these of Python's own).
_HARMLESS = """
all any bool float int len max min pow round sum acos acosh asin asinh atan atan2 atanh cbrt
ceil comb copysign cos cosh degrees dist e erf erfc exp exp2 expm1 fabs factorial floor fma
fmod frexp fsum gamma gcd hypot inf isclose isfinite isinf isnan isqrt lcm ldexp lerp lgamma
log log10 log1p log2 modf nan nextafter perm pi prod radians remainder sin sinh sqrt sumprod
tan tanh tau trunc ulp clamp smoothstep frame bpy depsgraph noise __debug__
"""
HARMLESS_NAMES = frozenset(_HARMLESS.split())

# What Blender refuses to evaluate without *Run Scripts*, whatever it names.
REFUSED = (
    ast.Attribute,
    ast.Lambda,
    ast.GeneratorExp,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.JoinedStr,
    ast.NamedExpr,
    ast.Slice,
    ast.Await,
    ast.Yield,
    ast.YieldFrom,
)

# Properties that mean something to an editor only.
OF_EDITORS = (
    "hide_viewport", "hide_select", "show_viewport", "show_in_editmode", "display_type",
    "show_on_cage", "show_name", "empty_display_size", "display_size", "passepartout_alpha",
    "is_visible", "custom_shape_scale_xyz", "custom_shape_translation",
    "custom_shape_rotation_euler", "custom_shape_wire_width",
)  # fmt: skip

# How many drivers are named; more are counted.
MOST_NAMED = 5


class DisabledScripts:
    """Watches a render for Python that it would have needed."""

    def __init__(self) -> None:
        self._found = {}

    def begin(self, scene) -> None:
        """Before each frame: a file takes its handlers along."""
        self._found = {}
        # Those of strips, which are evaluated for the editors alone.
        self._look_at(scene)
        # What opening a file evaluates for its editors may be nothing to a frame.
        self._had_failed = bpy.app.autoexec_fail
        handlers = bpy.app.handlers.frame_change_post
        if self._look not in handlers:
            handlers.append(self._look)

    def raise_found(self) -> None:
        """After each frame."""
        found = list(self._found)
        if not found and bpy.app.autoexec_fail and not self._had_failed:
            found = [bpy.app.autoexec_fail_message]
        if found:
            more = len(found) - MOST_NAMED
            named = ", ".join(found[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
            raise SceneError(
                f"the frame needs Python, which may not run ({named}): tick Run Scripts, or submit"
                " with --allow-scripts"
            )

    def _look(self, _scene, depsgraph) -> None:
        # That of the editors holds what no frame needs.
        if depsgraph.mode != "RENDER":
            return
        for name in style_modules(depsgraph.scene, depsgraph.view_layer):
            self._found[f'the Freestyle style module "{name}"'] = True
        for datablock in depsgraph.ids:
            self._look_at(datablock.original)

    def _look_at(self, datablock) -> None:
        animation = getattr(datablock, "animation_data", None)
        for curve in animation.drivers if animation else ():
            if is_disabled(curve):
                where = f"{datablock.name}: {curve.data_path} = {curve.driver.expression}"
                self._found[f"the driver {where}"] = True


def style_modules(scene, layer) -> list[str]:
    """The Python of a view layer's lines."""
    settings = layer.freestyle_settings
    is_scripted = settings.mode == "SCRIPT" and layer.use_freestyle and scene.render.use_freestyle
    modules = settings.modules if is_scripted else ()
    return [module.script.name for module in modules if module.use and module.script]


def is_disabled(curve) -> bool:
    """Whether a driver is an expression that Blender does not evaluate without *Run Scripts*."""
    driver = curve.driver
    if driver.type != "SCRIPTED" or curve.mute or driver.is_simple_expression:
        return False
    if is_of_editors(curve.data_path):
        return False
    return needs_scripts(driver.expression, {variable.name for variable in driver.variables})


def is_of_editors(path: str) -> bool:
    """Whether no frame shows what a property does."""
    owner, _, name = path.rpartition(".")
    # A bone that is hidden moves what it moves, and frames subdivide by `render_levels`.
    is_of_bone = name == "hide" and "bones[" in owner
    is_of_viewport = name == "levels" and owner.startswith("modifiers[")
    return name in OF_EDITORS or is_of_bone or is_of_viewport


def needs_scripts(expression: str, variables) -> bool:
    """Whether Blender evaluates an expression only with *Run Scripts*."""
    try:
        nodes = list(ast.walk(ast.parse(expression.strip(), mode="eval")))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # Broken with scripts and without them.
        return False
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return any(isinstance(node, REFUSED) for node in nodes) or bool(
        names - HARMLESS_NAMES - set(variables)
    )
