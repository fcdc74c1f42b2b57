"""What the credentials may do on the farm, as a table: a line for each purpose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from .translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable


class Permission(Protocol):
    """What the native module tells of an action."""

    @property
    def purpose(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def is_allowed(self) -> bool: ...


@dataclass(frozen=True)
class Row:
    """A purpose, and the actions that it lacks."""

    text: str
    missing: tuple[str, ...]


def rows(found: Iterable[Permission]) -> list[Row]:
    """A line for each statement of the artist's policy, in its order."""
    texts = {
        "FindTheFarm": tr("Find the farm"),
        "SendPacksAndJobs": tr("Send scenes and jobs, and fetch frames"),
        "TakeBackAFileThatChangedWhileItWasSentAndRemoveJobs": tr("Remove jobs"),
        "WatchJobs": tr("Watch jobs"),
        "EnqueueTasks": tr("Give frames to the farm"),
        "SeeWhatTheQueuesHold": tr("See what waits"),
        "WakeTheFunction": tr("Wake the renderer"),
        "CallTheApi": tr("Send jobs over HTTP"),
    }
    lacking: dict[str, list[str]] = {}
    for one in found:
        missing = lacking.setdefault(texts.get(one.purpose, one.purpose), [])
        if not one.is_allowed and one.action not in missing:
            missing.append(one.action)
    return [Row(text, tuple(missing)) for text, missing in lacking.items()]
