"""Signing in to AWS from Blender: the profile of the preferences, and the artist's browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy
import render_on_lambda as native

from ..core.sign_in import SigningIn
from ..core.translation import tr
from . import farm, preferences

if TYPE_CHECKING:
    from collections.abc import Callable

    from .errands import Errands


class NativeDoorway:
    """Signs in to the farm that is set at that time."""

    def sign_in(self, company: tuple[str, str] | None) -> native.SignIn:
        """Begin on the Rust runtime."""
        return native.SignIn(farm.settings(preferences.address()), company=company)

    def use_role(self, company: tuple[str, str] | None, account_id: str, role: str) -> None:
        """Write a role into the profile."""
        native.use_role(farm.settings(preferences.address()), account_id, role, company=company)

    def show_page(self, address: str) -> None:
        """Have the browser show a page."""
        bpy.ops.wm.url_open(url=address)


class ArtistSignIn(SigningIn):
    """The artist who signs in, and the key that they type where they have one."""

    def __init__(self, errands: Errands) -> None:
        super().__init__(NativeDoorway())
        # Here, and not in a property: Blender writes those into files and into its log.
        self.typed_secret = ""
        self._errands = errands

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
        address = preferences.address()
        self._errands.send(
            "keychain",
            lambda: work(farm.settings(address)),
            lambda _, error: done() if error is None else self.fail(error),
        )
