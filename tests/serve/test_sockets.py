"""Hostile and clumsy clients of a real server, over real sockets: others are answered meanwhile."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests import patience
from tests.conftest import Bank, serving

PREDICT = "/v1/models/bank/predict"
PATIENCE_S = 1.0
WAIT_S = 240.0
IDLE = 500
DRIPS = 1000


@pytest.fixture(scope="module")
def url(bank_workspace: Path) -> Iterator[str]:
    """A server that waits a second for what a client sends."""
    limits = {"BRINERY_SERVE_BODY_TIMEOUT_S": str(PATIENCE_S), "BRINERY_SERVE_MAX_BODY_MB": "1"}
    with serving(bank_workspace, "bank", **limits) as found:
        yield found


@pytest.fixture
def good(bank: Bank) -> bytes:
    """A request that is answered, whole."""
    return request(json.dumps(bank.row).encode())


def request(content: bytes, *headers: str, path: str = PREDICT, method: str = "POST") -> bytes:
    """Return a request as it is sent."""
    lines = [f"{method} {path} HTTP/1.1", "host: x", "content-type: application/json"]
    lines += [f"content-length: {len(content)}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + content


def connected(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=WAIT_S)


class Answers:
    """The answers on a connection, one after the other."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._rest = b""

    def next(self, *, head: bool = False) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of the next; status 0 where the connection ended."""
        try:
            while b"\r\n\r\n" not in self._rest:
                self._read()
            told, _, self._rest = self._rest.partition(b"\r\n\r\n")
            first, *lines = told.decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value for name, _, value in (one.partition(": ") for one in lines)
            }
            size = 0 if head else int(headers.get("content-length", "0"))
            while len(self._rest) < size:
                self._read()
        except (ConnectionError, EOFError):
            return 0, {}, b""
        content, self._rest = self._rest[:size], self._rest[size:]
        return int(first.split()[1]), headers, content

    def _read(self) -> None:
        part = self._connection.recv(65_536)
        if not part:
            raise EOFError
        self._rest += part


def answer(url: str, content: bytes) -> tuple[int, dict[str, str], bytes]:
    """Return the answer to some bytes on a connection of their own."""
    with connected(url) as connection:
        connection.sendall(content)
        return Answers(connection).next()


def assert_serves(url: str, good: bytes) -> None:
    assert answer(url, good)[0] == 200


def until_ended(connection: socket.socket) -> bytes:
    """Return what comes until the server ends a connection."""
    found = b""
    while True:
        try:
            part = connection.recv(65_536)
        except ConnectionError:
            return found
        if not part:
            return found
        found += part


def test_a_head_that_drips_is_given_up(url: str, good: bytes) -> None:
    """A client that sends a byte of its headers now and then is let go, and others are answered."""
    with connected(url) as slow:
        slow.sendall(b"POST " + PREDICT.encode() + b" HTTP/1.1\r\nhost: x\r\n")
        end = time.monotonic() + WAIT_S
        ended = False
        while not ended:
            assert time.monotonic() < end
            try:
                slow.sendall(b"a")
                assert_serves(url, good)
                slow.settimeout(0.2)
                ended = slow.recv(1000)[:12] in (b"", b"HTTP/1.1 408")
            except TimeoutError:
                continue
            except ConnectionError:
                ended = True


def test_half_a_body_and_then_nothing_is_408(url: str, good: bytes) -> None:
    """The client is told, and others are answered meanwhile."""
    with connected(url) as slow:
        slow.sendall(good[:-10])
        assert_serves(url, good)
        status, _, content = Answers(slow).next()
    assert (status, json.loads(content)["code"]) == (408, "body-too-slow")
    assert_serves(url, good)


def test_a_body_that_drips_is_408(url: str, good: bytes) -> None:
    """The time is that of the whole body, and not of its next byte."""
    with connected(url) as slow:
        content = good.partition(b"\r\n\r\n")[2]
        long = request(content + b" " * DRIPS)
        slow.sendall(long[:-DRIPS])
        slow.settimeout(0.1)
        told = b""
        for byte in long[-DRIPS:-1]:
            # It may have answered and hung up by now.
            with suppress(ConnectionError):
                slow.sendall(bytes([byte]))
            try:
                told = slow.recv(1000)
                break
            except TimeoutError:
                continue
        assert told.startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("ending", ["close", "reset", "half"])
def test_half_a_body_and_then_an_end_costs_nobody(url: str, good: bytes, ending: str) -> None:
    """Connections that are closed, reset or half closed in the middle leave nothing behind."""
    for _ in range(50):
        with connected(url) as gone:
            if ending == "reset":
                gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            gone.sendall(good[:-10])
            if ending == "half":
                gone.shutdown(socket.SHUT_WR)
    assert_serves(url, good)


def test_chunks_beyond_the_limit_are_refused(url: str, good: bytes) -> None:
    """A body that does not say how long it is is 413 where it is too long."""
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    head = good.partition(b"content-length")[0] + b"transfer-encoding: chunked\r\n\r\n"
    status, _, content = answer(url, head + chunk * 40 + b"0\r\n\r\n")
    assert (status, json.loads(content)["code"]) == (413, "body-too-large")
    assert_serves(url, good)


def test_a_client_that_waits_to_be_asked_is_asked(url: str, good: bytes) -> None:
    """`Expect: 100-continue` is answered by 100, and the body by 200."""
    head, _, content = good.partition(b"\r\n\r\n")
    with connected(url) as connection:
        connection.sendall(head + b"\r\nexpect: 100-continue\r\n\r\n")
        answers = Answers(connection)
        assert answers.next()[0] == 100
        connection.sendall(content)
        assert answers.next()[0] == 200


def test_requests_may_be_sent_before_the_answers_come(url: str, good: bytes) -> None:
    """Ten in one piece, good and bad, are answered in their order."""
    bad = request(b"{")
    with connected(url) as connection:
        connection.sendall((good + bad) * 5)
        answers = Answers(connection)
        assert [answers.next()[0] for _ in range(10)] == [200, 400] * 5


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/nowhere", "POST", 404),
        (PREDICT, "PUT", 405),
        ("/health", "POST", 405),
        (PREDICT, "POST", 415),
    ],
    ids=str,
)
def test_a_body_that_nobody_reads_is_no_next_request(
    url: str, good: bytes, path: str, method: str, status: int
) -> None:
    """After a refusal the connection is closed, or the next request on it is answered rightly."""
    smuggled = request(b"", path="/smuggled", method="GET")
    headers = ["content-encoding: br"] if status == 415 else []
    for content in (smuggled, smuggled * 3000):
        with connected(url) as connection:
            connection.sendall(request(content, *headers, path=path, method=method))
            answers = Answers(connection)
            assert answers.next()[0] == status
            try:
                connection.sendall(good)
            except ConnectionError:
                continue
            assert answers.next()[0] in (0, 200)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "GET", "PUT", "DELETE", "PATCH", "FOO"])
def test_another_method_is_405(url: str, good: bytes, method: str) -> None:
    """It says which one is meant, and leaves the connection in order."""
    with connected(url) as connection:
        connection.sendall(request(b"", method=method))
        answers = Answers(connection)
        status, headers, _ = answers.next(head=method == "HEAD")
        assert (status, headers["allow"]) == (405, "POST")
        connection.sendall(good)
        assert answers.next()[0] == 200


@pytest.mark.parametrize("path", ["/health", "/v1/models", "/openapi.json", "/docs"])
def test_a_head_has_no_body(url: str, good: bytes, path: str) -> None:
    """What answers GET answers HEAD, and the connection stays in order."""
    with connected(url) as connection:
        connection.sendall(request(b"", path=path, method="HEAD"))
        answers = Answers(connection)
        assert answers.next(head=True)[0] == 200
        connection.sendall(good)
        assert answers.next()[0] == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/{PREDICT}", 404),
        (PREDICT.replace("bank", "%62ank"), 200),
        (PREDICT.replace("/bank/", "%2Fbank/"), 200),
        (PREDICT.replace("bank", "bank%2f..%2fbank"), 404),
        ("/v1/models/../models/bank/predict", 404),
        (f"{PREDICT}/", 404),
        (f"{PREDICT}%00", 404),
        (f"{PREDICT}?x=%ff", 200),
        (f"{PREDICT};x", 404),
        (PREDICT.replace("bank", "BANK"), 404),
        (f"http://elsewhere{PREDICT}", 200),
    ],
    ids=str,
)
def test_a_path_is_taken_as_it_is(url: str, good: bytes, path: str, status: int) -> None:
    """Nothing is resolved or joined: what is no route once it is decoded is 404."""
    assert answer(url, request(good.partition(b"\r\n\r\n")[2], path=path))[0] == status


@pytest.mark.parametrize(
    "given",
    ["a\x00b", "\xe9\xff", "a" * 5000, "\t", "a\tb", "x\x7f"],
    ids=["null", "latin", "long", "tab", "inner tab", "del"],
)
def test_an_id_that_cannot_stand_in_a_header_is_not_returned(
    url: str, good: bytes, given: str
) -> None:
    """It is refused or replaced by one of ours."""
    content = good.partition(b"\r\n\r\n")[2]
    status, headers, _ = answer(url, request(content, f"x-request-id: {given}"))
    assert status in (200, 400)
    assert headers.get("x-request-id") != given


def test_an_id_brings_no_header_along(url: str, good: bytes) -> None:
    """A line break in it, as it is or encoded, makes no header of the answer."""
    content = good.partition(b"\r\n\r\n")[2]
    for given in ("a\nset-cookie: b", "a\rset-cookie: b", "a%0d%0aset-cookie: b"):
        status, headers, _ = answer(url, request(content, f"x-request-id: {given}"))
        assert status in (200, 400)
        assert "set-cookie" not in headers


@pytest.mark.parametrize("said", ["nan", "1e309", "-1", "0", "-0.0", "x", "1_0", "inf", "1,2"])
def test_a_time_that_is_none_is_refused(url: str, good: bytes, said: str) -> None:
    """400, and what is a number of seconds is taken."""
    content = good.partition(b"\r\n\r\n")[2]
    status, _, told = answer(url, request(content, f"request-timeout: {said}"))
    assert (status, json.loads(told)["code"]) == (400, "malformed-timeout")
    assert answer(url, request(content, "request-timeout: 5"))[0] == 200


def memory_mb(url: str) -> float:
    """Return the memory of all processes that listen on a server's port."""
    found = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            if b"spawn_main" in command and str(os.getpid()) in lineage(process):
                status = (process / "status").read_text()
                found += int(status.partition("VmRSS:")[2].split()[0])
        except (OSError, ValueError, IndexError):
            continue
    assert url
    return found / 1024


def lineage(process: Path) -> list[str]:
    """Return the ids of the processes that a process comes from."""
    found = []
    number = process.name
    while number not in ("0", ""):
        found.append(number)
        stat = Path(f"/proc/{number}/stat").read_text()
        number = stat.rpartition(")")[2].split()[1]
    return found


@pytest.mark.slow
def test_headers_that_are_always_new_take_no_memory(url: str, bank: Bank) -> None:
    """What was agreed on with a client is kept for a few, and not where it is long."""
    with patience.client(base_url=url) as client:

        def flood(first: int) -> None:
            for number in range(first, first + 1000):
                accept = f"application/json;q=0.5;v={number};{'x' * 30_000}"
                answered = client.post(PREDICT, json=bank.row, headers={"accept": accept})
                assert answered.status_code == 200

        flood(0)
        before = memory_mb(url)
        flood(1000)
        assert memory_mb(url) - before < 15  # all of them would be 30 MB


def test_huge_headers_are_refused(url: str, good: bytes) -> None:
    """A megabyte of them, in one or in thousands, is 4xx or the end of the connection."""
    content = good.partition(b"\r\n\r\n")[2]
    for headers in ([f"x: {'a' * 1_000_000}"], [f"x{i}: {'a' * 100}" for i in range(10_000)]):
        with connected(url) as connection:
            try:
                connection.sendall(request(content, *headers))
                status = Answers(connection).next()[0]
            except ConnectionError:
                status = 0
            assert status == 0 or 400 <= status < 500
    assert_serves(url, good)


def test_the_second_protocol_is_spoken(url: str, bank: Bank) -> None:
    """A client that begins with HTTP/2 at once is greeted in it."""
    assert bank.row
    with connected(url) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0")
        found = connection.recv(9)
    assert found[3] == 4  # the type of a SETTINGS frame


def test_those_who_are_connected_and_say_nothing_hold_nobody_up(url: str, good: bytes) -> None:
    """Five hundred idle connections are let go in time, and others are answered meanwhile."""
    with ExitStack() as stack:
        idle = [stack.enter_context(connected(url)) for _ in range(IDLE)]
        for connection in idle[: IDLE // 2]:
            connection.sendall(good[:20])
        for _ in range(20):
            assert_serves(url, good)
        for connection in idle[: IDLE // 2]:
            assert until_ended(connection)[:12] in (b"", b"HTTP/1.1 408")
    assert_serves(url, good)


@pytest.mark.slow
def test_one_that_never_reads_takes_no_memory(url: str, good: bytes) -> None:
    """Its requests are no longer read when its answers are not, and others are answered."""
    before = memory_mb(url)
    with connected(url) as deaf:
        deaf.settimeout(0.0)
        sent = 0
        end = time.monotonic() + 10
        while sent < 200_000_000 and time.monotonic() < end:
            try:
                sent += deaf.send(good * 100)
            except BlockingIOError:
                time.sleep(0.01)
            except ConnectionError:
                break  # it is let go
        assert_serves(url, good)
        assert memory_mb(url) - before < 100
