"""A fresh environment of a requirements file, made to see that the file is enough, then dropped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from brinery.errors import EnvironmentUnavailable
from brinery.store import interpreters, uv

# What packages are made for; a compiled part of theirs needs no newer C library.
PLATFORM = "x86_64-manylinux_2_31"

_SAID_CHARACTERS = 300

# What an installation writes of itself, and what is not imported.
_LOCAL = re.compile(
    r"^(bin/|\.lock$)|\.dist-info/(RECORD|INSTALLER|REQUESTED|direct_url\.json|uv_.*)$|/tests?/"
    r"|__pycache__/"
)


def pins(
    requirements: Sequence[str], *, python: str, hashes: bool = False
) -> tuple[tuple[str, ...], str]:
    """Return the exact releases that requirements come to, and the file that states them.

    Args:
        requirements: as pip writes them.
        python: minor version of the Python that they are for.
        hashes: whether the file has the hashes of the releases.

    Raises:
        EnvironmentUnavailable: there are not wheels of all for that Python.
    """
    lines = _lines(requirements, python=python, hashes=hashes)
    return tuple(map(_release, lines)), "".join(f"{line}\n" for line in lines)


def more_pins(
    requirements: Sequence[str], *, beside: Sequence[str], python: str, hashes: bool = False
) -> str:
    """Return the file that states what requirements add to releases that are pinned already.

    Args:
        requirements: as pip writes them.
        beside: `name==version` of what is pinned.
        python: minor version of the Python that they are for.
        hashes: whether the file has the hashes of the releases.

    Raises:
        EnvironmentUnavailable: there are not wheels of all for that Python.
    """
    lines = _lines([*beside, *requirements], python=python, hashes=hashes)
    return "".join(f"{line}\n" for line in lines if _release(line) not in beside)


def is_here(python: str) -> bool:
    """Return whether this machine has a Python of that minor version."""
    return any(one.minor == python for one in interpreters.installed())


def _lines(requirements: Sequence[str], *, python: str, hashes: bool) -> tuple[str, ...]:
    try:
        return uv.pin(requirements, python=python, platform=PLATFORM, hashes=hashes)
    except uv.Unresolved as error:
        raise EnvironmentUnavailable(
            f"what the package needs has no wheels for Python {python}: {_reason(error)}",
            hint="say another one with --python, such as the one the model was imported with",
        ) from None


def _release(line: str) -> str:
    return line.partition(" ")[0]


def _reason(error: uv.Unresolved) -> str:
    """Return why nothing was found, without what uv would do about it."""
    return str(error).partition(" hint:")[0][-_SAID_CHARACTERS:]


def layer(requirements: str, *, python: str) -> dict[str, bytes]:
    """Return path to bytes of what requirements are when they are installed, without bytecode.

    What tells one installation from another, and programs, are left out: it is the same always.

    Args:
        requirements: the text of a requirements file.
        python: minor version of the Python that it is for.

    Raises:
        EnvironmentUnavailable: a wheel cannot be had.
    """
    with TemporaryDirectory(prefix="brinery-") as folder:
        uv.lay(requirements, folder=Path(folder), python=python, platform=PLATFORM)
        found = (path for path in sorted(Path(folder).rglob("*")) if path.is_file())
        paths = {path.relative_to(folder).as_posix(): path for path in found}
        return {name: path.read_bytes() for name, path in paths.items() if not _LOCAL.search(name)}


@contextmanager
def environment(requirements: str, *, python: str, wheels: Sequence[Path] = ()) -> Iterator[Path]:
    """Yield the Python of a new environment; it is gone when the block ends.

    Args:
        requirements: the text of a requirements file.
        python: minor version of its Python.
        wheels: files that are installed, too, without what they require.

    Raises:
        EnvironmentUnavailable: that Python is not here, or a wheel cannot be had.
    """
    found = next((one for one in interpreters.installed() if one.minor == python), None)
    if found is None:
        raise EnvironmentUnavailable(
            f"the package is for Python {python}, which is not on this machine",
            hint=f"uv python install {python}; or --python with one that is here; or --no-verify",
        )
    with TemporaryDirectory(prefix="brinery-") as folder:
        place = Path(folder) / "environment"
        cache = uv.make(place, python=found.path)
        lines = [line for line in requirements.splitlines() if line]
        try:
            if lines:
                uv.install(lines, environment=place, cache=cache)
            if wheels:
                uv.install([str(wheel) for wheel in wheels], environment=place, cache=cache)
        except uv.Unresolved as error:
            raise EnvironmentUnavailable(
                f"an environment of the package's requirements cannot be made: {error}",
                hint="--no-verify writes the package without running it",
            ) from None
        yield place / "bin" / "python"
