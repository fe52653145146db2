"""The environments that models were written with: built once, shared, found again by content.

An environment is a virtual environment in a folder that is named after what is in it: the lock,
the minor version of Python, the platform. It is built beside its place and renamed into it, so that
one that is there is whole; a lock on its name keeps two builders apart.
"""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from brinery.errors import EnvironmentUnavailable
from brinery.records.built_environment import BuiltEnvironment
from brinery.records.ready import decoded
from brinery.records.requirements import Requirements
from brinery.records.version import Environment
from brinery.store import building, interpreters, uv, wheels
from brinery.store.interpreters import Interpreter

# What Brinery's own code in a model's process imports. joblib writes aligned arrays since 1.2, and
# reads those of before, so it may be later than the one that wrote; a stated one is kept.
CHILD = ("joblib>=1.2", "msgspec>=0.18", "numpy", "pandas>=1.3", "pyarrow>=10")
# Its later wheels say of no numpy that they need the second.
_ARROW_OF_NUMPY_1 = "pyarrow<22"

_RECORD = "environment.json"
_CUSTOMIZE = ("sitecustomize", "usercustomize")


class Environments:
    """The built environments of a workspace.

    Args:
        folder: where they lie; it need not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, wanted: Requirements) -> Environment | None:
        """Return the environment that was built for requirements; None where none is there."""
        try:
            known = decoded(self._request(wanted).read_bytes(), Environment)
        except (OSError, msgspec.DecodeError):
            return None
        return known if self.has(known) else None

    def build(self, wanted: Requirements) -> Environment:
        """Return an environment that meets requirements, built where it is not there.

        Raises:
            EnvironmentUnavailable: there is no such Python or wheel, or no registry.
        """
        environment = self.plan(wanted)
        self.ensure(environment)
        return environment

    def plan(self, wanted: Requirements) -> Environment:
        """Return the environment that meets requirements; `has` tells whether it is built.

        Other requirements may have led to the same one. The Python is the stated one, or else the
        newest that is installed here and that every requirement has a wheel for.

        Raises:
            EnvironmentUnavailable: there is no such Python or wheel, or no registry.
        """
        if known := self.find(wanted):
            return known
        python, lock = _chosen(wanted)
        environment = Environment(
            python=str(python),
            platform=python.platform,
            libc=python.libc,
            packages={},
            built=True,
            lock=lock,
        )
        request = self._request(wanted)
        try:
            request.parent.mkdir(parents=True, exist_ok=True)
            building.write(request, environment)
        except OSError as error:
            raise building.unwritable(request.parent, error) from None
        return environment

    def has(self, environment: Environment) -> bool:
        """Return whether an environment can be used as it is; the current one always can."""
        return not environment.built or self._whole(self._place(environment))

    def ensure(self, environment: Environment) -> Path | None:
        """Return the Python of an environment, built again where it is gone; None for this one.

        Raises:
            EnvironmentUnavailable: it cannot be built here and now.
        """
        if not environment.built:
            return None
        place = self._place(environment)
        if not self._whole(place):
            self._make(environment, _like(environment))
        return place / "bin" / "python"

    def path(self, environment: Environment) -> Path | None:
        """Return the folder of an environment, whether or not it is built; None for this one's."""
        return self._place(environment) if environment.built else None

    def built(self) -> list[BuiltEnvironment]:
        """Return the environments that are there, the largest first.

        A file that several share by a hard link counts for the first of them.
        """
        seen: set[tuple[int, int]] = set()
        found = []
        for place in sorted(self._folder.glob("*/")):
            try:
                record = (place / _RECORD).read_bytes()
                known = decoded(record, Environment)
                built_s = (place / _RECORD).stat().st_mtime
            except (OSError, msgspec.MsgspecError):
                continue
            found.append(
                BuiltEnvironment(
                    name=place.name,
                    python=known.python,
                    packages=known.lock,
                    size_bytes=building.size_bytes(place, seen),
                    built=datetime.fromtimestamp(built_s, UTC),
                )
            )
        return sorted(found, key=lambda one: -one.size_bytes)

    def _place(self, environment: Environment) -> Path:
        minor = environment.python.rpartition(".")[0]
        return self._folder / building.digest(minor, sysconfig.get_platform(), *environment.lock)

    def _request(self, wanted: Requirements) -> Path:
        name = building.digest(
            wanted.python,
            str(wanted.python_exact),
            sysconfig.get_platform(),
            *CHILD,
            *wanted.packages,
        )
        return self._folder / "requests" / f"{name}.json"

    @staticmethod
    def _whole(place: Path) -> bool:
        return (place / _RECORD).is_file() and (place / "bin" / "python").exists()

    def _make(self, environment: Environment, python: Interpreter) -> None:
        """Build an environment in its place, unless another process does so meanwhile."""
        place = self._place(environment)

        def fill(folder: Path) -> None:
            _fill(folder, python, lock=environment.lock)
            _compile(folder, python, place=place)
            building.write(folder / _RECORD, environment)

        building.build(place, whole=self._whole, fill=fill)


def _chosen(wanted: Requirements) -> tuple[Interpreter, tuple[str, ...]]:
    """Return the Python to build with, and what it will hold.

    Raises:
        EnvironmentUnavailable: no Python that is here will do.
    """
    here = interpreters.installed()
    minor = ".".join(wanted.python.split(".")[:2])
    # The Python that wrote the model first; the newest first among the others.
    candidates = sorted(here, key=lambda one: one.minor != minor)
    if wanted.python_exact:
        candidates = [one for one in candidates if one.minor == minor]
        if not candidates:
            raise wheels.no_python(minor, here)
    said = ""
    for python in candidates:
        try:
            return python, _resolved(wanted, python.path)
        except uv.Unresolved as error:
            said = said or str(error)
    raise wheels.no_wheels(wanted, candidates, said=said)


def _resolved(wanted: Requirements, python: Path) -> tuple[str, ...]:
    """Return what an environment holds, for the model and for the process around it.

    Raises:
        Unresolved: there are no wheels of all.
    """
    kept = any(line.startswith("joblib==") for line in wanted.packages)
    lines = [*wanted.packages, *(line for line in CHILD if not (kept and line == CHILD[0]))]
    lock = uv.resolve(lines, python=python)
    if any(line.startswith("numpy==1.") for line in lock):
        lock = uv.resolve([*lines, _ARROW_OF_NUMPY_1], python=python)
    return lock


def _like(environment: Environment) -> Interpreter:
    """Return the installed Python that an environment has, or one of the same minor version.

    Raises:
        EnvironmentUnavailable: there is none.
    """
    minor = environment.python.rpartition(".")[0]
    here = interpreters.installed()
    alike = [python for python in here if python.minor == minor]
    found = next((one for one in alike if str(one) == environment.python), next(iter(alike), None))
    if found is None:
        raise wheels.no_python(minor, here)
    return found


def _fill(folder: Path, python: Interpreter, *, lock: Sequence[str]) -> None:
    """Make an environment in a folder.

    Nothing that a wheel brings runs while it is made, nor when its Python starts, before the
    process is confined: a line of a `.pth` file would, and so would a `sitecustomize`.
    """
    cache = uv.make(folder, python=python.path)
    programs = {path: path.readlink() for path in (folder / "bin").iterdir() if path.is_symlink()}
    settings = (folder / "pyvenv.cfg").read_bytes()
    try:
        uv.install(lock, environment=folder, cache=cache)
    except uv.Unresolved as error:
        raise EnvironmentUnavailable(
            f"the environment cannot be built: {error}",
            hint="the registry has not every wheel that it had when the model was imported",
        ) from None
    (folder / "pyvenv.cfg").write_bytes(settings)
    for path in (folder / "bin").iterdir():
        if path not in programs or not path.is_symlink() or path.readlink() != programs[path]:
            path.unlink()
    for packages in folder.glob("lib*/python*/site-packages"):
        for path in packages.iterdir():
            if path.suffix == ".pth" or path.name.partition(".")[0] in _CUSTOMIZE:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _compile(folder: Path, python: Interpreter, *, place: Path) -> None:
    """Compile the packages to bytecode, by a Python that reads none of them."""
    for packages in folder.glob("lib/python*/site-packages"):
        subprocess.run(
            [
                *(str(python.path), "-I", "-S", "-m", "compileall", "-q", "-j", "0"),
                *("-s", str(folder), "-p", str(place), str(packages)),
            ],
            stdout=subprocess.DEVNULL,
            check=False,  # some packages ship examples in other languages than this Python
        )
