"""How the environment of a job is built, and written down once it is whole.

Imported by `job_environments` where one is to be built, and not before. Pins of releases that have
no wheel for the Python that is here are moved to the oldest that has one, and each such change is
told; what cannot be had is refused with the table to write. What jobs run is theirs to trust, so
what has no wheel at all may be built from its source.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec.structs import replace
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from brinery.errors import EnvironmentUnavailable
from brinery.records.plan import Software
from brinery.specs import job_software, software_names
from brinery.specs.job_software import Wanted
from brinery.store import building, interpreters, uv
from brinery.store.interpreters import Interpreter
from brinery.store.job_environments import Order, Prepared, installer

_AT_ONCE: Final = 4
_TOOLS: Final = {"pip": "pip", "setuptools": "setuptools<81", "wheel": "wheel"}
# What a program saved by one release means to another is not for us to guess.
_NEVER_MOVED: Final = ("tensorflow", "torch", "keras", "jax", "mxnet", "mlflow", "transformers")
# The first release of each that may be used with numpy 2.
_NUMPY_2: Final = {
    "pandas": "2.2.2",
    "scikit-learn": "1.4.2",
    "scipy": "1.13.0",
    "matplotlib": "3.9.0",
    "lightgbm": "4.4.0",
    "xgboost": "2.1.0",
    "statsmodels": "0.14.2",
    "pyarrow": "16.0.0",
    "numba": "0.60.0",
    "tensorflow": "2.18.0",
    "torch": "2.3.0",
}
# Compiled while the first step runs: a step that is there early compiles what it imports itself.
_COMPILE: Final = """
import compileall, os, sys
os.nice(15)
compileall.compile_dir(sys.argv[1], quiet=2, maxlevels=20)
open(sys.argv[2], "w").close()
"""
_COMPILED: Final = "compiled"
# It is nobody's child, so that nobody has to wait for it.
_BESIDE: Final = ("/bin/sh", "-c", '"$@" &', "sh")


def build(order: Order, *, known: Callable[[], Prepared | None]) -> Prepared:
    """Return the environment of an order, which is built and written down.

    Args:
        order: what is to be built.
        known: returns what is written down; another process may have done so meanwhile.

    Raises:
        UserError: it cannot be built.
    """
    software = order.software
    wanted = job_software.relaxed(_declared(software, order.mapped), imported=order.imported)
    python, changes = _python(wanted.python)
    changes = (*changes, *wanted.changes)
    try:
        if not wanted.packages:
            return _written(order, _described(python, changes=changes, variables=wanted.variables))
        with building.alone(Path(order.folder, f".building-{Path(order.record).stem}")):
            return known() or _written(order, _made(order, wanted, python=python, changes=changes))
    except OSError as error:
        raise building.unwritable(Path(order.folder), error) from None


def _written(order: Order, prepared: Prepared) -> Prepared:
    """Return an environment that was written down.

    Raises:
        OSError: it cannot be.
    """
    whole = replace(prepared, definition=order.definition)
    Path(order.record).parent.mkdir(parents=True, exist_ok=True)
    building.write(Path(order.record), whole)
    return whole


def _made(
    order: Order, wanted: Wanted, *, python: Interpreter, changes: tuple[str, ...]
) -> Prepared:
    """Return an environment that was made, and lies in its place.

    Raises:
        EnvironmentUnavailable: there is no way.
        OSError: the disk cannot be written.
    """
    folder, software = Path(order.folder), order.software
    with _passing(folder, Path(order.record).stem) as made:
        lock, more = _filled(made, wanted, python=python, name=software.reference or software.image)
        name = building.digest("job", python.minor, sysconfig.get_platform(), *lock)
        place = folder / name
        # What is declared in other words may come to the same at the same time.
        with building.alone(place):
            if not (place / "bin" / "python").exists():
                if place.exists():
                    place.rename(made.with_name(f"{made.name}-before"))
                made.rename(place)
    _compile(place, python)
    return _described(
        python, place, lock=lock, changes=(*changes, *more), variables=wanted.variables
    )


@contextmanager
def _passing(folder: Path, name: str) -> Iterator[Path]:
    """Yield where an environment may be made; what is left there goes.

    No two have the same: uv outlives a process of ours that is killed, and goes on in its own.
    """
    try:
        yield folder / f".building-{name}-{uuid.uuid4().hex[:8]}"
    finally:
        for each in folder.glob(f".building-{name}*"):
            shutil.rmtree(each, ignore_errors=True)


def _described(
    python: Interpreter,
    place: Path | None = None,
    *,
    lock: tuple[str, ...] = (),
    changes: tuple[str, ...],
    variables: dict[str, str],
) -> Prepared:
    program = python.path.resolve()
    bundled = installer(str(program.parent.parent), python.minor)
    packages = place / "lib" / f"python{python.minor}" / "site-packages" if place else None
    return Prepared(
        program=str(program),
        minor=python.minor,
        key=place.name if place else f"python-{python.minor}",
        changes=changes,
        packages=str(packages) if packages else "",
        scripts=str(place / "bin") if place else "",
        installer="" if place else bundled,
        variables=variables,
        lock=lock,
    )


def _declared(software: Software, mapped: list[str] | None) -> Wanted:
    """Return what is asked for, by whichever of the ways.

    Raises:
        SettingsError: it cannot be read.
        EnvironmentUnavailable: it is a name that nobody knows.
    """

    def read(name: str) -> str | None:
        for path in (Path(software.context, name.lstrip("/")), _alike(software, name)):
            if path is not None and path.is_file():
                return path.read_text(encoding="utf-8", errors="replace")
        return None

    if mapped is not None:
        return job_software.listed(mapped)
    if software.dockerfile:
        return job_software.of_dockerfile(software.dockerfile, where="Dockerfile", read=read)
    known = job_software.curated(software.reference or software.image)
    if software.conda:
        return (known or Wanted()).joined(
            job_software.of_conda(software.conda, where="the conda file", read=read)
        )
    if software.reference and known is None:
        raise EnvironmentUnavailable(
            f"there is no environment {software.reference}",
            hint=f"brinery environment create -f FILE, or say what it holds: {_entry(software)}",
        )
    return known or Wanted(python=software_names.python_of(software.image))


def _alike(software: Software, name: str) -> Path | None:
    """Return the file of a context with the name that a Dockerfile copied it under."""
    found = sorted(Path(software.context).rglob(Path(name).name)) if software.context else []
    return found[0] if found else None


def _entry(software: Software) -> str:
    name = software.reference or software.image
    short = software_names.names(name)[-1] if name else "NAME"
    return f'[environments.map] in brinery.toml: "{short}" = ["PACKAGE==VERSION"]'


def _python(minor: str) -> tuple[Interpreter, tuple[str, ...]]:
    """Return the Python to build with, and what is told of it.

    It is the stated one where that is installed, or else the one that runs us.
    """
    ours = Interpreter(
        Path(getattr(sys, "_base_executable", sys.executable)).resolve(),
        (sys.version_info.major, sys.version_info.minor, sys.version_info.micro),
        sysconfig.get_platform(),
        "",
    )
    if minor in ("", ours.minor):
        return ours, ()
    stated = next((one for one in interpreters.installed() if one.minor == minor), None)
    if stated is not None:
        return stated, ()
    return ours, (f"python={minor}: Python {ours.minor} is used",)


def _filled(
    folder: Path, wanted: Wanted, *, python: Interpreter, name: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return every distribution of an environment that is made, and what was changed for it.

    Raises:
        EnvironmentUnavailable: there is no way.
    """
    named = {job_software.name(line) for line in wanted.packages}
    tools = [line for tool, line in _TOOLS.items() if tool not in named]
    cache = uv.make(folder, python=python.path)
    attempt = _Attempt(folder, python.path, [*wanted.options, *tools], cache=cache)
    try:
        return attempt.installed(wanted.packages)
    except uv.Unresolved as error:
        said = str(error)
    packages, changes, stuck = _moved(wanted.packages, attempt)
    try:
        return attempt.installed(packages, changes, sources=bool(stuck))
    except (uv.Unresolved, EnvironmentUnavailable) as error:
        if isinstance(error, EnvironmentUnavailable) and not stuck:
            raise
        said = said if stuck else str(error)
    at_fault = ", ".join(stuck)
    short = software_names.names(name)[-1] if name else "NAME"
    raise EnvironmentUnavailable(
        f"the environment {name or 'of the conda file'} cannot be had on Python {python.minor}: "
        + (f"{at_fault}: no wheel for it here" if stuck else said[:400]),
        hint=f'say what to use instead in brinery.toml, under [environments.map]: "{short}" = '
        f"[{', '.join(_suggested(line) for line in packages[:4])}]",
    )


def _suggested(line: str) -> str:
    return f'"{job_software.name(line)}"'


class _Attempt:
    """What is asked of uv for one environment.

    Args:
        folder: of the environment, which is empty yet.
        python: that it is made of.
        beside: lines that stand beside what is declared: tools, and where packages are looked for.
        cache: uv's.
    """

    def __init__(self, folder: Path, python: Path, beside: Sequence[str], *, cache: Path) -> None:
        self._folder = folder
        self._cache = cache
        self._python = python
        self._beside = list(beside)

    def installed(
        self, packages: Sequence[str], changes: tuple[str, ...] = (), *, sources: bool = False
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return every distribution that requirements come to, installed, and the changes.

        Raises:
            Unresolved: no set of releases meets them; nothing is installed.
            EnvironmentUnavailable: the registry cannot be reached.
        """
        self._install(packages, sources=sources)
        lock = _held(self._folder)
        old = _of_numpy_1(lock)
        if old:
            self._install([*packages, "numpy<2"], sources=sources)
            lock = _held(self._folder)
            changes = (*changes, f"numpy<2: {old} does not work with numpy 2")
        return lock, changes

    def has_wheel(self, line: str) -> bool:
        """Return whether a release that meets one requirement has a wheel for this Python."""
        return self._alone(line) is not None

    def oldest(self, name: str, version: str) -> str | None:
        """Return the oldest release with a wheel, not before a version; None where none has."""
        return self._alone(f"{name}>={version}", lowest=True)

    def _alone(self, line: str, *, lowest: bool = False) -> str | None:
        options = [each for each in self._beside if each.startswith("-")]
        try:
            found = uv.resolve(
                [*options, line], python=self._python, dependencies=False, lowest=lowest
            )
        except uv.Unresolved:
            return None
        return found[0].partition("==")[2].partition(" ")[0] if found else None

    def _install(self, packages: Sequence[str], *, sources: bool) -> None:
        direct = any("@" in line or line.startswith(("git+", "http")) for line in packages)
        torch = any(job_software.name(line).startswith("torch") for line in packages)
        uv.install(
            [*self._beside, *packages],
            environment=self._folder,
            cache=self._cache,
            dependencies=True,
            sources=sources or direct,
            left_out=() if torch else uv.LEFT_OUT,
        )


def _held(folder: Path) -> tuple[str, ...]:
    """Return `name==version` of every distribution of an environment, sorted."""
    found = []
    for path in folder.glob("lib/python*/site-packages/*.dist-info"):
        name, _, version = path.stem.rpartition("-")
        found.append(f"{canonicalize_name(name)}=={version}")
    return tuple(sorted(found))


def _of_numpy_1(lock: Sequence[str]) -> str:
    """Return the first distribution that does not work with the numpy of a lock; empty for none."""
    held = dict(line.split("==", 1) for line in lock if "==" in line)
    held = {name: version.partition(" ")[0] for name, version in held.items()}
    if Version(held.get("numpy", "1")) < Version("2"):
        return ""
    for name, first in _NUMPY_2.items():
        if name in held and Version(held[name]) < Version(first):
            return f"{name} {held[name]}"
    return ""


def _moved(
    packages: Sequence[str], attempt: _Attempt
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return requirements that have wheels, what was changed, and what has none whatever is done.

    A pin without one becomes the oldest series that has one.
    """
    moved = _of_each(packages, attempt)
    changes = tuple(
        f"{line}: no wheel for this Python, {new} is used"
        for line, new in zip(packages, moved, strict=True)
        if new not in (line, None)
    )
    stuck = tuple(line for line, new in zip(packages, moved, strict=True) if new is None)
    kept = tuple(new or line for line, new in zip(packages, moved, strict=True))
    return kept, changes, stuck


def _of_each(lines: Sequence[str], attempt: _Attempt) -> list[str | None]:
    """Return what `_of_wheels` does of each line, so many at once.

    The threads are of the kind that the end of a process does not wait for.

    Raises:
        EnvironmentUnavailable: the registry cannot be reached.
    """
    waiting = list(enumerate(lines))
    found: dict[int, str | None] = {}
    faults: list[Exception] = []

    def work() -> None:
        while waiting and not faults:
            try:
                number, line = waiting.pop()
            except IndexError:
                return
            try:
                found[number] = _of_wheels(line, attempt)
            except Exception as fault:  # noqa: BLE001 - it is raised where it is waited for
                faults.append(fault)

    threads = [threading.Thread(target=work, daemon=True) for _ in lines[:_AT_ONCE]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for fault in faults:
        raise fault
    return [found[number] for number in range(len(lines))]


def _of_wheels(line: str, attempt: _Attempt) -> str | None:
    """Return a requirement as it can be met by wheels; None where it cannot."""
    version = job_software.pinned(line)
    name = job_software.name(line)
    if "@" in line or line.startswith(("git+", "http")) or attempt.has_wheel(line):
        return line
    if not version or name.startswith(_NEVER_MOVED):
        return None
    oldest = attempt.oldest(name, version)
    if oldest is None:
        return None
    extras = ",".join(sorted(Requirement(line).extras))
    series = ".".join(oldest.split(".")[:2])
    return f"{name}{f'[{extras}]' if extras else ''}>={oldest},=={series}.*"


def _compile(place: Path, python: Interpreter) -> None:
    """Have an environment compiled by and by, by a Python that reads none of its packages."""
    marker = place / _COMPILED
    if not marker.exists():
        compiling = (str(python.path), "-I", "-S", "-c", _COMPILE)
        subprocess.run(
            [*_BESIDE, *compiling, str(place / "lib"), str(marker)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            check=False,
        )
