"""A request on its way through the front, and what may be answered in AWS's place."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass(frozen=True)
class Request:
    """A request as it arrives; the body only where it is small enough to be looked at."""

    method: str
    target: str
    headers: dict[str, str]
    body_bytes: int
    body: bytes | None

    @cached_property
    def path(self) -> str:
        """The path without its query, as it was meant."""
        return unquote(urlsplit(self.target).path)

    @cached_property
    def query(self) -> dict[str, str]:
        """The first value of each parameter; empty where it has none."""
        parsed = parse_qs(urlsplit(self.target).query, keep_blank_values=True)
        return {name: values[0] for name, values in parsed.items()}

    @cached_property
    def form(self) -> dict[str, str]:
        """The parameters of a call of the query protocol, as CloudFormation has it."""
        if "x-www-form-urlencoded" not in self.headers.get("content-type", ""):
            return {}
        parsed = parse_qs((self.body or b"").decode(), keep_blank_values=True)
        return {name: values[0] for name, values in parsed.items()}

    @property
    def is_chunked(self) -> bool:
        """Whether its body comes without a length."""
        return "transfer-encoding" in self.headers

    @property
    def service(self) -> str:
        """The service that the signature is for; empty without one."""
        parts = self.headers.get("authorization", "").split("Credential=")[-1].split("/")
        return parts[3] if len(parts) > 3 else ""

    @property
    def is_conditional_write(self) -> bool:
        """Whether it is a write of S3 that depends on what is there."""
        has_condition = "if-none-match" in self.headers or "if-match" in self.headers
        return self.service == "s3" and self.method in ("PUT", "POST") and has_condition


@dataclass(frozen=True)
class Answer:
    """An answer in AWS's place."""

    status: int
    body: bytes
    content_type: str = "application/xml"
    error_type: str = ""
    location: str = ""

    def encode(self) -> bytes:
        """As it goes over the wire."""
        lines = [
            f"HTTP/1.1 {self.status} Refused",
            f"content-length: {len(self.body)}",
            f"content-type: {self.content_type}",
            "x-amz-request-id: 00000000-0000-0000-0000-00000000f407",
        ]
        if self.error_type:
            lines.append(f"x-amzn-errortype: {self.error_type}")
        if self.location:
            lines.append(f"location: {self.location}")
        return "\r\n".join([*lines, "", ""]).encode() + self.body


def s3_error(status: int, code: str, message: str) -> Answer:
    """An error as S3 tells it."""
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Answer(status, body.encode())


def json_error(status: int, code: str, message: str) -> Answer:
    """An error as Lambda tells it."""
    body = json.dumps({"Type": "User", "Message": message, "message": message}).encode()
    return Answer(status, body, "application/json", code)


def query_error(status: int, code: str, message: str) -> Answer:
    """An error as CloudFormation tells it."""
    inner = f"<Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>"
    return Answer(status, f"<ErrorResponse><Error>{inner}</Error></ErrorResponse>".encode())
