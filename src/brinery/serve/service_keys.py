"""Who may ask an API service: everybody, or who sends one of its keys.

A key is sent as the user name of HTTP Basic authentication, or as its password, or as a bearer
token. Of the keys only digests are known here.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode
from collections.abc import Collection
from http import HTTPStatus

from brinery.serve.problems import Problem
from brinery.serve.rsgi import RequestHeaders

_CHALLENGE = 'Basic realm="API service", charset="UTF-8"'


def digest(key: str) -> str:
    """Return what is kept of a key: 64 hexadecimal digits."""
    return hashlib.sha256(key.encode()).hexdigest()


def check(digests: Collection[str] | None, headers: RequestHeaders) -> None:
    """Return where a request may be answered.

    Args:
        digests: of the keys that are accepted; None where everybody may ask.
        headers: of the request.

    Raises:
        Problem: 401 where no key is sent, 403 where it is none of these.
    """
    if digests is None:
        return
    sent = _keys(headers.get("authorization", ""))
    if not sent:
        raise Problem(
            HTTPStatus.UNAUTHORIZED,
            "key-missing",
            "this API service is asked with one of its keys",
            hint="curl -u KEY: …",
            headers={"www-authenticate": _CHALLENGE},
        )
    found = [digest(key) for key in sent]
    # Every pair is compared, so that the time says nothing.
    hits = [hmac.compare_digest(one, other) for one in found for other in digests]
    if not any(hits):
        raise Problem(HTTPStatus.FORBIDDEN, "key-unknown", "the key is none of this API service's")


def _keys(said: str) -> list[str]:
    """Return what may be the key in an `authorization` header."""
    scheme, _, given = said.strip().partition(" ")
    if scheme.lower() == "bearer":
        return [given.strip()] if given.strip() else []
    if scheme.lower() != "basic":
        return []
    try:
        user, _, password = b64decode(given.strip(), validate=True).decode().partition(":")
    except ValueError:
        return []
    return [each for each in (user, password) if each]
