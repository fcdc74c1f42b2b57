"""A farm on its way from nothing to a frame that came back."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from addon.core.administration import Administration, Stage


@dataclass
class Event:
    kind: str
    name: str = ""
    done: int = 0
    total: int = 0


@dataclass
class Work:
    """Tells one list of events at each poll, and then is over, or fails."""

    told: list[list[Event]] = field(default_factory=list)
    error: Exception | None = None

    @property
    def is_over(self) -> bool:
        return not self.told and self.error is None

    def poll(self) -> list[Event]:
        if self.told:
            return self.told.pop(0)
        if self.error:
            raise self.error
        return []


@dataclass
class Trial:
    polls: int = 2

    @property
    def is_over(self) -> bool:
        return self.polls == 0

    def poll(self) -> list[str]:
        self.polls -= 1
        return []


@dataclass
class Account:
    work: Work

    def set_up(self) -> Work:
        return self.work

    def remove(self) -> Work:
        return self.work

    def try_out(self) -> Trial:
        return Trial()


def test_a_set_up_goes_forward_to_a_frame_that_came_back() -> None:
    told = [
        [Event("step", "look", 1, 4)],
        [Event("step", "stack", 2, 4), Event("resource", "Queue")],
        [Event("step", "functions", 4, 4)],
        [Event("image", "parts", 50, 100)],
        [Event("image", "layers", 100, 100)],
        [],
    ]
    farm = Administration(Account(Work(told)))
    farm.set_up()
    shown, factors = [farm.text], [farm.factor]
    while farm.stage.is_at_work:
        farm.poll()
        shown.append(farm.text)
        factors.append(farm.factor)
    assert farm.stage is Stage.DONE and farm.has_farm
    assert factors == sorted(factors) and factors[-1] == 1.0
    assert list(dict.fromkeys(shown)) == [
        "Looking at the account",
        "Making the bucket, the queue and the roles",
        "Making the functions",
        "Downloading Blender",
        "Storing the renderer's image",
        "Rendering a test frame",
        "The farm is ready: a test frame came back",
    ]


def test_what_stood_in_the_way_is_said_until_the_next_press() -> None:
    farm = Administration(Account(Work([[]], OSError("the queue cannot be made"))))
    farm.set_up()
    farm.poll()
    assert farm.poll()
    assert (farm.stage, farm.text) == (Stage.FAILED, "The queue cannot be made")
    assert not farm.poll()
    farm.set_up()
    assert farm.stage is Stage.MAKING


def test_a_removal_tells_what_is_deleted() -> None:
    farm = Administration(Account(Work([[Event("objects", done=7)], []])))
    farm.remove()
    farm.poll()
    assert farm.text == "Objects deleted from the bucket: 7"
    while farm.stage.is_at_work:
        farm.poll()
    assert farm.text == "The farm is removed; AWS has nothing of it any more"
    assert not farm.has_farm


@pytest.mark.parametrize("begin", ["plans", "looks"])
def test_other_settings_make_a_plan_void_and_end_nothing(begin: str) -> None:
    farm = Administration(Account(Work([[]])))
    if begin == "plans":
        farm.plans("A farm")
        farm.forgets()
        assert farm.stage is Stage.NOTHING
    else:
        farm.looks()
        farm.forgets()
        assert farm.stage is Stage.LOOKING
