"""Files of the web, downloaded once and again where they changed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec
import urllib3

from brinery.errors import DataUnreachable
from brinery.records.ready import decoded

_CHUNK: Final = 1 << 20
_CONNECT_S: Final = 10.0
_READ_S: Final = 60.0
_NOT_MODIFIED: Final = 304
_OK: Final = 200


class _Met(msgspec.Struct):
    """What the server said of a file when it was downloaded."""

    url: str
    etag: str = ""
    modified: str = ""


def download(url: str, cache: Path, *, note: Callable[[str], None]) -> Path:
    """Return where a file of the web lies now; an unchanged one is not downloaded again.

    Args:
        url: `http` or `https`; of a file.
        cache: the folder that downloads are kept in.
        note: told where an older copy stands for one that cannot be reached now.

    Raises:
        DataUnreachable: it cannot be downloaded, and never was.
    """
    name = Path(unquote(urlsplit(url).path)).name or "index"
    home = cache / hashlib.sha256(url.encode()).hexdigest()[:32]
    file, facts = home / name, home / ".met.json"
    before = _met(facts) if file.exists() else _Met(url)
    try:
        met = _fetch(url, file, before)
    except DataUnreachable as error:
        if not file.exists():
            raise
        note(f"{error.message}; the copy of before is used")
    else:
        facts.write_bytes(msgspec.json.encode(met))
    return file


def _fetch(url: str, file: Path, before: _Met) -> _Met:
    """Return what the server says of a file, which is written where it is not as before.

    Raises:
        DataUnreachable: the server cannot be reached, or does not give it.
    """
    asked = {"If-None-Match": before.etag, "If-Modified-Since": before.modified}
    headers = {key: value for key, value in asked.items() if value}
    try:
        with _answer(url, headers) as answer:
            if answer.status == _NOT_MODIFIED:
                return before
            if answer.status == _OK:
                file.parent.mkdir(parents=True, exist_ok=True)
                staged = file.with_name(f".{os.getpid()}.part")
                with staged.open("wb") as stream:
                    for chunk in answer.stream(_CHUNK):
                        stream.write(chunk)
                staged.replace(file)
                said = answer.headers
                return _Met(url, said.get("etag", ""), said.get("last-modified", ""))
            reason = f"{url} answered {answer.status} {answer.reason or ''}".strip()
    except urllib3.exceptions.HTTPError as error:
        raise DataUnreachable(_reason(url, error)) from error
    raise DataUnreachable(reason)


@contextmanager
def _answer(url: str, headers: dict[str, str]) -> Iterator[urllib3.BaseHTTPResponse]:
    timeout = urllib3.Timeout(connect=_CONNECT_S, read=_READ_S)
    with (
        urllib3.PoolManager(timeout=timeout, retries=urllib3.Retry(total=2, redirect=5)) as pool,
        closing(pool.request("GET", url, headers=headers, preload_content=False)) as answer,
    ):
        yield answer


def _reason(url: str, error: Exception) -> str:
    cause = getattr(error, "reason", None) or error
    return f"{url} cannot be downloaded: {' '.join(str(cause).split())[:200]}"


def _met(facts: Path) -> _Met:
    try:
        return decoded(facts.read_bytes(), _Met)
    except (OSError, msgspec.DecodeError):
        return _Met("")
