"""What of an archive torch runs as a program: told alike by the scan and by what loads it."""

from __future__ import annotations

from collections.abc import Iterable

ARCHIVE = (b"PK\x03\x04", b"PK\x05\x06")

# The programs that `torch.export.save` writes, now and before.
_EXPORTED = ("models/model.json", "exported_program.json")


def is_torchscript(names: Iterable[str]) -> bool:
    """Return whether an archive with such members carries TorchScript code."""
    return any("/code/" in f"/{name}" and name.endswith(".py") for name in names)


def is_exported(names: Iterable[str]) -> bool:
    """Return whether an archive with such members is a program that torch exported."""
    return any(name.endswith(_EXPORTED) for name in names)
