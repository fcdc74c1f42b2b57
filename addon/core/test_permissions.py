"""The table of what is allowed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from addon.core.permissions import Row, rows

POLICY = Path(__file__).resolve().parents[2] / "infra" / "policies" / "artist.json"


@dataclass
class Permission:
    purpose: str
    action: str = "s3:GetObject"
    is_allowed: bool = True


def test_a_purpose_is_one_line_with_what_it_lacks_once() -> None:
    found = [
        Permission("WatchJobs", "s3:ListBucket"),
        Permission("EnqueueTasks", "sqs:SendMessage", is_allowed=False),
        Permission("EnqueueTasks", "sqs:SendMessage", is_allowed=False),
    ]
    assert rows(found) == [
        Row("Watch jobs", ()),
        Row("Give frames to the farm", ("sqs:SendMessage",)),
    ]


def test_every_statement_of_the_policy_has_words() -> None:
    names = [statement["Sid"] for statement in json.loads(POLICY.read_text())["Statement"]]
    texts = [row.text for row in rows(Permission(name) for name in names)]
    assert len(texts) == len(names)
    assert not set(texts) & set(names)
