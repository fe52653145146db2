"""The files of the /docs page."""

from __future__ import annotations

import re

import pytest
from tests.serve.conftest import Api


def test_the_page_is_html_with_a_policy(api: Api) -> None:
    """The page may load nothing but its own files, and no other page may frame it."""
    answer = api.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_everything_the_page_names_is_there(api: Api) -> None:
    """Each file that the page loads is answered, with the type that browsers insist on."""
    types = {
        "css": "text/css; charset=utf-8",
        "js": "text/javascript; charset=utf-8",
        "svg": "image/svg+xml",
    }
    paths = set(re.findall(r'"(/docs/assets/[^"]+)"', api.get("/docs").text))
    assert len(paths) >= 4
    for path in paths:
        answer = api.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == types[path.rpartition(".")[2]]
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/docs", "/docs/assets/docs.js"])
def test_a_file_is_asked_for_again_and_not_sent_again(api: Api, path: str) -> None:
    """A browser asks each time, and what it has already is not sent a second time."""
    first = api.get(path)
    assert first.headers["cache-control"] == "no-cache"
    for tag in (first.headers["etag"], f'"x", W/{first.headers["etag"]}'):
        again = api.get(path, headers={"if-none-match": tag})
        assert (again.status_code, again.content) == (304, b"")
    assert api.get(path, headers={"if-none-match": '"x"'}).status_code == 200


@pytest.mark.parametrize("value", ["bytes=abc", "bytes=999999999-", "bytes=0-" + ",0-" * 5000])
def test_a_range_is_not_looked_at(api: Api, value: str) -> None:
    """The files are small: whatever range is asked for, the whole is sent."""
    assert api.get("/docs/assets/docs.js", headers={"range": value}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "../app.py",
        "%2e%2e/app.py",
        "..%2fapp.py",
        "%2e%2e%2fapp.py",
        "..%5capp.py",
        "vendor/../../app.py",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "%00",
        "docs.js%00",
        "docs.js/",
        "vendor",
        "",
        "a" * 50_000,
    ],
)
def test_no_path_leads_out_of_the_folder(api: Api, path: str) -> None:
    """Only the files of the page can be had, however the path is written."""
    assert api.get(f"/docs/assets/{path}").status_code == 404
