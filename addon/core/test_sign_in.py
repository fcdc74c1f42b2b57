"""Somebody on their way from nothing to a profile that is signed in."""

from __future__ import annotations

from dataclasses import dataclass, field

from addon.core.sign_in import SigningIn, Stage


@dataclass
class Event:
    kind: str
    address: str = ""
    code: str | None = None
    identity: str = ""
    account_id: str = "1"
    account_name: str = "Studio"
    role: str = ""


@dataclass
class Work:
    """Tells one list of events at each poll, and then is over, or fails."""

    told: list[list[Event]] = field(default_factory=list)
    error: Exception | None = None
    is_cancelled: bool = False
    used: list[str] = field(default_factory=list)
    refuses: Exception | None = None

    @property
    def is_over(self) -> bool:
        return not self.told and self.error is None

    def poll(self) -> list[Event]:
        if self.told:
            return self.told.pop(0)
        if self.error:
            raise self.error
        return []

    def use_role(self, account_id: str, role: str) -> None:
        if self.refuses:
            raise self.refuses
        self.used.append(f"{account_id}/{role}")

    def cancel(self) -> None:
        self.is_cancelled = True


@dataclass
class Doorway:
    work: Work
    shown: list[str] = field(default_factory=list)
    company: tuple[str, str] | None = None

    def sign_in(self, company: tuple[str, str] | None) -> Work:
        self.company = company
        return self.work

    def show_page(self, address: str) -> None:
        self.shown.append(address)


def begun(*told: list[Event], error: Exception | None = None) -> tuple[SigningIn, Doorway]:
    doorway = Doorway(Work(list(told), error))
    signing_in = SigningIn(doorway)
    signing_in.begin(("https://studio.example/start", "eu-west-1"))
    return signing_in, doorway


def test_nothing_is_under_way_before_somebody_presses() -> None:
    signing_in = SigningIn(Doorway(Work()))
    assert signing_in.stage is Stage.NOTHING and not signing_in.poll()


def test_the_page_is_shown_once_and_the_code_beside_it() -> None:
    signing_in, doorway = begun([Event("page", address="https://page", code="AB-CD")], [])
    assert signing_in.poll()
    assert doorway.shown == ["https://page"]
    assert signing_in.stage is Stage.WAITING and "AB-CD" in signing_in.text


def test_who_has_signed_in_is_said() -> None:
    anna = "arn:aws:iam::123456789012:user/anna"
    signing_in, _ = begun([Event("page")], [Event("signed in", identity=anna)])
    assert signing_in.poll() and signing_in.poll()
    assert signing_in.stage is Stage.DONE
    assert signing_in.text == "Signed in as user/anna (123456789012)"
    assert not signing_in.poll()


def test_one_of_several_roles_is_chosen() -> None:
    roles = [Event("role", role="Admin"), Event("role", role="Artist")]
    signing_in, doorway = begun([Event("page")], roles)
    assert signing_in.poll() and signing_in.poll()
    assert signing_in.stage is Stage.CHOOSING
    signing_in.choose(7)
    assert signing_in.stage is Stage.CHOOSING
    signing_in.choose(1)
    assert signing_in.stage is Stage.DONE and doorway.work.used == ["1/Artist"]
    assert signing_in.text == "Signed in as Artist (Studio)"


def test_a_role_that_cannot_be_kept_is_told_of() -> None:
    signing_in, doorway = begun([Event("role", role="Admin"), Event("role", role="Artist")])
    signing_in.poll()
    doorway.work.refuses = PermissionError("cannot write ~/.aws/config")
    signing_in.choose(0)
    assert signing_in.stage is Stage.FAILED and "cannot write" in signing_in.text.lower()


def test_a_no_is_said_until_somebody_presses_again() -> None:
    signing_in, doorway = begun([Event("page")], error=ValueError("AWS said no"))
    assert signing_in.poll() and signing_in.poll()
    assert signing_in.stage is Stage.FAILED and signing_in.text == "AWS said no"
    doorway.work = Work([[Event("signed in", identity="anna")]])
    signing_in.begin()
    signing_in.poll()
    assert signing_in.stage is Stage.DONE


def test_whoever_leaves_is_not_waited_for() -> None:
    signing_in, doorway = begun([Event("page")], [])
    signing_in.poll()
    signing_in.leave()
    assert doorway.work.is_cancelled
    assert signing_in.stage is Stage.NOTHING and not signing_in.poll()
