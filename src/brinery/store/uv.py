"""uv, asked for what it does best: to resolve, and to install wheels. Nothing is built from source.

Which registry it asks is the user's own setting (`uv.toml`, `UV_INDEX_URL`), and no Python is ever
downloaded.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from uv import find_uv_bin

from brinery.errors import EnvironmentUnavailable

# A line of a lock: of a registry, or of an address.
_RELEASE = re.compile(r"==| @ ")
_TIMEOUT_S = 1800.0
_LAST_CHARACTERS = 300

# Of what uv says when it cannot reach a registry.
_UNREACHABLE = (
    "network was disabled",
    "error sending request",
    "Failed to fetch",
    "Failed to download",
    "dns error",
)

# XGBoost asks for 200 MB that only several GPUs at once have a use for.
LEFT_OUT = ("nvidia-nccl-cu12", "nvidia-nccl-cu13")


class Unresolved(Exception):
    """No set of wheels meets the requirements; the text says why, in uv's words."""


def resolve(
    requirements: Sequence[str],
    *,
    python: Path | str,
    dependencies: bool = True,
    sources: bool = False,
    lowest: bool = False,
    left_out: Sequence[str] = LEFT_OUT,
) -> tuple[str, ...]:
    """Return `name==version` of every distribution that requirements come to, sorted.

    Args:
        requirements: as pip writes them.
        python: the interpreter that the wheels must fit, or a version such as `3.8`, which need
            not be installed.
        dependencies: whether what they require is resolved too.
        sources: whether what has no wheel is built from its source, which runs what it brings.
        lowest: whether the oldest that will do is chosen of what is asked for by name.
        left_out: names that are not installed, whoever requires them.

    Raises:
        Unresolved: no set of wheels meets them.
        EnvironmentUnavailable: the registry cannot be reached, or uv cannot be run.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as overrides:
        overrides.writelines(f"{name} ; python_version < '0'\n" for name in left_out)
        overrides.flush()
        said = _run(
            *("pip", "compile", "-", "--override", overrides.name),
            *(() if sources else ("--only-binary", ":all:")),
            *(("--resolution", "lowest-direct") if lowest else ()),
            *("--no-header", "--no-annotate", "--no-emit-index-url", "--quiet"),
            *(
                ("--python", str(python))
                if isinstance(python, Path)
                else ("--python-version", python)
            ),
            *(() if dependencies else ("--no-deps",)),
            given="\n".join(requirements),
        )
    return tuple(sorted(line.strip() for line in said.splitlines() if _RELEASE.search(line)))


def pin(
    requirements: Sequence[str], *, python: str, platform: str, hashes: bool = False
) -> tuple[str, ...]:
    """Return the lines of a requirements file: exact releases that have wheels, sorted.

    Args:
        requirements: as pip writes them.
        python: the version that the wheels must fit, such as `3.12`, which need not be installed.
        platform: that they must fit, as uv calls it, such as `x86_64-manylinux_2_28`.
        hashes: whether each line goes on with the hashes of the release's files.

    Raises:
        Unresolved: no set of wheels meets them.
        EnvironmentUnavailable: the registry cannot be reached, or uv cannot be run.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as overrides:
        overrides.writelines(f"{name} ; python_version < '0'\n" for name in LEFT_OUT)
        overrides.flush()
        said = _run(
            *("pip", "compile", "-", "--override", overrides.name, "--only-binary", ":all:"),
            *("--no-header", "--no-annotate", "--no-emit-index-url", "--quiet"),
            *("--python-version", python, "--python-platform", platform),
            *(("--generate-hashes",) if hashes else ()),
            given="\n".join(requirements),
        )
    lines = said.replace(" \\\n", "\0").splitlines()
    return tuple(sorted(line.replace("\0", " \\\n") for line in lines if _RELEASE.search(line)))


def make(folder: Path, *, python: Path) -> Path:
    """Return uv's cache, which `install` asks for; an empty environment is made meanwhile.

    Args:
        folder: of the virtual environment; it may be renamed.
        python: that it is made of.

    Raises:
        EnvironmentUnavailable: uv cannot.
    """
    options = ("--quiet", "--relocatable", "--no-project", "--python", str(python))
    with _begun("cache", "dir") as asked:
        _run("venv", *options, str(folder))
        return Path(_said(asked).strip())


def install(
    requirements: Sequence[str],
    *,
    environment: Path,
    cache: Path,
    dependencies: bool = False,
    sources: bool = False,
    left_out: Sequence[str] = (),
) -> None:
    """Install distributions from wheels, and run nothing of them.

    uv would compile them by the environment's own Python, which reads what they brought: it does
    not. Their files are hard links to uv's cache, so that environments share them, where that lies
    on the same file system; else to a cache beside the environment.

    Args:
        requirements: what is installed, and options of a requirements file, a line each.
        environment: folder of the environment.
        cache: uv's, which need not be there yet.
        dependencies: whether what they require is installed too; a lock names it itself.
        sources: whether what has no wheel is built from its source, which runs what it brings.
        left_out: names that are not installed, whoever requires them.

    Raises:
        Unresolved: a wheel does not exist here, or nothing meets the requirements.
        EnvironmentUnavailable: the registry cannot be reached, or the disk cannot be written.
    """
    beside = environment.parent / ".cache"
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as overrides:
        overrides.writelines(f"{name} ; python_version < '0'\n" for name in left_out)
        overrides.flush()
        _run(
            *("pip", "install", "--quiet", "--python", str(environment / "bin" / "python")),
            *(("--override", overrides.name) if dependencies else ("--no-deps",)),
            *(() if sources else ("--only-binary", ":all:")),
            *("--no-compile-bytecode", "--link-mode", "hardlink"),
            *(() if _same_device(cache, environment) else ("--cache-dir", str(beside))),
            *("--requirements", "-"),
            given="\n".join(requirements),
        )


def lay(requirements: str, *, folder: Path, python: str, platform: str) -> None:
    """Install the wheels of a requirements file into a folder that is not an environment.

    Args:
        requirements: the text of the file.
        folder: to install into.
        python: version that the wheels must fit, which need not be installed.
        platform: that they must fit, as uv calls it.

    Raises:
        EnvironmentUnavailable: a wheel cannot be had.
    """
    try:
        _run(
            *("pip", "install", "--quiet", "--target", str(folder), "--no-deps"),
            *("--only-binary", ":all:", "--no-compile-bytecode", "--link-mode", "copy"),
            *("--python-version", python, "--python-platform", platform),
            *("--requirements", "-"),
            given=requirements,
        )
    except Unresolved as error:
        raise EnvironmentUnavailable(
            f"a layer of the package's requirements cannot be made: {error}",
            hint="say another Python with --python",
        ) from None


def _same_device(one: Path, other: Path) -> bool:
    """Return whether hard links can be made between two folders; the first may not be there yet."""
    while not one.exists():
        one = one.parent
    return one.stat().st_dev == other.stat().st_dev


def _run(*arguments: str, given: str = "") -> str:
    """Return what uv prints.

    Raises:
        Unresolved: it finds no solution.
        EnvironmentUnavailable: anything else goes wrong.
    """
    with _begun(*arguments) as process:
        return _said(process, given=given)


def _begun(*arguments: str) -> subprocess.Popen[str]:
    """Return a process of uv that was begun; `_said` waits for it.

    Raises:
        EnvironmentUnavailable: it cannot be.
    """
    try:
        return subprocess.Popen(
            [find_uv_bin(), *arguments, "--no-python-downloads", "--no-progress"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    except OSError as error:
        raise _unusable(error) from None


def _said(process: subprocess.Popen[str], *, given: str = "") -> str:
    """Return what uv prints, once it has ended.

    Raises:
        Unresolved: it finds no solution.
        EnvironmentUnavailable: anything else goes wrong.
    """
    try:
        said, complaint = process.communicate(given, timeout=_TIMEOUT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _unusable(error) from None
    finally:
        # Whatever it was that did not let us wait for its end.
        process.kill()
    if process.returncode == 0:
        return said
    words = " ".join(complaint.replace("\n  cause:", ":").split()).removeprefix("error: ")
    if any(sign in complaint for sign in _UNREACHABLE):
        raise EnvironmentUnavailable(
            f"the package registry cannot be reached: {words[:_LAST_CHARACTERS]}",
            hint="try again with the network on; uv's own settings name the registry and its proxy",
        )
    if "No solution found" in complaint:
        raise Unresolved(words)
    raise EnvironmentUnavailable(
        f"uv could not set up the environment: {words[-_LAST_CHARACTERS:]}",
        hint="uv cache clean, and try again; df shows whether the disk is full",
    )


def _unusable(error: Exception) -> EnvironmentUnavailable:
    return EnvironmentUnavailable(
        f"uv, which builds environments, could not be run: {error}", hint="pip install uv"
    )
