"""Signing in to AWS, as the artist sees it: a page in the browser, a choice, and the end."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Protocol

from . import wording
from .translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence


class Event(Protocol):
    """What the native module tells."""

    @property
    def kind(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def code(self) -> str | None: ...
    @property
    def identity(self) -> str: ...
    @property
    def account_id(self) -> str: ...
    @property
    def account_name(self) -> str: ...
    @property
    def role(self) -> str: ...


class Work(Protocol):
    """A sign-in that is under way."""

    @property
    def is_over(self) -> bool: ...
    def poll(self) -> Sequence[Event]: ...
    def use_role(self, account_id: str, role: str) -> None: ...
    def cancel(self) -> None: ...


class Doorway(Protocol):
    """What leads to AWS from here."""

    def sign_in(self, company: tuple[str, str] | None) -> Work: ...
    def show_page(self, address: str) -> None: ...


class Stage(Enum):
    """Where it stands."""

    NOTHING = "nothing"
    WAITING = "waiting"
    CHOOSING = "choosing"
    DONE = "done"
    FAILED = "failed"


class SigningIn:
    """Somebody who signs in, and how far they are."""

    def __init__(self, doorway: Doorway) -> None:
        self.stage = Stage.NOTHING
        self.text = ""
        self.address = ""
        self.roles: list[Event] = []
        self._doorway = doorway
        self._work: Work | None = None

    def begin(self, company: tuple[str, str] | None = None) -> None:
        """Begin; company: the address and the region of an IAM Identity Center."""
        self.leave()
        self.wait(tr("Asking AWS for its page"))
        try:
            self._work = self._doorway.sign_in(company)
        except Exception as error:
            self.fail(error)

    def wait(self, text: str) -> None:
        """Something is under way."""
        self._to(Stage.WAITING, text)

    def leave(self) -> None:
        """Stop waiting, and forget what was said."""
        if self._work is not None:
            self._work.cancel()
        self._work, self.roles, self.address = None, [], ""
        self._to(Stage.NOTHING, "")

    def choose(self, number: int) -> None:
        """Take one of the roles that are offered; nothing where there is no such one."""
        if self._work is None or not 0 <= number < len(self.roles):
            return
        role = self.roles[number]
        try:
            self._work.use_role(role.account_id, role.role)
        except Exception as error:
            self.fail(error)
            return
        self.done(tr("Signed in as {identity}", identity=f"{role.role} ({role.account_name})"))

    def done(self, text: str) -> None:
        """There are credentials now."""
        self._work, self.roles = None, []
        self._to(Stage.DONE, text)

    def fail(self, error: BaseException) -> None:
        """Something stood in the way: it is said until somebody presses again."""
        self._work, self.roles = None, []
        self._to(Stage.FAILED, wording.sentence(error))

    def poll(self) -> bool:
        """Take what has happened; whether there was anything. Never waits."""
        work = self._work
        if work is None or self.stage is not Stage.WAITING:
            return False
        try:
            events = work.poll()
        except Exception as error:
            self.fail(error)
            return True
        for event in events:
            self._take(event)
        if self._work is work and work.is_over:
            self._to(Stage.CHOOSING, tr("Choose the account and the role to render with"))
            return True
        return bool(events)

    def _take(self, event: Event) -> None:
        if event.kind == "page":
            self.address = event.address
            if event.code:
                self.text = tr("Sign in in the browser, where the code is {code}", code=event.code)
            else:
                self.text = tr("Sign in in the browser; Blender goes on by itself")
            self._doorway.show_page(event.address)
        elif event.kind == "role":
            self.roles.append(event)
        else:
            self.done(tr("Signed in as {identity}", identity=_identity_text(event.identity)))

    def _to(self, stage: Stage, text: str) -> None:
        self.stage, self.text = stage, text


def _identity_text(identity: str) -> str:
    """Who that is, for people: "user/anna (123456789012)" of an ARN."""
    parts = identity.split(":", 5)
    return f"{parts[5]} ({parts[4]})" if len(parts) == 6 else identity
