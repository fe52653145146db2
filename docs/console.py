"""Runs the console blocks of a Markdown file, and returns it with what they really print.

A line that begins with `$` is a command; what follows it up to the next one is its output. A
`brinery serve` goes on in the background until the file ends. Everything runs in a folder of its
own, with the examples in it, so that the reader's own workspace is left alone.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parent.parent
_BLOCK = re.compile(r"(```console\n)(.*?)(```)", re.DOTALL)
_START_WAIT_S = 120

# What differs from run to run, and what stands for it in the page.
_VARIABLE = (
    (re.compile(r"\[\d+\.\d s\]"), "[0.0 s]"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d"), "2026-11-21 12:00"),
    (re.compile(r"sqlite:///\S+/\.brinery"), "sqlite:////home/ada/bank/.brinery"),
)


class Session:
    """A folder with the examples, in which commands run; a context manager."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._server: subprocess.Popen[str] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]

    def __enter__(self) -> Self:
        bank = Path(self._folder.name, "examples", "bank")
        for name in ("bank", "taxi"):
            shutil.copytree(
                ROOT / "examples" / name,
                bank.parent / name,
                ignore=shutil.ignore_patterns(".brinery"),
            )
        subprocess.run([sys.executable, str(bank / "train.py")], check=True, capture_output=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)
            self._server.communicate(timeout=30)
        self._folder.cleanup()

    def run(self, command: str) -> str:
        """Return what a command prints, on both outputs, as the page shows it."""
        if command.startswith("brinery serve"):
            printed = self._serve(command)
        else:
            printed = subprocess.run(
                ["bash", "-c", command.replace(":8000", f":{self._port}")],
                cwd=self._folder.name,
                env=self._environment(),
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
            ).stdout
        return self._stable(printed)

    def _serve(self, command: str) -> str:
        self._server = subprocess.Popen(
            [*command.split(), "--port", str(self._port)],
            cwd=self._folder.name,
            env=self._environment(),
            text=True,
            stderr=subprocess.PIPE,
        )
        end = time.monotonic() + _START_WAIT_S
        while time.monotonic() < end:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self._port}/ready").close()
                break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        assert self._server.stderr is not None  # noqa: S101 - for the type checker
        return "".join(self._server.stderr.readline() for _ in range(3))

    def _environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("BRINERY_")}  # noqa: TID251 - what a shell would pass on
        path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
        return {**kept, "PATH": path, "COLUMNS": "100", "LOGNAME": "ada"}

    def _stable(self, printed: str) -> str:
        text = printed.replace(f":{self._port}", ":8000")
        for pattern, instead in _VARIABLE:
            text = pattern.sub(instead, text)
        return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def rendered(text: str) -> str:
    """Return a Markdown text in which every console block shows what its commands print."""
    with Session() as session:
        return _BLOCK.sub(lambda block: block[1] + _block(session, block[2]) + block[3], text)


def _block(session: Session, content: str) -> str:
    commands = [line[2:] for line in content.splitlines() if line.startswith("$ ")]
    shown = []
    for command in commands:
        printed = session.run(command)
        shown.append(f"$ {command}\n{printed}\n" if printed else f"$ {command}\n")
    return "\n".join(shown)
