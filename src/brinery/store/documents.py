"""Documents that Brinery writes: whole, or not at all."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from brinery.errors import OutputUnwritable


def write(path: Path, content: bytes) -> None:
    """Write a document in place of what is there; a reader sees the old one or the new one.

    Raises:
        OutputUnwritable: the system refuses.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise unwritable(path, error) from None


def unwritable(path: Path, error: OSError) -> OutputUnwritable:
    """Return the error for an output that the system refused."""
    return OutputUnwritable(
        f"{path} cannot be written: {error.strerror or error}",
        hint=f"ls -ld {path.parent} shows who may write there; name a file in another folder"
        if path.parent.exists()
        else f"mkdir -p {path.parent}",
    )
