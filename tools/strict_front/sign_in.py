"""AWS Sign-In and IAM Identity Center, which the emulator does not have.

https://docs.aws.amazon.com/signin/latest/APIReference/API_CreateOAuth2Token.html,
https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/Welcome.html, RFC 7636 (PKCE) and
RFC 9449 (DPoP).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import time
from typing import Any
from urllib.parse import urlencode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

from .request import Answer, Request
from .state import Front

SAME_DEVICE = "arn:aws:signin:::devtools/same-device"
REDIRECT = re.compile(r"http://127\.0\.0\.1:\d{1,5}/oauth/callback")
KEYS_SECONDS = 900
PROOF_SECONDS = 300
JSON = "application/json"


def aws_sign_in(front: Front, request: Request) -> Answer | None:
    """What `aws login` talks to."""
    if request.service:
        return None
    if (request.method, request.path) == ("GET", "/v1/authorize"):
        return authorize(front, request.query)
    if (request.method, request.path) == ("POST", "/v1/token"):
        return tokens(front, request)
    return None


def authorize(front: Front, query: dict[str, str]) -> Answer:
    """The page at which a person says yes, at once."""
    expected = {
        "response_type": "code",
        "client_id": SAME_DEVICE,
        "code_challenge_method": "SHA-256",
        "scope": "openid",
    }
    wrong = [name for name, value in expected.items() if query.get(name) != value]
    wrong += [name for name in ("state", "code_challenge") if len(query.get(name, "")) < 30]
    redirect = query.get("redirect_uri", "")
    if wrong or not REDIRECT.fullmatch(redirect):
        return Answer(400, f"wrong: {wrong} {redirect}".encode(), "text/plain")
    if front.sign_ins.refuses:
        back = {"error": "access_denied", "error_description": front.sign_ins.refuses}
    else:
        back = {"code": secrets.token_hex(16)}
        front.sign_ins.codes[back["code"]] = query
    location = f"{redirect}?{urlencode(back | {'state': query['state']})}"
    return Answer(302, b"", "text/plain", location=location)


def tokens(front: Front, request: Request) -> Answer:
    """Changes a code or a refresh token for keys, for whoever has the key that proves it."""
    asked: dict[str, str] = json.loads(request.body or b"{}")
    address = f"https://{request.headers['host']}/v1/token"
    thumbprint = proven(front, request.headers.get("dpop", ""), address)
    if thumbprint is None:
        return refused(
            400, "ValidationException", "The DPoP proof is not valid.", "INVALID_REQUEST"
        )
    if asked.get("clientId") != SAME_DEVICE:
        return refused(400, "ValidationException", "Which client is that?", "INVALID_REQUEST")
    if asked.get("grantType") == "authorization_code":
        begun = front.sign_ins.codes.pop(asked.get("code", ""), None)
        challenge = encoded(hashlib.sha256(asked.get("codeVerifier", "").encode()).digest())
        if begun is None:
            return refused(401, "AccessDeniedException", "The code is old.", "AUTHCODE_EXPIRED")
        if (begun["code_challenge"], begun["redirect_uri"]) != (challenge, asked["redirectUri"]):
            return refused(400, "ValidationException", "Not who has asked.", "INVALID_REQUEST")
    elif front.sign_ins.sessions.pop(asked.get("refreshToken", ""), None) != thumbprint:
        return refused(401, "AccessDeniedException", "The session is over.", "TOKEN_EXPIRED")
    refresh = secrets.token_hex(20)
    front.sign_ins.sessions[refresh] = thumbprint
    key, secret, session = front.sign_ins.keys()
    claims = encoded(json.dumps({"sub": front.sign_ins.identity}).encode())
    return answer(
        {
            "accessToken": {
                "accessKeyId": key,
                "secretAccessKey": secret,
                "sessionToken": session,
            },
            "tokenType": "aws_sigv4",
            "expiresIn": KEYS_SECONDS,
            "refreshToken": refresh,
            "idToken": f"{encoded(b'{}')}.{claims}.{encoded(b'signature')}",
        }
    )


def proven(front: Front, proof: str, address: str) -> str | None:
    """The thumbprint of the key that has signed a proof for this address, just now and once."""
    try:
        head, body, signature = proof.split(".")
        header, payload = json.loads(decoded(head)), json.loads(decoded(body))
        key = header["jwk"]
        x, y = (int.from_bytes(decoded(key[name])) for name in ("x", "y"))
        raw = decoded(signature)
        halves = (int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
        public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        public.verify(
            utils.encode_dss_signature(*halves), f"{head}.{body}".encode(), ec.ECDSA(SHA256())
        )
    except (ValueError, KeyError, InvalidSignature):
        return None
    is_right = (
        (header["typ"], header["alg"]) == ("dpop+jwt", "ES256")
        and (payload["htm"], payload["htu"]) == ("POST", address)
        and abs(time.time() - payload["iat"]) < PROOF_SECONDS
        and payload["jti"] not in front.sign_ins.proofs
    )
    front.sign_ins.proofs.add(payload["jti"])
    return key["x"] if is_right else None


def identity_center(front: Front, request: Request) -> Answer | None:
    """What `aws sso login` talks to."""
    if request.service:
        return None
    match request.method, request.path:
        case "POST", "/client/register":
            expires = int(time.time()) + 90 * 86_400
            registered = {"clientId": "client", "clientSecret": "of the client"}
            return answer(registered | {"clientSecretExpiresAt": expires})
        case "POST", "/device_authorization":
            device = secrets.token_hex(4)
            page = f"https://{request.headers['host']}/device"
            begun = {"deviceCode": device, "userCode": device.upper(), "verificationUri": page}
            begun |= {"verificationUriComplete": f"{page}?code={device}"}
            return answer(begun | {"expiresIn": 600, "interval": 1})
        case "GET", "/device":
            front.sign_ins.approved.add(request.query.get("code", ""))
            return Answer(200, b"You may close this page.", "text/plain")
        case "POST", "/token":
            return device_token(front, json.loads(request.body or b"{}"))
        case "GET", "/assignment/accounts" | "/assignment/roles" | "/federation/credentials":
            return portal(front, request)
        case _:
            return None


def device_token(front: Front, asked: dict[str, str]) -> Answer:
    """Pending until somebody has said yes; then a token."""
    if front.sign_ins.refuses:
        return refused(400, "AccessDeniedException", front.sign_ins.refuses, "access_denied")
    if asked.get("deviceCode") not in front.sign_ins.approved:
        pending = "authorization_pending"
        return refused(400, "AuthorizationPendingException", "Not yet.", pending)
    token = {"accessToken": "portal-token", "tokenType": "Bearer", "expiresIn": 28_800}
    return answer(token | {"refreshToken": "portal-refresh"})


def portal(front: Front, request: Request) -> Answer:
    """What may be used, and the keys of it."""
    if request.headers.get("x-amz-sso_bearer_token") != "portal-token":
        return refused(401, "UnauthorizedException", "Session token not found or invalid", "")
    offered = front.sign_ins.roles
    if request.path.endswith("accounts"):
        names = {account: name for account, name, _ in offered}
        found = [{"accountId": account, "accountName": name} for account, name in names.items()]
        return answer({"accountList": found})
    account = request.query.get("account_id", "")
    roles = [role for of_account, _, role in offered if of_account == account]
    if request.path.endswith("roles"):
        return answer({"roleList": [{"accountId": account, "roleName": role} for role in roles]})
    if request.query.get("role_name") not in roles:
        return refused(403, "ForbiddenException", "No access", "")
    key, secret, session = front.sign_ins.keys()
    found = {"accessKeyId": key, "secretAccessKey": secret, "sessionToken": session}
    expiration = int((time.time() + 3600) * 1000)
    return answer({"roleCredentials": found | {"expiration": expiration}})


def answer(value: dict[str, Any]) -> Answer:
    return Answer(200, json.dumps(value).encode(), JSON)


def refused(status: int, code: str, message: str, error: str) -> Answer:
    body = {"error": error, "error_description": message, "message": message}
    return Answer(status, json.dumps(body).encode(), JSON, code)


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
