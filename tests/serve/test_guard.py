"""Who may ask what: strangers' names and strangers' pages are refused, programs are not."""

from __future__ import annotations

import httpx
import pytest
from tests.serve.rsgi import FakeHeaders, FakeScope

from brinery.serve.guard import Guard
from brinery.serve.problems import Problem

OWNED = "/api/v1/models/m/promote"
OTHER = "/api/2.0/mlflow/runs/create"


def asked(
    method: str = "GET", path: str = OTHER, client: str = "10.0.0.7:9", **headers: str
) -> str:
    """Return the code of the refusal of a request; empty where there is none."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    scope = FakeScope(method, httpx.URL(f"http://x{path}"), {"host": "localhost:5001", **named})
    scope.client = client
    try:
        Guard(["mlflow.example.com", ""], owned="/api/v1/").check(scope)
    except Problem as problem:
        return problem.code
    return ""


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:5001", "app.localhost", "127.0.0.1:5001", "[::1]:5001", "10.1.2.3",
     "8.8.8.8:80", "mlflow.example.com", "MLflow.Example.com.:5001"],
)  # fmt: skip
def test_addresses_and_known_names_are_answered(host: str) -> None:
    """A stranger can make a name mean this machine, and no address."""
    assert asked(host=host) == ""


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "xmlflow.example.com"],
)
def test_other_names_are_not(host: str) -> None:
    """Not even for reading."""
    assert asked(host=host) == "host-not-allowed"


def test_the_authority_stands_for_the_host() -> None:
    """HTTP/2 has no header of it."""
    scope = FakeScope("GET", httpx.URL("http://x/"), {})
    scope.authority = "evil.example"
    with pytest.raises(Problem):
        Guard([]).check(scope)
    assert isinstance(scope.headers, FakeHeaders)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, ""),
        ({"origin": "http://localhost:5001"}, ""),
        ({"origin": "https://localhost:5001", "sec_fetch_site": "same-origin"}, ""),
        ({"origin": "http://localhost:3000"}, "other-origin"),
        ({"origin": "https://evil.example"}, "other-origin"),
        ({"origin": "null"}, "other-origin"),
        ({"sec_fetch_site": "cross-site"}, "other-origin"),
        ({"sec_fetch_site": "same-site"}, "other-origin"),
        ({"sec_fetch_site": "none"}, ""),
    ],
)
def test_pages_of_others_change_nothing(headers: dict[str, str], code: str) -> None:
    """What a browser says of where a request comes from is believed, and decides."""
    assert asked("POST", **headers) == code
    assert asked("GET", **headers) == ""


@pytest.mark.parametrize(
    ("client", "code"),
    [
        ("127.0.0.1:9", ""),
        ("127.8.8.8:9", ""),
        ("[::1]:9", ""),
        ("::1:9", ""),
        ("::ffff:127.0.0.1:9", ""),
        ("10.0.0.7:9", "not-local"),
        ("::ffff:10.0.0.7:9", "not-local"),
        ("2001:db8::1:9", "not-local"),
    ],
)
def test_our_own_api_is_changed_from_here(client: str, code: str) -> None:
    """Another machine's programs read it; our page, wherever it is shown, changes it, too."""
    assert asked("POST", OWNED, client) == code
    assert asked("GET", OWNED, client) == ""
    assert asked("POST", OTHER, client) == ""
    assert asked("POST", OWNED, client, origin="http://localhost:5001") == ""
