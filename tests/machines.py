"""A second machine for a Ray cluster: a network of its own, and nothing seen of some folders.

It is a namespace of this machine: other addresses, other mounts, the same kernel. Only root may
make one, and only where the system lets it.
"""

from __future__ import annotations

import os
import random
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import ports

_RAY = Path(sys.executable).parent / "ray"
# The machines have homes of their own, where Ray would look for the token of another cluster.
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
_COMMON = (
    "--num-cpus=1",
    "--object-store-memory=80000000",
    "--include-dashboard=false",
    "--disable-usage-stats",
    "--block",
)
# Its folders are made before the network is there.
_OTHER = """
for folder in "$HIDDEN"; do mount -t tmpfs none "$folder"; done
mkdir -p "$HOME"; ip link set lo up; echo ready; read line; exec "$@"
"""


@dataclass(frozen=True)
class Machines:
    """Two of them.

    Attributes:
        head: address of this one.
        other: address of the other, which offers the resource `other`.
        port: of the cluster.
        client_port: of the cluster, for programs that are on none of its machines.
    """

    head: str
    other: str
    port: int
    client_port: int

    @property
    def address(self) -> str:
        """Return that of the cluster."""
        return f"{self.head}:{self.port}"


def can() -> bool:
    """Return whether there can be another machine here."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "nsenter", "ip"))):
        return False
    made = ["unshare", "-m", "-n", "ip", "link", "add", "type", "veth"]
    return subprocess.run(made, capture_output=True, check=False).returncode == 0


@contextmanager
def running(hidden: Path) -> Iterator[Machines]:
    """Run a cluster of two machines, the other of which sees nothing of a folder."""
    third = random.SystemRandom().randrange(1, 250)
    head, other = f"10.213.{third}.1", f"10.213.{third}.2"
    port, client = (ports.free("") for _ in range(2))
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="r", dir="/tmp"))
        start = [
            *(str(_RAY), "start", f"--address={head}:{port}", f"--node-ip-address={other}"),
            *('--resources={"other": 1}', *_COMMON[:-3], *_COMMON[-2:]),
        ]
        second = stack.enter_context(
            _process(
                ["unshare", "-m", "-n", "sh", "-c", _OTHER, "sh", *start],
                HOME=f"{folder}/home",
                HIDDEN=str(hidden),
            )
        )
        assert second.stdout is not None
        assert second.stdin is not None
        assert second.stdout.readline() == "ready\n"
        _wired(second.pid, third, head=head, other=other)
        first = stack.enter_context(
            _process(
                [
                    *(str(_RAY), "start", "--head", f"--port={port}"),
                    *(f"--node-ip-address={head}", f"--ray-client-server-port={client}"),
                    *(f"--temp-dir={folder}", *_COMMON),
                ]
            )
        )
        _wait(first)
        second.stdin.write("go\n")
        second.stdin.flush()
        yield Machines(head, other, port, client)


def _wired(pid: int, number: int, *, head: str, other: str) -> None:
    """Lay a wire to a process's network; it is gone with the process."""
    here, there = f"brh{number}", f"bro{number}"
    inside = ("nsenter", "-t", str(pid), "-n")
    for command in (
        ("ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", str(pid)),
        ("ip", "addr", "add", f"{head}/30", "dev", here),
        ("ip", "link", "set", here, "up"),
        (*inside, "ip", "addr", "add", f"{other}/30", "dev", there),
        (*inside, "ip", "link", "set", there, "up"),
    ):
        subprocess.run(command, check=True)


@contextmanager
def _process(command: list[str], **more: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        ["setpriv", "--pdeathsig", "TERM", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **TOKEN, **more},  # noqa: TID251 - a machine's own
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(head: subprocess.Popen[str]) -> None:
    """Wait until a head says that it runs: it listens before that."""
    assert head.stdout is not None
    assert any("Ray runtime started" in line for line in head.stdout), "it did not start"
