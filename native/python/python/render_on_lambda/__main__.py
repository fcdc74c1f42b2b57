"""The command line: `render-on-lambda COMMAND …`.

Exit codes: 0 done · 1 files that the scene needs are missing, or do not resolve, or simulations
are not baked · 2 wrong use · 3 a file cannot be read or written, or is no sound .blend file · 4 the
farm cannot be used · 5 frames failed · 130 interrupted.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from . import FarmError, __version__
from .command_line import administration, farm, local, signing_in
from .command_line.output import EXIT_FARM, EXIT_UNREADABLE, Reporter
from .test_frame import DATA

EXIT_INTERRUPTED = 130
# Blender's bound of a frame's number, either side of zero.
_MOST_FRAMES = 1_048_574
_CODES = (
    "Exit codes: 0 done, 1 needed files missing or simulations not baked, 2 wrong use, 3 a file"
    " cannot be read or written, 4 the farm cannot be used, 5 frames failed, 130 interrupted."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; gives its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A pipe on Windows takes no more than its code page, and paths hold any letter.
            stream.reconfigure(errors="backslashreplace")
    parsed = parser().parse_args(arguments)
    reporter = Reporter(machine=parsed.json)
    try:
        return parsed.run(parsed, reporter)
    except BrokenPipeError:
        # Whoever reads has had enough, as `head` has; nothing is to be written at the exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (FarmError, ConnectionError) as error:
        reporter.note(str(error))
        return EXIT_FARM
    except (OSError, ValueError) as error:
        reporter.note(str(error))
        return EXIT_UNREADABLE
    except KeyboardInterrupt:
        reporter.note(parsed.interrupted)
        return EXIT_INTERRUPTED


def parser() -> argparse.ArgumentParser:
    """What the command line takes."""
    command_line = argparse.ArgumentParser(
        prog="render-on-lambda", description="Blender scenes on AWS Lambda.", epilog=_CODES
    )
    command_line.add_argument("--version", action="version", version=__version__)
    commands = command_line.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, help_text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name, help=help_text, description=help_text.capitalize() + ".", epilog=_CODES
        )
        added.add_argument("--json", action="store_true", help="for machines")
        added.set_defaults(run=run, interrupted="interrupted")
        return added

    tracing = command("trace", local.trace, "list the files behind a scene, through libraries too")
    _add_file(tracing)
    packing = command("pack", local.pack, "write a scene with all its files to one place")
    _add_file(packing)
    packing.add_argument(
        "--to", type=Path, required=True, metavar="DIR|ZIP", help="a new folder, or a .zip"
    )
    _add_allow_missing(packing)
    packing.add_argument(
        "--frames",
        type=_frames,
        metavar="A-B[:STEP]",
        help="take of image sequences only what these frames show",
    )
    verifying = command("verify", local.verify, "open the pack with Blender; list what it misses")
    _add_file(verifying)
    verifying.add_argument("--blender", type=Path, help="the program (the one on the PATH)")
    verifying.add_argument("--scene", help="its name (the active one)")
    verifying.add_argument("--allow-scripts", action="store_true", help="its Python may run")
    verifying.add_argument(
        "--limit-seconds",
        type=_up_to(86_400),
        default=600,
        metavar="N",
        help="how long it may take (600)",
    )
    _add_farm_commands(command, commands)
    return command_line


def _add_farm_commands(command, commands) -> None:
    submitting = command("submit", farm.submit, "render a scene on the farm")
    submitting.set_defaults(interrupted="interrupted; the same command goes on where it was")
    _add_file(submitting)
    submitting.add_argument("--scene", help="its name (the active one)")
    submitting.add_argument(
        "--frames", type=_frames, metavar="A-B[:STEP]", help="such as 1-24 or 1-100:2 (the scene's)"
    )
    submitting.add_argument("--name", help="what people call the job (the file's name)")
    submitting.add_argument("--job", help="go on with a submission that was interrupted")
    submitting.add_argument("--allow-scripts", action="store_true", help="let its Python run")
    _add_allow_missing(submitting)
    submitting.add_argument(
        "--allow-unbaked", action="store_true", help="go on although simulations are not baked"
    )
    submitting.add_argument(
        "--allow-other-blender",
        action="store_true",
        help="although the farm has a newer Blender than the scene's",
    )
    submitting.add_argument(
        "--slices",
        type=int,
        metavar="COUNT",
        help="split each frame of Cycles, for as many workers at the same time; 1 for none"
        " (what takes too long for one)",
    )
    submitting.add_argument(
        "--allow-other-noise",
        action="store_true",
        help="split what has other noise then, of the same quality: path guiding, volumes",
    )
    submitting.add_argument("--watch", action="store_true", help="follow it and fetch its frames")
    watching = command("watch", farm.watch, "follow a job and fetch its frames")
    fetching = command("fetch", farm.fetch, "fetch the frames that are done")
    retrying = command("retry", farm.retry, "render frames again that failed")
    retrying.add_argument(
        "--missing", action="store_true", help="those too that the queue has lost"
    )
    pausing = command("pause", farm.pause, "begin no frame of a job any more")
    resuming = command("resume", farm.resume, "let a paused job go on")
    for added in (retrying, resuming):
        added.add_argument("--watch", action="store_true", help="follow it and fetch its frames")
    cancelling = command("cancel", farm.cancel, "stop a job")
    removing = command("remove", farm.remove, "cancel a job and delete it from the bucket")
    listing = command("jobs", farm.jobs, "list the newest jobs")
    listing.add_argument(
        "--limit", type=_up_to(1_000_000), default=20, metavar="N", help="how many (20)"
    )
    signing = command("sign-in", signing_in.sign_in, "sign in to AWS; all its tools share it")
    _add_sign_in(signing)
    administering = _add_administration(commands)
    of_a_job = (watching, fetching, retrying, pausing, resuming, cancelling, removing)
    for added in of_a_job:
        added.add_argument("job", metavar="JOB", type=_job_id, help="the job's id")
    for added in (submitting, watching, fetching, retrying, resuming):
        added.add_argument(
            "--to",
            type=Path,
            default=Path("render"),
            metavar="DIR",
            help="where frames go (render)",
        )
    for added in (submitting, *of_a_job, listing, signing, *administering):
        added.add_argument("--stack", default="render-on-lambda", help="(render-on-lambda)")
        added.add_argument("--region", help="(the profile's)")
        added.add_argument("--profile", help="in ~/.aws (the SDK's default chain)")
        added.add_argument("--endpoint", help="for an emulator on this machine")


def _add_sign_in(signing: argparse.ArgumentParser) -> None:
    signing.add_argument(
        "--company",
        metavar="URL",
        help="by this IAM Identity Center (the profile's, if any)",
    )
    signing.add_argument("--company-region", metavar="REGION", help="the region that it is in")
    signing.add_argument(
        "--role", metavar="ACCOUNT/ROLE", help="which one, where a company offers several"
    )
    signing.add_argument("--no-browser", action="store_true", help="only print the page's address")
    signing.add_argument(
        "--access-key", action="store_true", help="ask for a key, and keep it in the keychain"
    )
    signing.add_argument(
        "--forget-access-key", action="store_true", help="take it out of the keychain"
    )


def _add_administration(commands) -> list[argparse.ArgumentParser]:
    farming = commands.add_parser("farm", help="set up and look after the farm", epilog=_CODES)
    below = farming.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, help_text: str) -> argparse.ArgumentParser:
        added = below.add_parser(
            name, help=help_text, description=help_text.capitalize() + ".", epilog=_CODES
        )
        added.add_argument("--json", action="store_true", help="for machines")
        added.set_defaults(
            run=run, interrupted="interrupted; the same command goes on where it was"
        )
        return added

    setting_up = command("set-up", administration.set_up, "make the farm, or go on with it")
    upgrading = command(
        "upgrade", administration.set_up, "bring the farm to this version; jobs in flight finish"
    )
    for added in (setting_up, upgrading):
        added.set_defaults(upgrade=added is upgrading)
        added.add_argument(
            "--parameter",
            type=_parameter,
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="one of the template's, such as AlarmEmail=anna@example.com",
        )
        added.add_argument("--no-test-frame", action="store_true", help="render none at the end")
        added.add_argument(
            "--functions",
            type=Path,
            default=DATA,
            metavar="DIR",
            help="the folder with the functions' zips (those of this version)",
        )
    removing = command("remove", administration.remove, "delete the farm and all that it holds")
    for added in (setting_up, upgrading, removing):
        added.add_argument("--yes", action="store_true", help="ask nothing")
    telling = command("status", administration.status, "tell what there is of the farm")
    printing = command("policy", administration.policy, "print the IAM policy that a role needs")
    checking = command(
        "check", administration.check, "tell what of it these credentials may do, and what not"
    )
    printing.add_argument("role", choices=("administrator", "artist", "consumer"))
    checking.add_argument("role", choices=("administrator", "artist"), nargs="?", default="artist")
    asking = command("quota", administration.show_quota, "tell how many functions may run at once")
    asking.add_argument(
        "--request", type=_up_to(1_000_000), metavar="N", help="ask AWS for as many"
    )
    command("profiles", administration.profiles, "list the profiles of this machine")
    suiting = command("parameters", farm.parameters, "the parameters that suit the account")
    return [setting_up, upgrading, removing, telling, printing, checking, asking, suiting]


def _add_file(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path, metavar="FILE", help="the .blend file")


def _add_allow_missing(command: argparse.ArgumentParser) -> None:
    command.add_argument("--allow-missing", action="store_true", help="although files are missing")


def _frames(text: str) -> tuple[int, int, int]:
    found = re.fullmatch(r"(-?\d+)(?:-(-?\d+))?(?::(\d+))?", text)
    if not found:
        raise argparse.ArgumentTypeError(f"expected A-B or A-B:STEP, got {text!r}")
    first, last, step = (int(group) if group else None for group in found.groups())
    frames = first or 0, first or 0 if last is None else last, 1 if step is None else step
    if max(abs(frames[0]), abs(frames[1]), frames[2]) > _MOST_FRAMES or frames[2] < 1:
        raise argparse.ArgumentTypeError(f"expected frames of Blender, got {text!r}")
    if frames[1] < frames[0]:
        raise argparse.ArgumentTypeError(f"expected a last frame not before the first: {text!r}")
    return frames


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isalnum():
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, got {text!r}")
    return name, value


def _up_to(most: int) -> Callable[[str], int]:
    """Takes a whole number above zero."""

    def number(text: str) -> int:
        if len(text) > 9 or not text.isdecimal() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"expected 1 to {most}, got {text!r}")
        return int(text)

    return number


def _job_id(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        message = f"{text!r} is no job's id: `render-on-lambda jobs` lists them"
        raise argparse.ArgumentTypeError(message) from None


if __name__ == "__main__":
    sys.exit(main())
