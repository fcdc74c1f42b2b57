"""A check of the scene in motion: what Blender would miss on the farm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from .not_split import not_split_text
from .translation import count_text, tr
from .wording import sentence

if TYPE_CHECKING:
    from collections.abc import Container, Sequence


class Work(Protocol):
    """What the check needs of the native LocalPack."""

    def poll(self) -> Sequence[Any]: ...
    def stop(self) -> None: ...


@dataclass(frozen=True)
class Problem:
    """A path that does not resolve, or a datablock that is not there."""

    kind: str
    datablock_type: str
    datablock: str
    path: str


class SceneCheck:
    """Moves one check on, a step each time that it is polled. Never waits."""

    def __init__(
        self, work: Work, notes: Sequence[str] = (), tells_not_split: Container[str] = ()
    ) -> None:
        """Follow work that has begun; `notes` are what is known of the scene already.

        tells_not_split: the reasons not to split its frames that somebody wants to know.
        """
        self.notes = list(notes)
        self._tells_not_split = tells_not_split
        self.status = tr("Starting")
        self.factor = 0.0
        self.error = ""
        self.problems: list[Problem] = []
        self.is_over = False
        self._work = work

    @property
    def summary(self) -> str:
        """One line for a check that is over."""
        if self.error:
            return self.error
        count = len(self.problems)
        if not count:
            return tr("Blender finds every file and datablock in the pack")
        return tr("{problems} in the pack", problems=count_text(count, "problem"))

    def poll(self) -> bool:
        """Take what has happened; whether anything changed."""
        if self.is_over:
            return False
        try:
            events = self._work.poll()
        except Exception as error:
            self.error, self.is_over = sentence(error), True
            return True
        for event in events:
            self._take(event)
        return bool(events)

    def stop(self) -> None:
        """Give the check up."""
        self._work.stop()
        self.is_over = True

    def _take(self, event: Any) -> None:
        match type(event).__name__.rpartition("_")[2]:
            case "Tracing":
                self.status = tr("Reading {file}", file=event.path.name)
            case "Writing":
                files = count_text(event.files_total, "file")
                self.status = tr("Packing {done} of {files}", done=event.files_done, files=files)
                self.factor = event.bytes_done / event.bytes_total if event.bytes_total else 0.0
            case "Opening":
                self.status, self.factor = tr("Opening the pack with Blender"), 1.0
            case "NotSplit" if event.obstacle in self._tells_not_split:
                self.notes.append(not_split_text(event.obstacle))
            case "Verified":
                self.problems = [
                    Problem(item.kind, item.datablock_type, item.datablock, item.path)
                    for item in event.problems
                ]
                self.is_over = True
            case _:
                pass
