"""Signing in to AWS from Blender: the profile of the preferences, and the artist's browser."""

from __future__ import annotations

import webbrowser
from typing import TYPE_CHECKING

import render_on_lambda as native

from ..core.sign_in import SigningIn
from ..core.translation import tr
from . import farm, preferences

if TYPE_CHECKING:
    from collections.abc import Callable

    from .errands import Errands


class NativeDoorway:
    """Signs in to the farm that is set at that time."""

    def __init__(self, errands: Errands) -> None:
        self._errands = errands

    def sign_in(self, company: tuple[str, str] | None) -> native.SignIn:
        """Begin on the Rust runtime."""
        return native.SignIn(farm.settings(preferences.address()), company=company)

    def show_page(self, address: str) -> None:
        """Have the browser show a page; some take their time. Where none does, a button stays."""
        self._errands.send(f"page {address}", lambda: webbrowser.open(address), lambda *_: None)


class ArtistSignIn(SigningIn):
    """The artist who signs in, and the key that they type where they have one."""

    def __init__(self, errands: Errands) -> None:
        super().__init__(NativeDoorway(errands))
        # Here, and not in a property: Blender writes those into files and into its log.
        self.typed_secret = ""
        self._errands = errands
        self._asked = 0

    def leave(self) -> None:
        """Stop waiting, for the keychain too, and forget what was said."""
        self._asked += 1
        super().leave()

    def keep_access_key(self, access_key_id: str) -> None:
        """Put the typed key into the keychain, which may ask the artist for a password first."""
        secret, self.typed_secret = self.typed_secret, ""
        text = tr("The keychain has the access key, and renders use it")
        self._ask_keychain(
            lambda settings: native.keep_access_key(settings, access_key_id, secret),
            lambda: self.done(text),
        )

    def forget_access_key(self) -> None:
        """Take the profile's key out of the keychain."""
        self._ask_keychain(native.forget_access_key, self.leave)

    def _ask_keychain(
        self, work: Callable[[native.FarmSettings], None], done: Callable[[], None]
    ) -> None:
        self.leave()
        self.wait(tr("Asking the keychain"))
        address, asked = preferences.address(), self._asked

        def back(_: None, error: BaseException | None) -> None:
            if asked != self._asked:
                # Somebody has pressed something else meanwhile.
                return
            if error is None:
                done()
            else:
                self.fail(error)

        # Each by a name of its own: none is taken for another one that is out.
        self._errands.send(f"keychain {asked}", lambda: work(farm.settings(address)), back)
