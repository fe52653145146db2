"""Scan: what model files and folders would do, told without running any of them."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from brinery.errors import FormatNotRead, ModelFileError, ModelFileMissing, NotAPickle
from brinery.flavors import unscored
from brinery.pickles import scanner
from brinery.pickles.folders import MLMODEL
from brinery.records.scan import ScanReport, Verdict


class Refusal(Struct, frozen=True, kw_only=True):
    """Why a file could not be scanned.

    Attributes:
        code: of the error, stable.
        message: one sentence.
        hint: what to do.
    """

    code: str
    message: str
    hint: str


class Scanned(Struct, frozen=True, kw_only=True):
    """A path with what was found there.

    Attributes:
        path: as it was given, or within the folder that was given.
        verdict: the worst of what was found; `malformed` where it cannot be read.
        report: what it states; None where it cannot be read.
        refusal: why it cannot be read; None where it can.
        predicts: whether it can be asked for predictions, as far as it can be told before it is
            loaded; what cannot is imported without data.
    """

    path: str
    verdict: Verdict
    report: ScanReport | None = None
    refusal: Refusal | None = None
    predicts: bool = True


def scan(path: str | Path) -> ScanReport:
    """Return what a model file or folder states, without importing or making anything of it.

    Args:
        path: of a pickle, a joblib file, another known format, or an MLflow model's folder.

    Raises:
        ModelFileMissing: there is no such file.
        ModelFileError: it cannot be read.
        NotAPickle: it is of no model's format, or of one that is not read.
    """
    return scanner.scan(Path(path))


def scan_files(paths: Iterable[str | Path]) -> Iterator[Scanned]:
    """Yield what was found at each path, in order; a folder that is no model is each file of it.

    Files of such a folder that are no models are passed over.

    Args:
        paths: of files and folders, or patterns such as `models/*.pkl`.

    Raises:
        ModelFileMissing: there is nothing at a path, which is told before the first is read; or
            no file at any of them is a model.
    """
    given = list(map(Path, paths))
    found = False
    for path, is_listed in list(_listed(given)):
        try:
            report = scanner.scan(path)
        except ModelFileError as error:
            unread = isinstance(error, FormatNotRead) or not isinstance(error, NotAPickle)
            if is_listed and not unread:
                continue
            found = True
            refusal = Refusal(code=error.code, message=error.message, hint=error.hint)
            yield Scanned(path=str(path), verdict=Verdict.MALFORMED, refusal=refusal)
        else:
            found = True
            yield Scanned(
                path=str(path),
                verdict=report.verdict,
                report=report,
                predicts=not unscored.is_foreseen(report),
            )
    if not found:
        where = ", ".join(map(str, given))
        raise ModelFileMissing(
            f"no file in {where} is a model",
            hint=f"ls {given[0]} shows what is there; brinery scan FILE says why one is none",
        )


def _listed(paths: Iterable[Path]) -> Iterator[tuple[Path, bool]]:
    """Yield the files and folders to scan, and whether each was found in a folder."""
    for path in paths:
        if _is_there(path):
            yield from _within(path)
            continue
        found = sorted(glob.glob(str(path), recursive=True)) if glob.has_magic(str(path)) else []  # noqa: PTH207 - a pattern may begin anywhere
        if not found:
            raise ModelFileMissing(
                f"{path} does not exist", hint=f"ls {path.parent} shows what is there"
            )
        for one in found:
            yield from _within(Path(one))


def _within(path: Path) -> Iterator[tuple[Path, bool]]:
    if not path.is_dir() or (path / MLMODEL).is_file():
        yield path, False
        return
    waiting = [path]
    while waiting:
        folder = waiting.pop()
        if (folder / MLMODEL).is_file():
            yield folder, True
            continue
        for one in _sorted(folder):
            if one.is_symlink():
                continue
            if one.is_dir():
                waiting.append(one)
            else:
                yield one, True


def _sorted(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise ModelFileError(
            f"{folder} cannot be opened: {error.strerror}", hint=f"ls -ld {folder}"
        ) from None


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise ModelFileError(
            f"{path} cannot be opened: {error.strerror}", hint=f"ls -l {path.parent}"
        ) from None
