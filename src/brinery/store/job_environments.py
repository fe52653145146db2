"""The environments of jobs: found in no time where they are there, built where not.

What a step declares is looked up by the digest of its own words, so that a warm one costs the
reading of one small file. The shared environment is never written to by a step: each attempt has
an overlay, a virtual environment of a few links that sees the shared one and takes what the job
installs itself. Nothing heavy is imported here: this is on the way of every step. What builds is
imported where there is something to build.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from brinery.errors import BrineryError, EnvironmentUnavailable
from brinery.records.plan import Software
from brinery.records.ready import decoded
from brinery.specs import software_names
from brinery.specs.software_names import CURRENT, Table

_BUILDER: Final = "brinery.store.job_building"
_MINOR: Final = f"{sys.version_info.major}.{sys.version_info.minor}"
# Of what is found out of a declaration; another number forgets what was found before.
_RULES: Final = "1"
_IMPORT: Final = re.compile(rb"\b(?:import|from)[ \t]+(mlflow|pathlib2|unittest2|contextlib2)\b")
_MOST_FILES: Final = 500
_SKIPPED: Final = {".git", "__pycache__", "node_modules", ".venv", ".ipynb_checkpoints"}
_SHARED: Final = "_shared.pth"
_PIP: Final = '#!/bin/sh\nexec "$(dirname -- "$(realpath -- "$0")")/python" -m pip "$@"\n'
_OURS: Final = re.compile(r"python[\d.]*|pip[\d.]*|activate.*|deactivate.*|pydoc.bat")


class Prepared(Struct, frozen=True, kw_only=True):
    """An environment that a step can be started in.

    Attributes:
        program: absolute path of the Python that it is made of.
        minor: its version, such as `3.11`.
        key: digest of what is in it: the lock, the version of Python, the platform.
        changes: what is otherwise than declared, a line each; to be printed once for each job.
        packages: absolute `site-packages` that steps share; empty where it is bare.
        scripts: absolute folder of the programs that it brings; empty where it is bare.
        installer: absolute path of a wheel of pip; empty where the packages have it.
        variables: that its Dockerfile sets.
        lock: every distribution in it, such as `numpy==1.23.5`.
        definition: digest of what is declared, as `JobEnvironments.definition` has it.
    """

    program: str
    minor: str
    key: str
    changes: tuple[str, ...] = ()
    packages: str = ""
    scripts: str = ""
    installer: str = ""
    variables: dict[str, str] = {}
    lock: tuple[str, ...] = ()
    definition: str = ""


class Order(Struct, frozen=True, kw_only=True):
    """What is to be built.

    Attributes:
        software: that is declared.
        mapped: what the table says of it; None where it says nothing.
        imported: names that the step's code imports and its environment may not have.
        folder: of the environments.
        record: path that the environment is to be written down at.
        definition: digest of what is declared.
    """

    software: Software
    mapped: list[str] | None
    imported: tuple[str, ...]
    folder: str
    record: str
    definition: str


class JobEnvironments:
    """The environments of a workspace's jobs; several threads may ask.

    Args:
        folder: where they lie; `workspace.environments`.
        table: `[environments.map]` of the settings.
        current: whether every step runs in the Python that runs Brinery.
    """

    def __init__(self, folder: Path, *, table: Table, current: bool = False) -> None:
        self._folder = folder
        self._table = table
        self._current = current
        self._known: dict[str, Prepared] = {}
        self._locks: dict[str, threading.Lock] = {}

    def definition(self, software: Software) -> str:
        """Return the digest of what is declared, and of what the table says of it.

        Nothing is built or resolved for it, so that it can be part of a step's key.
        """
        if self._current:
            return f"{CURRENT} {_MINOR}"
        mapped = software_names.mapped(self._table, software.reference, software.image)
        if mapped is not None:
            return _digest("mapped", repr(mapped))
        return _digest(
            software.reference,
            software.image,
            software.conda,
            software.dockerfile,
            *_files(software),
        )

    def find(self, software: Software, *, imported: Iterable[str] = ()) -> Prepared | None:
        """Return the environment of a step where it is there; None where it is to be built."""
        mapped = software_names.mapped(self._table, software.reference, software.image)
        if self._current or mapped == CURRENT:
            return _own()
        told = tuple(sorted(imported))
        if mapped is None and _is_bare(software) and not told:
            return _bare(software)
        return self._read(self._record(software, told))

    def prepare(self, software: Software, *, imported: Iterable[str] = ()) -> Prepared:
        """Return the environment of a step, built where it is not there.

        Args:
            software: that the step declares; a registered one is to be looked up before.
            imported: of what `imports` finds in its code.

        Raises:
            EnvironmentUnavailable: it cannot be built; the message names the requirement, the hint
                the table to write.
            SettingsError: what declares it cannot be read.
        """
        found = self.find(software, imported=imported)
        if found is not None:
            return found
        told = tuple(sorted(imported))
        record = self._record(software, told)
        with self._locks.setdefault(record.name, threading.Lock()):
            found = self._read(record)
            if found is None:
                mapped = software_names.mapped(self._table, software.reference, software.image)
                _build(
                    Order(
                        software=software,
                        mapped=[mapped] if isinstance(mapped, str) else mapped,
                        imported=told,
                        folder=str(self._folder),
                        record=str(record),
                        definition=self.definition(software),
                    ),
                    known=lambda: self._read(record),
                )
                found = self._read(record)
        if found is None:
            raise EnvironmentUnavailable(
                f"the environment that {record} tells of is gone", hint="run the job again"
            )
        return found

    def _record(self, software: Software, imported: tuple[str, ...]) -> Path:
        name = _digest(_RULES, _MINOR, sys.platform, self.definition(software), *imported)
        return self._folder / "jobs" / f"{name}.json"

    def _read(self, record: Path) -> Prepared | None:
        """Return what was written down, if it is still there."""
        found = self._known.get(record.name)
        if found is None:
            try:
                found = decoded(record.read_bytes(), Prepared)
            except (OSError, msgspec.MsgspecError):
                return None
        if not Path(found.program).exists() or not Path(found.packages or "/").is_dir():
            return None
        self._known[record.name] = found
        return found


def imports(code: str, command: str) -> tuple[str, ...]:
    """Return what a step's command and the Python files of its code import, of a few names.

    They are names that an environment is given where it does not have them, or spared where nobody
    asks: `mlflow`, and modules that stood in for Python's own.

    Args:
        code: absolute folder; empty for none.
        command: text for bash.
    """
    found = set(_IMPORT.findall(command.encode()))
    for path in _scripts(code) if code else ():
        with suppress(OSError):
            found.update(_IMPORT.findall(path.read_bytes()))
    return tuple(sorted(name.decode() for name in found))


def overlay(prepared: Prepared, folder: Path, *, path: str) -> Mapping[str, str]:
    """Return the variables of a step that runs in an overlay, which is made.

    `python`, `pip`, `python -m pip` and the programs of the environment are the overlay's: what the
    step installs lands there, hides what is shared, and goes with the folder.

    Args:
        prepared: the environment.
        folder: of the overlay; made, one for each attempt of a step.
        path: the `PATH` that the overlay's programs come before.
    """
    programs = folder / "bin"
    packages = folder / "lib" / f"python{prepared.minor}" / "site-packages"
    # From the top: what is tried before the folder that it lies in is refused first.
    folder.mkdir(parents=True)
    for each in (packages.parent.parent, packages.parent, packages, programs):
        each.mkdir()
    home = Path(prepared.program).parent
    (folder / "pyvenv.cfg").write_text(
        f"home = {home}\ninclude-system-site-packages = false\nversion = {prepared.minor}\n"
    )
    for name in ("python", "python3", f"python{prepared.minor}"):
        (programs / name).symlink_to(prepared.program)
    for name in ("pip", "pip3"):
        with open(programs / name, "w", opener=_executable) as stream:
            stream.write(_PIP)
    shared = []
    if prepared.packages:
        # With the lines of the files that it has of this kind.
        shared.append(f"import site; site.addsitedir({prepared.packages!r})")
        _link(prepared.scripts, programs)
    if prepared.installer:
        shared.append(prepared.installer)
    (packages / _SHARED).write_text("".join(f"{line}\n" for line in shared))
    return {
        **prepared.variables,
        "PATH": os.pathsep.join([str(programs), path]) if path else str(programs),
        "VIRTUAL_ENV": str(folder),
        "PYTHONNOUSERSITE": "1",
        "PIP_USER": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
    }


def _link(scripts: str, programs: Path) -> None:
    """Give an overlay the programs of its environment; each starts the Python that lies beside it.

    A program is a file of the overlay's own, whoever shares its content: pip puts a new one in its
    place, and does not write into it.
    """
    for entry in os.scandir(scripts):
        if _OURS.fullmatch(entry.name) or not entry.is_file():
            continue
        try:
            os.link(entry.path, programs / entry.name)
        except OSError:
            (programs / entry.name).symlink_to(entry.path)


def _executable(path: str, flags: int) -> int:
    return os.open(path, flags, 0o755)


def _scripts(code: str) -> Iterator[Path]:
    """Yield the Python files and notebooks of a folder, so many at most."""
    count = 0
    for folder, folders, names in os.walk(code):
        folders[:] = sorted(set(folders) - _SKIPPED)
        for name in sorted(names):
            if name.endswith((".py", ".ipynb", ".sh")):
                count += 1
                if count > _MOST_FILES:
                    return
                yield Path(folder, name)


def _build(order: Order, *, known: Callable[[], Prepared | None]) -> None:
    """Have an environment built and written down, where it is not known meanwhile.

    Raises:
        EnvironmentUnavailable: it cannot be built.
        SettingsError: what declares it cannot be read.
    """
    try:
        import_module(_BUILDER).build(order, known=known)
    except BrineryError:
        raise
    except Exception as error:
        raise EnvironmentUnavailable(
            f"the environment could not be built: {type(error).__name__}: {error}",
            hint="brinery doctor shows what is missing",
        ) from error


def _files(software: Software) -> Iterator[str]:
    """Yield the digests of the files that a conda file or a Dockerfile names."""
    for text in (software.conda, software.dockerfile):
        for path in software_names.files_named(text, software.context) if text else ():
            yield sha256(path.read_bytes()).hexdigest()


def _is_bare(software: Software) -> bool:
    """Return whether nothing but a Python is declared, and ours will do."""
    if software.conda or software.dockerfile or software.reference:
        return False
    if software_names.is_curated(software.image):
        return False
    return software_names.python_of(software.image) in ("", _MINOR)


def _bare(software: Software) -> Prepared:
    """Return our own Python without its packages."""
    image = software.image
    unknown = (
        f"{image}: what that image holds is not known here, and steps find Python {_MINOR} alone; "
        f'[environments.map] in brinery.toml says more: "{image}" = ["PACKAGE==VERSION"]'
    )
    return Prepared(
        program=_program(),
        minor=_MINOR,
        key=f"python-{_MINOR}",
        changes=(unknown,) if image and not software_names.is_plain(image) else (),
        installer=installer(sys.base_prefix, _MINOR),
    )


def _own() -> Prepared:
    """Return the Python that runs Brinery, with what is installed in it."""
    return Prepared(
        program=_program(),
        minor=_MINOR,
        key=f"{CURRENT}-{_MINOR}",
        packages=str(Path(sys.prefix, "lib", f"python{_MINOR}", "site-packages")),
        scripts=str(Path(sys.prefix, "bin")),
        installer=installer(sys.base_prefix, _MINOR),
    )


@cache
def _program() -> str:
    """Return the Python that ours is made of, where it is a virtual environment."""
    return os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)


@cache
def installer(prefix: str, minor: str) -> str:
    """Return the wheel of pip that a Python brings; empty where it brings none."""
    folder = Path(prefix, "lib", f"python{minor}", "ensurepip", "_bundled")
    return max((str(path) for path in folder.glob("pip-*.whl")), default="")


def _digest(*parts: str) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()[:32]
