"""The login: what a browser is given for a key, and what it is not."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from tests.web.pages.conftest import Visitor

from brinery.actions.keys import create_key, page_secret
from brinery.actions.rooms import open_rooms
from brinery.serve.door import session


def test_a_key_gives_a_session_that_scripts_do_not_see(visitor: Visitor, tmp_path: Path) -> None:
    """It is signed by the server, bound to the key, and goes to no other site."""
    made, secret = create_key(workspace=tmp_path)
    answer = visitor.send("/login", {"key": secret, "next": "/models?q=1"}, page="/login")
    assert answer.status_code == httpx.codes.SEE_OTHER
    assert answer.headers["location"] == "/models?q=1"
    cookie = answer.headers["set-cookie"]
    assert session(page_secret(open_rooms(tmp_path)), made.sha256) in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert secret not in cookie
    assert made.sha256 not in cookie


def test_a_wrong_key_gives_nothing(visitor: Visitor) -> None:
    """It says so after a second, and sets no session."""
    answer = visitor.send("/login", {"key": "wrong"}, page="/login")
    assert answer.status_code == httpx.codes.UNAUTHORIZED
    assert "brinery_key" not in answer.headers.get("set-cookie", "")


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil", "a\nb"])
def test_no_login_leads_elsewhere(visitor: Visitor, tmp_path: Path, path: str) -> None:
    """What follows a login is a path of this server, whatever the address asks."""
    _, secret = create_key(workspace=tmp_path)
    answer = visitor.send("/login", {"key": secret, "next": path}, page="/login")
    assert answer.headers["location"] == "/"


def test_a_browser_is_let_out(visitor: Visitor) -> None:
    """Its session is taken from it."""
    answer = visitor.send("/login", {"out": "1"}, page="/login")
    assert 'brinery_key=""' in answer.headers["set-cookie"]
