"""Which Pythons are installed on this machine. None is ever downloaded."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

# What Brinery's own code in a model's process runs on.
OLDEST = (3, 9)
_MINORS = range(OLDEST[1], 20)
_TIMEOUT_S = 20.0

_ASK = """
import json, platform, sys, sysconfig
print(json.dumps([
    list(sys.version_info[:3]),
    sys.implementation.name,
    sysconfig.get_platform(),
    " ".join(platform.libc_ver()).strip(),
    sys.prefix == sys.base_prefix,
]))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python that environments can be made of.

    Attributes:
        path: of the program.
        version: (major, minor, patch).
        platform: such as `linux-x86_64`.
        libc: the C library and its version; empty where it is not known.
    """

    path: Path
    version: tuple[int, int, int]
    platform: str
    libc: str

    @property
    def minor(self) -> str:
        """Return its version without the patch, such as `3.10`."""
        return f"{self.version[0]}.{self.version[1]}"

    def __str__(self) -> str:
        """Return its version."""
        return ".".join(map(str, self.version))


@lru_cache(maxsize=1)
def installed() -> tuple[Interpreter, ...]:
    """Return CPythons that a model's process runs on, newest first, one of each minor version.

    They are looked for on the PATH, beside this one, and where pyenv and uv keep theirs.
    """
    found: dict[str, Interpreter] = {}
    for path in _programs():
        interpreter = inspect(path)
        if interpreter is not None and interpreter.version[:2] >= OLDEST:
            known = found.get(interpreter.minor)
            if known is None or interpreter.version > known.version:
                found[interpreter.minor] = interpreter
    return tuple(sorted(found.values(), key=lambda one: one.version, reverse=True))


def inspect(path: Path) -> Interpreter | None:
    """Return what a Python says of itself; None where it is none, or lives in a venv."""
    try:
        done = subprocess.run(
            [str(path), "-I", "-c", _ASK],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        version, implementation, platform, libc, whole = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    if implementation != "cpython" or not whole:
        return None
    return Interpreter(path, (version[0], version[1], version[2]), platform, libc)


def _programs() -> Iterator[Path]:
    """Yield the programs that may be Pythons, each once."""
    seen: set[Path] = set()
    for path in (*_on_path(), *_beside()):
        real = path.resolve()
        if real not in seen and real.is_file():
            seen.add(real)
            yield real


def _on_path() -> Iterator[Path]:
    for minor in _MINORS:
        program = shutil.which(f"python3.{minor}")
        if program is not None and Path(program).parent.name != "shims":
            yield Path(program)


def _beside() -> Iterator[Path]:
    """Yield the programs of folders that hold one Python each, as those of pyenv and uv do."""
    home = Path.home()
    folders = [
        Path(sys.base_prefix).parent,
        home / ".pyenv" / "versions",
        home / ".local" / "share" / "uv" / "python",
    ]
    shim = shutil.which("pyenv") or shutil.which("python3")
    if shim is not None:
        folders.append(Path(shim).parent.parent / "versions")
    for folder in dict.fromkeys(folders):
        for minor in _MINORS:
            yield from folder.glob(f"*/bin/python3.{minor}")
