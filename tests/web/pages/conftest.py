"""Pages asked in this process: what they say, without a server and without a browser."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import httpx
import pytest

from brinery.actions.rooms import open_rooms
from brinery.serve.traffic import Watched
from brinery.web.pages import site

_ORIGIN = "http://localhost"


class Visitor:
    """A browser without scripts, which keeps its cookies.

    Args:
        workspace: whose pages it asks for.
        watched: what the server in front counts; nothing when None.
    """

    def __init__(self, workspace: Path, watched: Watched | None = None) -> None:
        self._application = site.application(open_rooms(workspace), watched=watched)
        self._cookies = httpx.Cookies()

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Return the answer to a GET; `_` in a header's name stands for `-`."""
        return self._ask("GET", path, headers=headers)

    def part(self, path: str) -> httpx.Response:
        """Return the answer to a GET of htmx, which wants a part of a page."""
        return self._ask("GET", path, headers={"hx-request": "true"})

    def post(self, path: str, form: dict[str, str] | None = None, **headers: str) -> httpx.Response:
        """Return the answer to a form that no page of ours gave its token."""
        return self._ask("POST", path, headers=headers, form=form or {})

    def json(self, path: str, body: object, *, token: str) -> httpx.Response:
        """Return the answer to a POST of a script, with a token."""
        headers = {"content-type": "application/json", "x-brinery-token": token}
        return self._ask("POST", path, headers=headers, content=json.dumps(body).encode())

    def send(
        self, path: str, form: dict[str, str] | None = None, *, page: str, **headers: str
    ) -> httpx.Response:
        """Return the answer to a form of a page, with the token that stands there."""
        return self.post(path, {"token": self._token(page), **(form or {})}, **headers)

    def upload(self, path: str, content: bytes, *, page: str, **headers: str) -> httpx.Response:
        """Return the answer to a file that our script sends from a page."""
        told = {"x-brinery-token": self._token(page), **headers}
        return self._ask("POST", path, headers=told, content=content)

    def form(self, path: str, content: bytes, *, called: str, token: str) -> httpx.Response:
        """Return the answer to a form with a file, as a browser without scripts sends it."""
        parts = (
            f'--XX\r\ncontent-disposition: form-data; name="token"\r\n\r\n{token}\r\n--XX\r\n'
            f'content-disposition: form-data; name="file"; filename="{called}"\r\n'
            "content-type: application/octet-stream\r\n\r\n"
        )
        headers = {"content-type": "multipart/form-data; boundary=XX"}
        whole = parts.encode() + content + b"\r\n--XX--\r\n"
        return self._ask("POST", path, headers=headers, content=whole)

    def token(self, page: str) -> str:
        """Return the token of the forms of a page."""
        return self._token(page)

    def _token(self, page: str) -> str:
        found = re.search(r'x-brinery-token": "([0-9a-f]+)"', self.get(page).text)
        assert found is not None, f"{page} has no token"
        return found[1]

    def _ask(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str],
        form: dict[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self._application, raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url=_ORIGIN, cookies=self._cookies
            ) as client:
                told = {name.replace("_", "-"): value for name, value in headers.items()}
                answer = await client.request(
                    method, path, headers=told, data=form, content=content
                )
                self._cookies.update(client.cookies)
                return answer

        return asyncio.run(asked())


@pytest.fixture
def visitor(tmp_path: Path) -> Visitor:
    """A visitor of an empty workspace."""
    return Visitor(tmp_path)
