"""The commands of whoever looks after a farm: set it up, upgrade it, look at it, remove it."""

from __future__ import annotations

import re
import sys
import time
from typing import TYPE_CHECKING, TypeVar

from .. import (
    FarmRemoval,
    FarmSettings,
    FarmSetUp,
    FarmStatus,
    SetUpEvent,
    StackError,
    __version__,
    account_limits,
    farm_permissions,
    farm_policy,
    farm_status,
    known_profiles,
    quota,
    request_quota,
)
from ..test_frame import TestFrame
from .farm import farm_settings
from .output import (
    EXIT_FARM,
    EXIT_MISSING,
    EXIT_WRONG_USE,
    Reporter,
    count_text,
    size_text,
)

if TYPE_CHECKING:
    from argparse import Namespace

_POLL_SECONDS = 0.1
_STEPS = {
    "look": "looking at the account",
    "stack": "making the bucket, the queue and the roles",
    "code": "sending the functions",
    "functions": "making the functions and the renderer's image",
}
_STAGES = {"parts": "downloading Blender and its libraries", "layers": "storing the image"}

Work = TypeVar("Work", FarmSetUp, FarmRemoval)


def set_up(arguments: Namespace, reporter: Reporter) -> int:
    """Make the farm, or go on with it; then render a test frame."""
    settings = farm_settings(arguments)
    status = farm_status(settings)
    if arguments.upgrade and status.stack_status is None:
        raise StackError(f'there is no farm "{arguments.stack}" in {status.region}')
    _show_plan(arguments, status, settings, reporter)
    if not _agreed(arguments, reporter, "Set it up?"):
        return EXIT_WRONG_USE
    began = time.monotonic()
    _follow(FarmSetUp(settings, arguments.functions, dict(arguments.parameter)), reporter)
    seconds = time.monotonic() - began
    record: dict[str, object] = {"stack": arguments.stack, "seconds": round(seconds, 1)}
    text = f'the farm "{arguments.stack}" is set up, in {seconds:.0f} s'
    if arguments.no_test_frame:
        reporter.result(record, text)
        return 0
    began = time.monotonic()
    _render_test_frame(settings, reporter)
    seconds = time.monotonic() - began
    record["test_frame_seconds"] = round(seconds, 1)
    reporter.result(record, f"{text}, and a frame went through it in {seconds:.0f} s")
    return 0


def status(arguments: Namespace, reporter: Reporter) -> int:
    """Tell what there is of the farm."""
    found = farm_status(farm_settings(arguments))
    record = {
        "account": found.account,
        "identity": found.identity,
        "region": found.region,
        "stack_status": found.stack_status,
        "version": found.version,
        "has_functions": found.has_functions,
        "is_current": found.is_current,
        "parameters": found.parameters,
        "outputs": found.outputs,
    }
    reporter.result(record, _status_text(arguments.stack, found))
    if found.has_functions and not arguments.json:
        names = ("MaximumConcurrency", "BurstWorkers", "ConsumerMemory", "RetentionDays")
        values = (f"{name} {found.parameters.get(name, '?')}" for name in names)
        reporter.result(None, ", ".join(values))
    return 0 if found.has_functions else EXIT_FARM


def remove(arguments: Namespace, reporter: Reporter) -> int:
    """Delete the farm, with every frame in its bucket."""
    settings = farm_settings(arguments)
    found = farm_status(settings)
    if found.stack_status is None:
        raise StackError(f'there is no farm "{arguments.stack}" in {found.region}')
    reporter.note(
        f'the farm "{arguments.stack}" in {found.region} of the account {found.account} is deleted,'
        " with its bucket and every job and frame in it"
    )
    if not _agreed(arguments, reporter, "Delete all of it?"):
        return EXIT_WRONG_USE
    _follow(FarmRemoval(settings), reporter)
    text = f'the farm "{arguments.stack}" is removed; AWS has nothing of it any more'
    reporter.result({"stack": arguments.stack, "removed": True}, text)
    return 0


def policy(arguments: Namespace, reporter: Reporter) -> int:
    """Print the policy of a role."""
    text = farm_policy(farm_settings(arguments), arguments.role)
    # JSON either way.
    print(text, end="")
    reporter.end_bar()
    return 0


def check(arguments: Namespace, reporter: Reporter) -> int:
    """Tell what of a role's policy these credentials may do."""
    found = farm_permissions(farm_settings(arguments), arguments.role)
    records = [
        {
            "purpose": one.purpose,
            "action": one.action,
            "resource": one.resource,
            "allowed": one.is_allowed,
        }
        for one in found
    ]
    missing = [one for one in found if not one.is_allowed]
    if arguments.json:
        reporter.result(records, "")
        return EXIT_MISSING if missing else 0
    for purpose in dict.fromkeys(one.purpose for one in found):
        words = re.sub(r"(?<!^)(?=[A-Z])", " ", purpose).lower()
        without = [one for one in missing if one.purpose == purpose]
        reporter.result(None, f"{'MISSING' if without else 'allowed'}  {words}")
        for one in without:
            reporter.result(None, f"         {one.action} on {one.resource}")
    if missing:
        reporter.note(
            f"{len(missing)} of {count_text(len(found), 'action')} are missing; the policy is"
            f" printed by: render-on-lambda farm policy {arguments.role}"
        )
    return EXIT_MISSING if missing else 0


def profiles(_arguments: Namespace, reporter: Reporter) -> int:
    """List the profiles of this machine, and whether each can be used."""
    found = known_profiles()
    if reporter.machine:
        names = ("name", "region", "state")
        reporter.result([{name: getattr(one, name) for name in names} for one in found], "")
        return 0
    width = max((len(one.name) for one in found), default=0)
    for one in found:
        reporter.result(None, f"{one.name:{width}}  {one.state:10}  {one.region or ''}".rstrip())
    if not found:
        reporter.note("there are no profiles in ~/.aws: sign in with `render-on-lambda sign-in`")
    return 0


def show_quota(arguments: Namespace, reporter: Reporter) -> int:
    """Tell how many functions may run at once, and ask for more."""
    settings = farm_settings(arguments)
    if arguments.request:
        asked = request_quota(settings, arguments.request)
        reporter.note(f"AWS was asked for {arguments.request} concurrent executions: {asked}")
    found = quota(settings)
    record = {
        "concurrent_executions": found.concurrent_executions,
        "requested": found.requested,
        "request_status": found.request_status,
    }
    text = f"the account may run {found.concurrent_executions} functions at once"
    if found.requested:
        text += f"; {found.requested:.0f} were asked for: {found.request_status}"
    reporter.result(record, text)
    return 0


def _show_plan(
    arguments: Namespace, status: FarmStatus, settings: FarmSettings, reporter: Reporter
) -> None:
    reporter.note(f"{status.identity} in {status.region}, account {status.account}")
    if status.stack_status is None:
        plan = (
            f'the farm "{arguments.stack}" is made: a private bucket, two queues, the functions'
            " that render and that take jobs over HTTP with a role each, a container repository"
            " with the renderer's image (Blender, from PyPI and Debian), logs, and policies"
        )
    elif status.version and not status.is_current:
        plan = f'the farm "{arguments.stack}" is upgraded from {status.version} to {__version__}'
    else:
        plan = f'the farm "{arguments.stack}" is brought to what it should be'
    reporter.note(plan)
    limits = account_limits(settings)
    suggested = {
        "ConsumerMemory": str(limits.consumer_memory_mib),
        "MaximumConcurrency": str(limits.maximum_concurrency),
        "BurstWorkers": str(limits.burst_workers),
    }
    values = suggested | status.parameters | dict(arguments.parameter)
    at_once = f"{values['MaximumConcurrency']} frames at once by the queue"
    if values["BurstWorkers"] != "0":
        at_once += f" and {values['BurstWorkers']} called beside it"
    reporter.note(
        f"{at_once}, with {values['ConsumerMemory']} MB each"
        + ("; a new account has no more" if limits.is_of_a_new_account else "")
    )
    reporter.note(
        f"while nothing renders it costs about ${limits.idle_month_usd:.2f} a month for the image;"
        " the queue is polled some 650,000 times a month, of a million that are free, else $0.26;"
        f" a frame that takes a minute costs about ${limits.frame_minute_usd:.4f} with"
        f" {limits.consumer_memory_mib} MB"
    )


def _status_text(stack: str, found: FarmStatus) -> str:
    if found.stack_status is None:
        return f'there is no farm "{stack}" in {found.region} of the account {found.account}'
    state = found.stack_status.lower().replace("_", " ")
    text = f'the farm "{stack}" in {found.region} of the account {found.account}: {state}'
    if not found.has_functions:
        return f"{text}; it cannot render yet: render-on-lambda farm set-up goes on"
    if not found.is_current:
        text += f", of version {found.version}: render-on-lambda farm upgrade"
    return text


def _agreed(arguments: Namespace, reporter: Reporter, question: str) -> bool:
    if arguments.yes:
        return True
    if not sys.stdin.isatty():
        reporter.note("nobody can be asked here: say --yes")
        return False
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def _follow(work: Work, reporter: Reporter) -> None:
    """Show what happens until it is over."""
    done: set[str] = set()
    while not work.is_over:
        for event in work.poll():
            _show(event, done, reporter)
        time.sleep(_POLL_SECONDS)
    reporter.end_bar()


def _show(event: SetUpEvent, done: set[str], reporter: Reporter) -> None:
    match event.kind:
        case "step":
            reporter.note(f"{event.done} of {event.total}: {_STEPS[event.name]}")
        case "image" if event.name:
            text = f"{_STAGES[event.name]}: {size_text(event.done)} of {size_text(event.total)}"
            reporter.bar(event.done / max(event.total, 1), text)
        case "objects":
            reporter.bar(0.0, f"{event.done} objects of the bucket are deleted")
        case "resource" if event.status.endswith("_FAILED"):
            reporter.note(f"{event.name}: {event.status.lower().replace('_', ' ')}")
        case "resource" if event.status.endswith("_COMPLETE"):
            done.add(event.name)
            reporter.bar(0.0, f"{len(done)} resources are done, {event.name} the last")
        case _:
            pass


def _render_test_frame(settings: FarmSettings, reporter: Reporter) -> None:
    """Send a small frame through the queue and wait for it."""
    reporter.note("rendering a test frame")
    frame = TestFrame(settings)
    while not frame.is_over:
        for note in frame.poll():
            reporter.note(note)
        time.sleep(_POLL_SECONDS)
