"""Whether the farm of the preferences can be reached, and what may be done there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core import permissions, wording
from ..core.translation import tr
from . import farm, preferences

if TYPE_CHECKING:
    import render_on_lambda as native

    from ..core.job import FarmAddress
    from .errands import Errands


@dataclass(frozen=True)
class Answer:
    """What is known of it."""

    text: str = ""
    is_good: bool = False
    is_bad: bool = False


class ConnectionTest:
    """Looks whether the farm is there, a step each time that it is polled. Never waits."""

    def __init__(self, errands: Errands) -> None:
        self.answer = Answer()
        self.permissions: list[permissions.Row] = []
        self.unknown = ""
        """Why it cannot be told what is allowed."""
        self.blenders: list[tuple[int, int]] = []
        """The Blenders that the farm renders with, the oldest first."""
        self._errands = errands
        self._check: native.StackCheck | None = None

    def begin(self) -> None:
        """Begin to look."""
        self.forget()
        self.answer = Answer(tr("Looking for the stack"))
        address = preferences.address()
        self._check = farm.check_stack(address)
        self._errands.send(
            "permissions",
            lambda: farm.permissions(address),
            lambda found, error: self._told(address, found, error),
        )

    def forget(self) -> None:
        """What was found is of other settings."""
        self._check, self.answer = None, Answer()
        self.permissions, self.unknown, self.blenders = [], "", []

    def poll(self) -> bool:
        """Take the answer, where it has come; whether anything changed."""
        if self._check is None:
            return False
        try:
            found = self._check.poll()
        except Exception as error:
            self._check, self.answer = None, Answer(wording.sentence(error), is_bad=True)
            return True
        if found is None:
            return False
        self._check, self.blenders = None, found.blenders
        self.answer = Answer(
            tr(
                "Ready: up to {count} frames at once, {memory} MiB of memory for each,"
                " Blender {versions}",
                count=found.maximum_concurrency,
                memory=found.consumer_memory_mib,
                versions=", ".join(map(wording.version_text, found.blenders)),
            ),
            is_good=True,
        )
        return True

    def _told(
        self,
        address: FarmAddress,
        found: list[native.Permission] | None,
        error: BaseException | None,
    ) -> None:
        if address != preferences.address() or not self.answer.text:
            # Those are of other settings.
            return
        if found is not None:
            self.permissions = permissions.rows(found)
        elif error is not None:
            self.unknown = tr("AWS does not let these credentials look up what they may do")
