"""What the front knows, and what a test asks of it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

USUAL_CONCURRENCY = 1000
USUAL_MEMORY_MIB = 10_240
NEW_ACCOUNT_CONCURRENCY = 10
NEW_ACCOUNT_MEMORY_MIB = 3008


@dataclass
class Quotas:
    """What the account may have."""

    concurrency: int = USUAL_CONCURRENCY
    memory_mib: int = USUAL_MEMORY_MIB


NEW_ACCOUNT = Quotas(NEW_ACCOUNT_CONCURRENCY, NEW_ACCOUNT_MEMORY_MIB)


@dataclass
class SleepingFunction:
    """A function that Lambda has put away."""

    wakes_in_seconds: float
    woken_at: float | None = None

    def state(self) -> str:
        """Inactive until it is invoked, then pending for a while."""
        if self.woken_at is None:
            return "Inactive"
        is_awake = time.monotonic() - self.woken_at > self.wakes_in_seconds
        return "Active" if is_awake else "Pending"


@dataclass
class SignIns:
    """Who signs in, and what they get."""

    keys: Callable[[], tuple[str, str, str]] = lambda: ("", "", "")
    """Makes the access key, the secret and the session token of somebody who is signed in."""
    identity: str = "arn:aws:iam::000000000000:user/artist"
    roles: list[tuple[str, str, str]] = field(default_factory=list)
    """Account, its name and role of each that a company offers."""
    refuses: str = ""
    """Why the person, or AWS, says no; empty where they say yes."""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    """What each code was asked for with, until it is used."""
    sessions: dict[str, str] = field(default_factory=dict)
    """The thumbprint of the key that each refresh token is bound to."""
    proofs: set[str] = field(default_factory=set)
    """The ids of the proofs that were shown: each is good once."""
    approved: set[str] = field(default_factory=set)
    """The device codes to which somebody has said yes."""


@dataclass
class Front:
    """The state that the rules share."""

    admin: Callable[[str], Any]
    """A boto3 client of a service of the emulator, for rules that must look something up."""
    quotas: Quotas = field(default_factory=Quotas)
    slow_down: float = 0.0
    """Which part of the calls of S3 is answered with 503 SlowDown."""
    conflicts: list[Callable[[Any], bool]] = field(default_factory=list)
    """Each is asked of every conditional write, and answers one with 409."""
    asleep: dict[str, SleepingFunction] = field(default_factory=dict)
    """Functions that are put away, by name."""
    api_limit_seconds: float = 30.0
    image_indexes: set[str] = field(default_factory=set)
    """The tags and digests of images whose manifest is an index."""
    uploads: dict[str, str] = field(default_factory=dict)
    """The checksum algorithm of each upload in parts, empty where it has none."""
    part_sizes: dict[tuple[str, int], int] = field(default_factory=dict)
    """The bytes of each part, by upload and number."""
    writing: set[str] = field(default_factory=set)
    """The keys whose conditional writes are under way."""
    failed_stacks: dict[str, str] = field(default_factory=dict)
    """Why a stack could not be created, by its name."""
    failed_updates: dict[str, str] = field(default_factory=dict)
    """Why a stack could not be updated."""
    quota_requests: list[dict[str, Any]] = field(default_factory=list)
    """The requests for more concurrent executions, the oldest first."""
    sign_ins: SignIns = field(default_factory=SignIns)
    event_ids: dict[str, str] = field(default_factory=dict)
    """The id of the event that says why, by the stack's name."""
    random: random.Random = field(default_factory=lambda: random.Random(7))
    refused: list[str] = field(default_factory=list)
    """The names of the rules that have refused something."""
    requests: list[tuple[float, str, str]] = field(default_factory=list)
    """When, method and target of everything that was asked."""
