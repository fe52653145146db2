"""A PostgreSQL of the tests' own: Debian's programs, a private port and folder, never as root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from tests import ports

PASSWORD = "Pa55-w0rd"  # noqa: S105 - of a server that lives as long as the tests
_USER = "brinery"
_START_S = 240.0
_NUMBERS = count(1)
# Nothing of these tests outlives the machine.
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class Postgres:
    """A running server.

    Attributes:
        programs: the folder of PostgreSQL's programs.
        port: on 127.0.0.1.
    """

    programs: Path
    port: int

    def database(self) -> str:
        """Return the URI of a new, empty database."""
        name = f"test{next(_NUMBERS)}"
        self.run("createdb", name)
        return self.uri(name)

    def uri(self, name: str) -> str:
        """Return the URI of a database."""
        return f"postgresql://{_USER}:{PASSWORD}@127.0.0.1:{self.port}/{name}"

    def run(self, program: str, *arguments: str) -> str:
        """Return what one of PostgreSQL's programs says, run as its first user."""
        done = subprocess.run(
            [str(self.programs / program), "-h", "127.0.0.1", "-p", str(self.port), *arguments],
            env={"PGUSER": _USER, "PGPASSWORD": PASSWORD, "PATH": os.defpath},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def ask(self, uri: str, sql: str) -> list[str]:
        """Return the lines that psql answers."""
        name = uri.rpartition("/")[2]
        return self.run("psql", "-XAt", "-d", name, "-c", sql).splitlines()


def programs() -> Path:
    """Return the folder of PostgreSQL's programs; skip where they are not installed."""
    found = shutil.which("initdb")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found and not debian:
        pytest.skip("PostgreSQL is not installed, and could not be: apt-get install postgresql")
    return Path(found or debian[-1]).resolve().parent


@contextmanager
def running() -> Iterator[Postgres]:
    """Run a server while the block runs."""
    folder = Path(tempfile.mkdtemp(prefix="brinery-postgres-"))
    try:
        with _running(programs(), folder) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(found: Path, folder: Path) -> Iterator[Postgres]:
    secret = folder / "password"
    secret.write_text(PASSWORD, encoding="utf-8")
    for path in (folder, secret):
        os.chown(path, _owner(), -1)
    data = folder / "data"
    subprocess.run(
        [
            *_as_owner(),
            *[str(found / "initdb"), "-D", str(data), "-U", _USER, "--pwfile", str(secret)],
            *["-A", "scram-sha-256", "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync"],
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=folder,
    )
    port = ports.free()
    settings = {**_FAST, "listen_addresses": "127.0.0.1", "port": str(port)}
    settings["unix_socket_directories"] = str(folder)
    options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    log = (folder / "log").open("w", encoding="utf-8")
    # It ends with the tests, also where these are killed.
    process = subprocess.Popen(
        [*_as_owner(), "--pdeathsig", "INT", str(found / "postgres"), "-D", str(data), *options],
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=folder,
        start_new_session=True,
    )
    server = Postgres(found, port)
    try:
        _wait_for(server, process, folder / "log")
        yield server
    finally:
        process.send_signal(2)  # the one of PostgreSQL that lets nobody finish
        process.wait(timeout=120)
        log.close()


def _owner() -> int:
    """Return the user that the server runs as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return os.geteuid()
    known = {user.pw_name: user.pw_uid for user in pwd.getpwall()}
    return known.get("postgres", known["nobody"])


def _as_owner() -> list[str]:
    """Return the command before a command that has it run as that user."""
    if os.geteuid() != 0:
        return ["setpriv"]
    group = pwd.getpwuid(_owner()).pw_gid
    return ["setpriv", f"--reuid={_owner()}", f"--regid={group}", "--clear-groups"]


def _wait_for(server: Postgres, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text(encoding="utf-8")
        try:
            server.run("psql", "-XAt", "-d", "postgres", "-c", "SELECT 1")
        except subprocess.CalledProcessError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("PostgreSQL was not ready in time")
