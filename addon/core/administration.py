"""A farm that is made, upgraded or removed, as the artist sees it: one step behind the other."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Protocol

from . import wording
from .translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence


class Event(Protocol):
    """What the native module tells of the work."""

    @property
    def kind(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def done(self) -> int: ...
    @property
    def total(self) -> int: ...


class Work(Protocol):
    """A set-up or a removal that is under way."""

    @property
    def is_over(self) -> bool: ...
    def poll(self) -> Sequence[Event]: ...


class Trial(Protocol):
    """A frame that is sent through the farm."""

    @property
    def is_over(self) -> bool: ...
    def poll(self) -> Sequence[str]: ...


class Account(Protocol):
    """Makes the work begin."""

    def set_up(self) -> Work: ...
    def remove(self) -> Work: ...
    def try_out(self) -> Trial: ...


class Stage(Enum):
    """Where it stands."""

    NOTHING = "nothing"
    LOOKING = "looking"
    PLANNED = "planned"
    MAKING = "making"
    TRYING = "trying"
    REMOVING = "removing"
    DONE = "done"
    FAILED = "failed"

    @property
    def is_at_work(self) -> bool:
        """Whether something is under way."""
        return self in (Stage.LOOKING, Stage.MAKING, Stage.TRYING, Stage.REMOVING)


class Administration:
    """What is under way with the farm of the preferences, and how far it is."""

    def __init__(self, account: Account) -> None:
        self.stage = Stage.NOTHING
        self.text = ""
        self.factor = 0.0
        self.has_farm = False
        self._account = account
        self._work: Work | None = None
        self._trial: Trial | None = None

    def looks(self) -> None:
        """Somebody looks at the account."""
        self._to(Stage.LOOKING, tr("Looking at the account"))

    def plans(self, text: str) -> None:
        """What would be made is known."""
        self._to(Stage.PLANNED, text)

    def fails(self, error: BaseException) -> None:
        """Something stood in the way: it is said until somebody presses again."""
        self._work = self._trial = None
        self._to(Stage.FAILED, wording.sentence(error))

    def forgets(self) -> None:
        """What was found is of other settings; what is under way goes on."""
        if not self.stage.is_at_work:
            self.leaves()

    def leaves(self) -> None:
        """Nothing is known, and nothing under way."""
        self._to(Stage.NOTHING, "")

    def set_up(self) -> None:
        """Make the farm, or go on with it."""
        self._to(Stage.MAKING, tr("Looking at the account"))
        self._work = self._account.set_up()

    def remove(self) -> None:
        """Delete the farm."""
        self._to(Stage.REMOVING, tr("Removing the farm"))
        self._work = self._account.remove()

    def poll(self) -> bool:
        """Take what has happened; whether there was anything. Never waits."""
        try:
            return self._poll_trial() if self._trial else self._poll_work()
        except Exception as error:
            self.fails(error)
            return True

    def _poll_work(self) -> bool:
        if self._work is None:
            return False
        events = self._work.poll()
        for event in events:
            self._take(event)
        if self._work.is_over:
            self._work = None
            if self.stage is Stage.REMOVING:
                self.has_farm = False
                self._to(Stage.DONE, tr("The farm is removed; AWS has nothing of it any more"))
            else:
                self._to(Stage.TRYING, tr("Rendering a test frame"), 0.95)
                self._trial = self._account.try_out()
            return True
        return bool(events)

    def _poll_trial(self) -> bool:
        if self._trial is None:
            return False
        notes = self._trial.poll()
        if notes:
            self.text = wording.sentence(Exception(notes[-1]))
        if self._trial.is_over:
            self._trial = None
            self.has_farm = True
            self._to(Stage.DONE, tr("The farm is ready: a test frame came back"), 1.0)
            return True
        return bool(notes)

    def _take(self, event: Event) -> None:
        texts = {
            "look": tr("Looking at the account"),
            "stack": tr("Making the bucket, the queue and the roles"),
            "code": tr("Sending the functions"),
            "functions": tr("Making the functions"),
            "parts": tr("Downloading Blender"),
            "layers": tr("Storing the renderer's image"),
        }
        if event.kind == "objects":
            self.text = tr("Objects deleted from the bucket: {count}", count=event.done)
        elif event.name in texts and event.kind in ("step", "image"):
            self.text = texts[event.name]
        if event.kind == "step":
            # The image takes most of the time, in the last step.
            self.factor = max(self.factor, (event.done - 1) * 0.05)
        elif event.kind == "image" and event.total:
            begin = 0.2 if event.name == "parts" else 0.6
            self.factor = max(self.factor, begin + 0.35 * event.done / event.total)

    def _to(self, stage: Stage, text: str, factor: float = 0.0) -> None:
        self.stage, self.text, self.factor = stage, text, factor
