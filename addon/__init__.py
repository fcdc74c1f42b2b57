"""Render on Lambda: renders the open scene on AWS Lambda and brings the frames back."""

from .tool import command_line, image_label, language, timer
from .ui.farm import operators as farm_operators
from .ui.farm import preferences, sign_in
from .ui.jobs import farm_operators as farm_job_operators
from .ui.jobs import lists, results
from .ui.jobs import operators as job_operators
from .ui.jobs import panels as job_panels
from .ui.render import below_engine, operators, panels, properties

_MODULES = (
    language,
    properties,
    preferences,
    sign_in,
    operators,
    job_operators,
    results,
    farm_job_operators,
    farm_operators,
    lists,
    below_engine,
    panels,
    job_panels,
    command_line,
    image_label,
    timer,
)


def register() -> None:
    """Called by Blender when the extension is enabled."""
    for module in _MODULES:
        module.register()


def unregister() -> None:
    """Called by Blender when the extension is disabled; the reverse of register."""
    for module in reversed(_MODULES):
        module.unregister()
