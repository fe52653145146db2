"""Verify a package: its bytes by their digests, its answers by those of the registered model.

It needs Python 3.9 or later and nothing else: `python verify.py` in the package's folder makes a
fresh environment of the package's own requirements, starts the package in it as its platform would,
asks it the rows in `proof/`, and compares the answers. `--digests` compares the bytes only.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import venv
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

TOLERANCE = 1e-9
DIGESTS = "digests.json"
PROOF = "proof"
ROWS = f"{PROOF}/rows.json"
START = f"{PROOF}/start.json"
TOOLS = f"{PROOF}/requirements.txt"

_ALONE = 20
_BATCH = 50
_START_S = 120.0
_ANSWER_S = 60.0
_OK, _REFUSED = 200, range(400, 500)
_TAIL = 2000
_LISTED = 5
# What running a package leaves behind, and no package holds.
_LEFT = ("__pycache__",)


class NotProven(Exception):
    """The package is not what it says; the text says why."""


class Outcome(NamedTuple):
    """What was compared.

    Attributes:
        rows: how many rows were answered as the registered model does.
        requests: how many requests that took.
        refused: how many bad requests were refused with a reason.
        max_difference: the largest difference of a probability, or of a value.
        start_s: seconds from the start of the process to its first answer.
    """

    rows: int
    requests: int
    refused: int
    max_difference: float
    start_s: float


class Answer(NamedTuple):
    """What a package answered: a status of HTTP, and JSON."""

    status: int
    document: Any


def digest(folder: Path) -> str:
    """Return the digest of a package: that of the list of its files' digests."""
    try:
        return hashlib.sha256((folder / DIGESTS).read_bytes()).hexdigest()
    except OSError:
        raise NotProven(f"{folder.name} has no {DIGESTS}: it is no package") from None


def altered(folder: Path) -> list[str]:
    """Return what differs from the package as it was made, such as `main.py: its bytes differ`.

    Raises:
        NotProven: it is no package.
    """
    try:
        known: dict[str, str] = dict(json.loads((folder / DIGESTS).read_bytes()))
    except (OSError, ValueError, TypeError):
        raise NotProven(f"{folder.name} has no {DIGESTS} that can be read") from None
    there = {path: folder / path for path in files(folder) if path != DIGESTS}
    found = [f"{path}: it is missing" for path in known if path not in there]
    found += [f"{path}: it was added" for path in there if path not in known]
    for path, sha256 in known.items():
        file = there.get(path)
        if file is not None and hashlib.sha256(file.read_bytes()).hexdigest() != sha256:
            found.append(f"{path}: its bytes differ")
    return sorted(found)


def sound(folder: Path) -> str:
    """Return the digest of a package whose files are as they were made.

    Raises:
        NotProven: they are not, or it is no package.
    """
    if found := altered(folder):
        raise NotProven(f"it was altered: {'; '.join(found[:_LISTED])}")
    return digest(folder)


def files(folder: Path) -> list[str]:
    """Return the paths of the files in a folder, without what running them left, sorted."""
    every = (path for path in folder.rglob("*") if path.is_file() or path.is_symlink())
    paths = (path.relative_to(folder) for path in every)
    return sorted(path.as_posix() for path in paths if not set(path.parts) & set(_LEFT))


def environment(folder: Path, place: Path) -> Path:
    """Return the Python of a fresh environment of a package's own requirements, and its proof's.

    Args:
        folder: of the package.
        place: of the environment.

    Raises:
        NotProven: it cannot be made.
    """
    venv.create(place, with_pip=True)
    python = place / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    files = [folder / "requirements.txt", folder / TOOLS]
    _run([*install, *(part for file in files if file.is_file() for part in ("-r", str(file)))])
    for wheel in sorted(folder.glob("*.whl")):
        _run([*install, "--no-deps", "--no-index", str(wheel)])
    return python


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotProven(f"the environment cannot be made: {done.stderr[-_TAIL:].strip()}")


def replay(folder: Path, python: Path, *, proof: Mapping[str, Any]) -> Outcome:
    """Return what came of asking a package the rows of a proof.

    Args:
        folder: of the package.
        python: of the environment that it runs in.
        proof: `rows`, and the registered model's `predictions` and `probabilities` for them.

    Raises:
        NotProven: it does not start, answers otherwise, or takes what is bad.
    """
    start = json.loads((folder / START).read_bytes())
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as scratch,
        _running(folder, python, start=start, scratch=Path(scratch)) as package,
    ):
        rows: list[Any] = proof["rows"]
        package.first(_json(rows[0]))
        start_s = time.monotonic() - began
        compared = _Compared(proof, key=start["key"])
        for number in range(min(_ALONE, len(rows))):
            compared.alone(number, _asked(package, rows[number]))
        for at in range(0, len(rows), _BATCH):
            compared.batch(at, _asked(package, {"rows": rows[at : at + _BATCH]}))
        refused = _bad(package, rows[0])
    requests = min(_ALONE, len(rows)) + math.ceil(len(rows) / _BATCH) + refused
    return Outcome(len(rows), requests, refused, compared.largest, start_s)


def _asked(package: _Package, document: Any) -> Any:
    answer = package.ask(_json(document))
    if answer.status != _OK:
        raise NotProven(f"a good request is answered with {answer.status}: {answer.document}")
    return answer.document


def _bad(package: _Package, row: Mapping[str, Any]) -> int:
    """Return how many bad requests were refused, with a reason.

    Raises:
        NotProven: one was not.
    """
    name = next(iter(row), "x")
    bodies = [
        b"",
        b"{",
        b"[]",
        b'"text"',
        _json({"no such column": 1}),
        _json([row, {"no such column": 1}]),
        _json({**row, name: ["a list"]}),
    ]
    for body in bodies:
        answer = package.ask(body)
        told = answer.document if isinstance(answer.document, dict) else {}
        if answer.status not in _REFUSED or not told.get("detail"):
            raise NotProven(f"the bad request {body[:80]!r} is answered with {answer.status}")
    return len(bodies)


class _Compared:
    """Holds answers against those of the registered model, by the parity rule."""

    def __init__(self, proof: Mapping[str, Any], *, key: str) -> None:
        self._predictions = proof["predictions"]
        self._probabilities = proof.get("probabilities")
        self._key = key
        self.largest = 0.0

    def alone(self, number: int, document: Any) -> None:
        """Compare the answer to one row."""
        self._same(number, document)

    def batch(self, first: int, document: Any) -> None:
        """Compare the answers to some rows."""
        answers = document["predictions"]
        for place, answer in enumerate(answers):
            self._same(first + place, answer)
            if self._probabilities is not None:
                expected, found = self._probabilities[first + place], answer["probabilities"]
                if set(expected) != set(found):
                    raise NotProven(f"row {first + place}: probabilities of other classes")
                for label, chance in expected.items():
                    self._near(first + place, chance, found[label], relative=False)

    def _same(self, number: int, answer: Any) -> None:
        expected = self._predictions[number]
        if not isinstance(answer, dict) or self._key not in answer:
            raise NotProven(f"row {number}: it is answered without {self._key!r}: {answer}")
        found = answer[self._key]
        pairs = [(expected, found)]
        if isinstance(expected, dict):
            if not isinstance(found, dict) or set(expected) != set(found):
                raise NotProven(f"row {number}: it is answered with other values")
            pairs = [(value, found[name]) for name, value in expected.items()]
        for one, other in pairs:
            if isinstance(one, float) and isinstance(other, (int, float)):
                self._near(number, one, other, relative=True)
            elif one != other or type(one) is not type(other):
                raise NotProven(f"row {number}: {other!r} where the model answers {one!r}")

    def _near(self, number: int, one: float, other: float, *, relative: bool) -> None:
        gap = abs(one - other)
        if not gap <= TOLERANCE * (max(abs(one), abs(other), 1.0) if relative else 1.0):
            raise NotProven(f"row {number}: {other!r} where the model answers {one!r}")
        self.largest = max(self.largest, gap)


class _Package(ABC):
    """A package that runs, and is asked."""

    @abstractmethod
    def ask(self, body: bytes) -> Answer:
        """Return the answer to a body."""

    def first(self, body: bytes) -> None:
        """Return when it answers."""
        self.ask(body)


class _Served(_Package):
    """A server on this machine."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, *, log: Path) -> None:
        self._process = process
        self._url = url
        self._log = log
        # A proxy that is set is not asked for our own machine.
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

    def ask(self, body: bytes) -> Answer:
        """Return the answer to a body."""
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(self._url, data=body, headers=headers)  # noqa: S310 - loopback
        try:
            with self._open(request, timeout=_ANSWER_S) as answer:
                return Answer(answer.status, json.loads(answer.read()))
        except urllib.error.HTTPError as refused:
            with refused:
                text = refused.read()
            try:
                return Answer(refused.code, json.loads(text))
            except ValueError:
                return Answer(refused.code, text.decode(errors="replace"))

    def first(self, body: bytes) -> None:
        """Return when it answers.

        Raises:
            NotProven: it ends, or does not answer in time.
        """
        until = time.monotonic() + _START_S
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise NotProven(f"it ends at its start: {self._said()}")
            with suppress(OSError):
                self.ask(body)
                return
            time.sleep(0.02)
        raise NotProven(f"it does not answer within {_START_S:g} s: {self._said()}")

    def _said(self) -> str:
        return self._log.read_text(errors="replace")[-_TAIL:].strip()


class _Called(_Package):
    """A program that calls the package's handler, a line for each request."""

    def __init__(self, process: subprocess.Popen[bytes], *, log: Path) -> None:
        self._process = process
        self._log = log

    def ask(self, body: bytes) -> Answer:
        """Return the answer to a body.

        Raises:
            NotProven: the program ends.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise NotProven("it has no standard input and output")
        with suppress(BrokenPipeError):
            stdin.write(json.dumps(body.decode(errors="replace")).encode() + b"\n")
            stdin.flush()
        line = stdout.readline()
        if not line:
            said = self._log.read_text(errors="replace")[-_TAIL:].strip()
            raise NotProven(f"its handler ends: {said}")
        status, text = json.loads(line)
        return Answer(status, json.loads(text))


@contextmanager
def _running(
    folder: Path, python: Path, *, start: Mapping[str, Any], scratch: Path
) -> Iterator[_Package]:
    """Start a package as its platform would, and end it with the block."""
    port = _free_port()
    named = {"python": str(python), "bin": str(python.parent), "port": str(port)}
    command = [str(part).format(**named) for part in start["command"]]
    work, temporary = scratch / "work", scratch / "tmp"
    temporary.mkdir()
    shutil.copytree(folder, work, ignore=shutil.ignore_patterns(*_LEFT))
    surroundings = {
        "PATH": os.pathsep.join([str(python.parent), os.defpath]),
        "HOME": str(scratch),
        "TMPDIR": str(temporary),
        "PYTHONDONTWRITEBYTECODE": "1",
        **{name: str(value).format(**named) for name, value in start.get("env", {}).items()},
    }
    if os.name == "nt":
        surroundings["SYSTEMROOT"] = os.environ.get("SYSTEMROOT", "")  # noqa: TID251 - sockets need it
    log = scratch / "log.txt"
    with log.open("wb") as said:
        served = start["kind"] == "http"
        process = _spawn(
            command, work, env=surroundings, said=said, answers=said if served else subprocess.PIPE
        )
        try:
            if served:
                yield _Served(process, f"http://127.0.0.1:{port}{start['path']}", log=log)
            else:
                yield _Called(process, log=log)
        finally:
            _end(process)
    left = sorted(path.name for path in temporary.iterdir())
    if left and start.get("leaves_nothing"):
        raise NotProven(f"it leaves files behind: {', '.join(left)}")


def _spawn(
    command: Sequence[str],
    folder: Path,
    *,
    env: Mapping[str, str],
    said: IO[bytes],
    answers: IO[bytes] | int,
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=answers,
            stderr=said,
            start_new_session=True,
        )
    except OSError as error:
        raise NotProven(f"it cannot be started: {error}") from None


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _json(document: Any) -> bytes:
    return json.dumps(document).encode()


def _environment(folder: Path, place: Path) -> Path:
    """Return the Python of a fresh environment, as `environment` does.

    Raises:
        NotProven: it cannot be made; where this is another Python than the package's, it says so.
    """
    wanted = json.loads((folder / START).read_bytes())["python"]
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    try:
        return environment(folder, place)
    except NotProven as error:
        if here == wanted:
            raise
        raise NotProven(
            f"the package is for Python {wanted}, and this is {here}: try python{wanted} "
            f"{Path(__file__).name}; {error}"
        ) from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify the package that this file lies in; return the exit status: 0, or 1 where it fails."""
    asked = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    asked.add_argument("--digests", action="store_true", help="compare the bytes only")
    asked.add_argument("--python", type=Path, help="an environment's Python, instead of a new one")
    said = asked.parse_args(arguments)
    folder = Path(__file__).resolve().parent
    try:
        found = sound(folder)
        print(f"digest   sha256:{found}: every file is as it was made")
        if said.digests:
            return 0
        if not (folder / START).is_file():
            print("proof    this package holds nothing that runs here")
            return 0
        with tempfile.TemporaryDirectory() as place:
            python = said.python or _environment(folder, Path(place) / "environment")
            proof = json.loads((folder / ROWS).read_bytes())
            done = replay(folder, python, proof=proof)
    except NotProven as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(
        f"proof    {done.rows} rows answered as the registered model does, largest difference "
        f"{done.max_difference:.3g}; {done.refused} bad requests refused"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
