"""`mirror`: addresses that a script downloads from are answered from files of this machine.

`brinery run --mirror URL=FILE`, and `[map]` of the settings. A folder stands for all addresses that
begin with its own.
"""

from __future__ import annotations

import functools
import io
import os
from email.message import Message
from types import ModuleType
from typing import Any, Callable, Optional
from urllib.parse import unquote

from brinery_shims import notes, setup

STEP = "mirror"


def found(url: str) -> Optional[str]:
    """Return the path of the file that stands for an address; None where none does."""
    mirrors = setup.mirrors()
    if not mirrors:
        return None
    plain = url.partition("#")[0]
    bare = plain.partition("?")[0]
    path = mirrors.get(plain) or mirrors.get(bare)
    if path is None:
        for start in sorted(mirrors, key=len, reverse=True):
            rest = bare[len(start) :]
            if bare.startswith(start) and (start.endswith("/") or rest.startswith("/")):
                below = os.path.normpath(unquote(rest)).lstrip("/.")
                path = os.path.join(mirrors[start], below)
                break
    if path is None:
        return None
    notes.tell(STEP, f"{url} is answered from {path}")
    return path


def headers(path: str) -> dict[str, str]:
    """Return what a server would say of a file."""
    import mimetypes

    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    return {"Content-Type": kind, "Content-Length": str(os.path.getsize(path))}


def apply(module: ModuleType) -> Callable[[], None] | None:
    """Have `requests`, or `urllib.request` and so pandas, ask the mirrors first.

    Returns:
        what undoes it; None where there are no mirrors.
    """
    if not setup.mirrors():
        return None
    if module.__name__ == "requests.adapters":
        return _in_requests(module)
    return _in_urllib(module)


def _in_requests(module: Any) -> Callable[[], None]:
    original = module.HTTPAdapter.send

    @functools.wraps(original)
    def send(adapter: Any, request: Any, *given: Any, **named: Any) -> Any:
        path = found(request.url)
        if path is None:
            return original(adapter, request, *given, **named)
        from urllib3 import HTTPResponse

        body = io.BytesIO() if request.method == "HEAD" else open(path, "rb")
        answer = HTTPResponse(
            body=body,
            headers=headers(path),
            status=200,
            reason="OK",
            preload_content=False,
            request_method=request.method,
        )
        return adapter.build_response(request, answer)

    module.HTTPAdapter.send = send

    def undo() -> None:
        module.HTTPAdapter.send = original

    return undo


def _in_urllib(module: Any) -> Callable[[], None]:
    original = module.OpenerDirector.open

    @functools.wraps(original)
    def opened(director: Any, fullurl: Any, *given: Any, **named: Any) -> Any:
        url = fullurl if isinstance(fullurl, str) else fullurl.full_url
        path = found(url)
        if path is None:
            return original(director, fullurl, *given, **named)
        from urllib.response import addinfourl

        said = Message()
        for name, value in headers(path).items():
            said[name] = value
        answer = addinfourl(open(path, "rb"), said, url, 200)
        answer.msg = "OK"  # type: ignore[attr-defined]
        return answer

    module.OpenerDirector.open = opened

    def undo() -> None:
        module.OpenerDirector.open = original

    return undo
