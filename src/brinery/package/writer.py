"""Packages on disk: written whole or not at all, the same bytes for the same files."""

from __future__ import annotations

import io
import os
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from brinery.errors import InvalidPackage

_TIME = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644
_LEVEL = 6
_PACKED = (".zip", ".whl")
_MOST_BYTES = 1 << 30
_MAKE_AGAIN = "brinery package NAME@VERSION --to TARGET makes a package"


def archive(files: Mapping[str, bytes]) -> bytes:
    """Return files as a zip file: sorted, at one time, of one mode; what is packed stays so."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as packed:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, date_time=_TIME)
            entry.external_attr = (0o100000 | _MODE) << 16
            is_packed = path.endswith(_PACKED)
            entry.compress_type = zipfile.ZIP_STORED if is_packed else zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, whatever made it
            packed.writestr(entry, files[path])
    return made.getvalue()


def check_free(folder: Path) -> Path:
    """Return the archive's path beside a folder that is new or empty.

    Raises:
        InvalidPackage: it holds something, or the archive is there.
    """
    beside = folder.with_name(f"{folder.name}.zip")
    try:
        there = sorted(each.name for each in folder.iterdir())
    except FileNotFoundError:
        there = []
    except OSError as error:
        raise _unwritable(folder, error) from None
    if there:
        raise InvalidPackage(
            f"{folder} is not empty: it holds {', '.join(there[:5])}",
            hint="name a folder that is new with --output, or remove it",
        )
    if beside.exists():
        raise InvalidPackage(
            f"{beside} is there already", hint="name another folder with --output, or remove it"
        )
    return beside


def fill(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files to a folder, which is made."""
    for path, data in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        place.chmod(_MODE)


def place(folder: Path, files: Mapping[str, bytes]) -> int:
    """Return the size of the archive, once files lie in a folder, and in the archive beside it.

    Raises:
        InvalidPackage: it cannot be written, or is not free.
    """
    beside = check_free(folder)
    folder = folder.absolute()
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    part_archive = part.with_suffix(".zip")
    packed = archive(files)
    try:
        part.mkdir(parents=True)
        fill(part, files)
        part_archive.write_bytes(packed)
        if folder.exists():
            folder.rmdir()
        part.rename(folder)
        part_archive.rename(beside)
    except OSError as error:
        raise _unwritable(folder, error) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
        part_archive.unlink(missing_ok=True)
    return len(packed)


def unpack(file: Path, *, into: Path) -> Path:
    """Return the folder of a package: the file itself where it is one, else what it holds.

    Args:
        file: a folder or a zip file.
        into: an empty folder that a zip file is unpacked in.

    Raises:
        InvalidPackage: it is neither, or an entry would lie outside.
    """
    if file.is_dir():
        return file
    try:
        with zipfile.ZipFile(file) as packed:
            for name in packed.namelist():
                parts = PurePosixPath(name).parts
                if name.startswith(("/", "\\")) or ".." in parts or "\\" in name:
                    raise InvalidPackage(
                        f"{file.name} holds {name}, which leads out of it", hint=_MAKE_AGAIN
                    )
            size = sum(entry.file_size for entry in packed.infolist())
            if size > _MOST_BYTES:
                raise InvalidPackage(
                    f"{file.name} unpacks to {size / 1e6:,.0f} MB: it is no package",
                    hint=_MAKE_AGAIN,
                )
            packed.extractall(into)
    except FileNotFoundError:
        raise InvalidPackage(f"there is no {file}", hint=f"ls {file.parent}") from None
    except (OSError, zipfile.BadZipFile, EOFError, ValueError) as error:
        raise InvalidPackage(
            f"{file.name} is no package: {error}", hint="name the .zip file or the folder of one"
        ) from None
    return into


def _unwritable(folder: Path, error: OSError) -> InvalidPackage:
    return InvalidPackage(
        f"{folder} cannot be written to: {error.strerror}", hint="name another one with --output"
    )
