"""The command that signs a profile in: by the browser, by a company, or with an access key."""

from __future__ import annotations

import getpass
import os
import sys
import time
import webbrowser
from typing import TYPE_CHECKING

from .. import SignIn, SignInEvent, forget_access_key, keep_access_key
from .farm import farm_settings
from .output import EXIT_WRONG_USE, Reporter

if TYPE_CHECKING:
    from argparse import Namespace

_POLL_SECONDS = 0.1


def sign_in(arguments: Namespace, reporter: Reporter) -> int:
    """Sign the profile in."""
    profile = arguments.profile or os.environ.get("AWS_PROFILE") or "default"
    if arguments.forget_access_key:
        forget_access_key(farm_settings(arguments))
        reporter.result({"profile": profile}, f"the keychain has no key of {profile} any more")
        return 0
    if arguments.access_key:
        _keep_key(arguments)
        reporter.result({"profile": profile}, f"the keychain has the key of {profile}")
        return 0
    if arguments.company and not arguments.company_region:
        reporter.note("--company needs --company-region: where its IAM Identity Center is")
        return EXIT_WRONG_USE
    company = (arguments.company, arguments.company_region) if arguments.company else None
    role = tuple(arguments.role.split("/", 1)) if arguments.role else None
    if role is not None and len(role) != 2:
        reporter.note(f"--role is ACCOUNT/ROLE, got {arguments.role!r}")
        return EXIT_WRONG_USE
    roles: list[SignInEvent] = []
    for event in _events(SignIn(farm_settings(arguments), company=company, role=role)):
        if event.kind == "page":
            _show_page(event, reporter, opens=not arguments.no_browser)
        elif event.kind == "role":
            roles.append(event)
        else:
            record = {"profile": profile, "identity": event.identity}
            reporter.result(record, f"{profile} is signed in as {event.identity}")
    if not roles:
        return 0
    reporter.note("there are several roles; choose one with --role:")
    for one in roles:
        reporter.result(
            {"account": one.account_id, "name": one.account_name, "role": one.role},
            f"{one.account_id}/{one.role}  {one.account_name}",
        )
    return EXIT_WRONG_USE


def _keep_key(arguments: Namespace) -> None:
    """Ask for the key: an argument would be in the shell's history and in the list of processes."""
    if sys.stdin.isatty():
        print("Access key ID: ", end="", file=sys.stderr, flush=True)
        access_key_id = sys.stdin.readline()
        secret = getpass.getpass("Secret access key: ")
    else:
        access_key_id, secret = sys.stdin.readline(), sys.stdin.readline()
    keep_access_key(farm_settings(arguments), access_key_id, secret)


def _events(signing_in: SignIn):
    while not signing_in.is_over:
        yield from signing_in.poll()
        time.sleep(_POLL_SECONDS)


def _show_page(event: SignInEvent, reporter: Reporter, *, opens: bool) -> None:
    if event.code:
        reporter.note(f"the page shows the code {event.code}: continue only if it does")
    if opens and webbrowser.open(event.address):
        reporter.note("sign in in the browser")
    else:
        reporter.note(f"open this page in a browser: {event.address}")
