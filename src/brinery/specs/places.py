"""What may be said of where models and records are kept: a database, and a folder or a bucket.

Nothing is connected to here. A password is never part of what is shown.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from brinery.specs.names import nearest

_PLAIN = "postgresql"
_DRIVER = "postgresql+psycopg"
_S3 = "s3://"
_HIDDEN = "***"
_SECRETS = {"password", "sslpassword", "passfile"}
_USERINFO = re.compile(r"(?<=://)([^/@\s:]*):[^@\s]*(?=@)")
_QUERY = re.compile(r"\b((?:ssl)?password=)[^&\s'\"]+", re.IGNORECASE)


def database(uri: str) -> str:
    """Return the URI of a PostgreSQL database with the driver that is used; empty stays empty.

    Raises:
        ValueError: it is none; the message does not repeat it.
    """
    if not uri:
        return ""
    scheme, colon, rest = uri.partition("://")
    if not colon:
        raise ValueError("it is no address: postgresql://USER@HOST/DATABASE is one")
    if scheme not in (_PLAIN, _DRIVER):
        near = nearest(scheme, [_PLAIN])
        said = f"did you mean {near}://?" if near else "postgresql://USER@HOST/DATABASE is"
        raise ValueError(f"'{scheme}://' is no database that is known here: {said}")
    try:
        parts = urlsplit(f"{_PLAIN}://{rest}")
        _ = parts.port
    except ValueError:
        raise ValueError("the host or the port cannot be read") from None
    if not unquote(parts.path).strip("/"):
        raise ValueError("the address names no database: postgresql://USER@HOST/DATABASE does")
    return f"{_DRIVER}://{rest}"


def artifacts(place: str) -> str:
    """Return the place of artifacts, without a slash at its end; empty stays empty.

    Raises:
        ValueError: it is neither `s3://BUCKET/PREFIX` nor a folder's whole path.
    """
    if not place or PurePath(place).is_absolute():
        return place.rstrip("/") or place
    if not place.startswith(_S3):
        raise ValueError("it is neither s3://BUCKET/PREFIX nor the whole path of a folder")
    if unfit := set("?#") & set(place):
        raise ValueError(f"'{min(unfit)}' is no part of the address of a bucket")
    if not urlsplit(place).netloc:
        raise ValueError("the address names no bucket: s3://BUCKET/PREFIX does")
    return place.rstrip("/")


def libpq(uri: str) -> str:
    """Return a database's URI as PostgreSQL's own library takes it, which knows no drivers."""
    return uri.replace(f"{_DRIVER}://", f"{_PLAIN}://", 1)


def shown(uri: str) -> str:
    """Return a URI as it may be shown: without the name of a driver, and without a password."""
    plain = libpq(uri)
    parts = urlsplit(plain)
    if not parts.netloc and not parts.query:
        return plain
    user, at, host = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    query = [
        (key, _HIDDEN if key.lower() in _SECRETS else value)
        for key, value in parse_qsl(parts.query)
    ]
    hidden = f"{name}{':' + _HIDDEN if colon else ''}{at}{host}{parts.path}"
    return f"{parts.scheme}://{hidden}{'?' if query else ''}{urlencode(query, safe='*/:')}"


def without_passwords(text: str) -> str:
    """Return a text of another program, with a password in any URI in it hidden."""
    return _QUERY.sub(rf"\1{_HIDDEN}", _USERINFO.sub(rf"\1:{_HIDDEN}", text))
