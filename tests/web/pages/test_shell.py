"""What every page has: its policy, its files, its words for what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest
from tests.web.pages.conftest import Visitor

WEB = Path(__file__).parents[3] / "web"


def test_a_page_may_load_nothing_but_its_own(visitor: Visitor) -> None:
    """Its policy says so, no other page may frame it, and it is not kept."""
    answer = visitor.get("/")
    assert answer.status_code == httpx.codes.OK
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert not re.search(r"https?://", answer.text)


def test_every_file_of_a_page_is_there_and_kept(visitor: Visitor) -> None:
    """Each is named by its content and kept for ever; under another digest there is none."""
    paths = set(re.findall(r'"(/assets/[^"]+)"', visitor.get("/").text))
    assert len(paths) >= 5
    for path in paths:
        answer = visitor.get(path)
        assert answer.status_code == httpx.codes.OK
        assert "immutable" in answer.headers["cache-control"]
        assert visitor.get(path, accept_encoding="gzip").headers["content-encoding"] == "gzip"
        _, _, digest, name = path.split("/")
        assert visitor.get(f"/assets/{digest[::-1]}/{name}").status_code == httpx.codes.NOT_FOUND


def test_what_is_fetched_is_pinned_without_addresses() -> None:
    """Four packages are for pages, and the lock says what they are, not where one got them."""
    asked = json.loads((WEB / "package.json").read_text(encoding="utf-8"))
    runtime = {"@picocss/pico", "htmx-ext-sse", "htmx.org", "plotly.js-cartesian-dist-min"}
    assert set(asked["dependencies"]) == runtime
    lock = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))
    for name, package in lock["packages"].items():
        assert "resolved" not in package, name
        assert package.get("integrity") or not name, name


@pytest.mark.parametrize("path", ["/assets/x/../../page.key", "/assets/x/%2e%2e%2fpage.key"])
def test_no_other_file_is_sent(visitor: Visitor, path: str) -> None:
    """A path that leaves the folder is none."""
    assert visitor.get(path).status_code == httpx.codes.NOT_FOUND


def test_what_is_no_page_is_told_as_one(visitor: Visitor) -> None:
    """A person gets a page; a part of a page gets a part."""
    whole = visitor.get("/models/there/is/none")
    assert whole.status_code == httpx.codes.NOT_FOUND
    assert "<!doctype html>" in whole.text
    part = visitor.part("/models/there/is/none")
    assert "<!doctype html>" not in part.text
    assert 'role="alert"' in part.text
