"""What Lambda and API Gateway refuse and the emulator takes."""

from __future__ import annotations

import json
import re
import time

from .request import Answer, Request, json_error
from .state import Front

SYNCHRONOUS_BYTES = 6 << 20
API_BYTES = 10 << 20
FUNCTION = re.compile(r"^/2015-03-31/functions/([^/]+)/(invocations|configuration)$")


def function_that_sleeps(front: Front, request: Request) -> Answer | None:
    """A function that was not used for weeks refuses its first calls, and the first wakes it.

    https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
    """
    found = FUNCTION.match(request.path)
    sleeping = front.asleep.get(found[1].rsplit(":", 1)[-1]) if found else None
    if found is None or sleeping is None or found[2] != "invocations":
        return None
    state = sleeping.state()
    if state == "Active":
        return None
    if state == "Inactive":
        sleeping.woken_at = time.monotonic()
    return json_error(
        409,
        "CodeArtifactUserPendingException",
        "Lambda is initializing your function. It will be ready to invoke shortly.",
    )


def size_of_an_invocation(_front: Front, request: Request) -> Answer | None:
    """A synchronous invocation takes 6 MB.

    https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    """
    found = FUNCTION.match(request.path)
    if found and found[2] == "invocations" and request.body_bytes > SYNCHRONOUS_BYTES:
        message = f"Request must be smaller than {SYNCHRONOUS_BYTES} bytes"
        return json_error(413, "RequestEntityTooLargeException", message)
    return None


def size_of_an_api_call(_front: Front, request: Request) -> Answer | None:
    """An HTTP API takes 10 MB.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
    """
    if is_api(request) and request.body_bytes > API_BYTES:
        return Answer(413, b'{"message":"Request Entity Too Large"}', "application/json")
    return None


def is_api(request: Request) -> bool:
    """Whether a request is for the stack's HTTP API."""
    return request.path.startswith("/_aws/execute-api/")


def too_late() -> Answer:
    """An HTTP API waits 30 s for its function.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
    """
    return Answer(503, b'{"message":"Service Unavailable"}', "application/json")


def configuration(front: Front, request: Request, body: bytes) -> bytes:
    """The configuration of a function with the state that it is in, typed as AWS does.

    https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html
    """
    found = FUNCTION.match(request.path)
    if found is None or found[2] != "configuration":
        return body
    told = json.loads(body)
    if "EphemeralStorage" in told:
        # MiniStack 1.5 keeps the text of a template's parameter.
        told["EphemeralStorage"]["Size"] = int(told["EphemeralStorage"]["Size"])
    if sleeping := front.asleep.get(found[1].rsplit(":", 1)[-1]):
        state = told["State"] = sleeping.state()
        reasons = {
            "Inactive": ("The function is inactive.", "Idle"),
            "Pending": ("The function is being restored.", "Restoring"),
            "Active": (None, None),
        }
        told["StateReason"], told["StateReasonCode"] = reasons[state]
    return json.dumps(told).encode()
