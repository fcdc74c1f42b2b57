"""The farm of the preferences, as it is looked at, made and removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import render_on_lambda as native
from render_on_lambda.test_frame import DATA, TestFrame

from ..core import wording
from ..core.administration import Administration
from ..core.translation import tr
from . import farm, preferences

if TYPE_CHECKING:
    from ..core.job import FarmAddress
    from .errands import Errands


class NativeAccount:
    """Begins the work on the Rust runtime, for the farm that is set at that time."""

    def set_up(self) -> native.FarmSetUp:
        """Make the farm, or go on with it."""
        self.made = farm.settings(preferences.address())
        return native.FarmSetUp(self.made, DATA, {})

    def remove(self) -> native.FarmRemoval:
        """Delete the farm."""
        return native.FarmRemoval(farm.settings(preferences.address()))

    def try_out(self) -> TestFrame:
        """Send a frame through the farm that was made, whatever is set by now."""
        return TestFrame(self.made)


class FarmAdministration(Administration):
    """What is under way with the farm, and what would be made."""

    def __init__(self, errands: Errands) -> None:
        super().__init__(NativeAccount())
        self.status: native.FarmStatus | None = None
        self._errands = errands

    def look(self) -> None:
        """Ask AWS what there is, and what the account allows."""
        self.looks()
        address = preferences.address()
        self._errands.send(
            "look",
            lambda: _look(address),
            lambda found, error: self._looked(address, found, error),
        )

    def _looked(
        self,
        address: FarmAddress,
        found: tuple[native.FarmStatus, native.AccountLimits] | None,
        error: BaseException | None,
    ) -> None:
        if address != preferences.address():
            # What was found is of other settings.
            self.leaves()
            return
        self.status = found[0] if found else None
        self.has_farm = bool(self.status and self.status.has_functions)
        if found:
            self.plans(_plan(*found))
        elif error is not None:
            self.fails(error)


def _look(address: FarmAddress) -> tuple[native.FarmStatus, native.AccountLimits]:
    settings = farm.settings(address)
    return native.farm_status(settings), native.account_limits(settings)


def _plan(status: native.FarmStatus, limits: native.AccountLimits) -> str:
    """What a press would do, and what it costs."""
    where = tr(
        "AWS account {account}, {region}, as {identity}.",
        account=status.account,
        region=status.region,
        identity=status.identity.rsplit(":", 1)[-1],
    )
    if status.has_functions and status.is_current:
        return f"{where} {tr('The farm is there, and up to date.')}"
    if status.has_functions:
        version = status.version or "?"
        text = tr(
            "The farm is of version {version}, this add-on of {ours}. Jobs in flight finish.",
            version=version,
            ours=native.__version__,
        )
        return f"{where} {text}"
    made = tr(
        "A private bucket, two queues, the functions that render and an image with Blender are"
        " made, for up to {count} frames at once with {memory} MiB each, in some five minutes.",
        count=limits.maximum_concurrency + limits.burst_workers,
        memory=limits.consumer_memory_mib,
    )
    costs = tr(
        "While nothing renders it costs about {idle} a month, a frame of one minute about {frame}.",
        idle=wording.cost_text(limits.idle_month_usd),
        frame=wording.cost_text(limits.frame_minute_usd),
    )
    return f"{where} {made} {costs}"
