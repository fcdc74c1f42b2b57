"""Service Quotas, which the emulator does not have: requests for more concurrent executions.

https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_RequestServiceQuotaIncrease.html
"""

from __future__ import annotations

import json
from typing import Any

from .request import Answer, Request
from .state import Front

TARGET = "ServiceQuotasV20190624."
JSON = "application/x-amz-json-1.1"
MOST = 10_000_000


def service_quotas(front: Front, request: Request) -> Answer | None:
    """A request is pending until somebody at AWS has looked at it, and there is one at a time."""
    target = request.headers.get("x-amz-target", "")
    if not target.startswith(TARGET):
        return None
    asked: dict[str, Any] = json.loads(request.body or b"{}")
    action = target.removeprefix(TARGET)
    if (asked.get("ServiceCode"), asked.get("QuotaCode")) != ("lambda", "L-B99A9384"):
        return refused("NoSuchResourceException", "The quota does not exist.")
    if action == "ListRequestedServiceQuotaChangeHistoryByQuota":
        return answer({"RequestedQuotas": front.quota_requests})
    if action != "RequestServiceQuotaIncrease":
        return refused("InvalidAction", f"{action} is not known here.")
    if any(one["Status"] in ("PENDING", "CASE_OPENED") for one in front.quota_requests):
        message = "Only one open service quota increase request is allowed per quota."
        return refused("ResourceAlreadyExistsException", message)
    if not front.quotas.concurrency < asked["DesiredValue"] <= MOST:
        message = "The desired value must be more than the quota's."
        return refused("IllegalArgumentException", message)
    made = {
        "Id": str(len(front.quota_requests)),
        "Status": "PENDING",
        "DesiredValue": asked["DesiredValue"],
        "Created": 1_790_000_000.0 + len(front.quota_requests),
    }
    front.quota_requests.append(made)
    return answer({"RequestedQuota": made})


def answer(value: dict[str, Any]) -> Answer:
    return Answer(200, json.dumps(value).encode(), JSON)


def refused(code: str, message: str) -> Answer:
    body = json.dumps({"__type": code, "Message": message, "message": message})
    return Answer(400, body.encode(), JSON, code)
