"""What a model file says of itself before anything of it has run."""

from __future__ import annotations

from msgspec import Struct


class Global(Struct, frozen=True, order=True):
    """A name that a pickle asks for.

    Attributes:
        module: dotted module name, as written in the pickle.
        name: the attribute asked of it.
    """

    module: str
    name: str

    def __str__(self) -> str:
        """Return the dotted name."""
        return f"{self.module}.{self.name}"


class ScanReport(Struct, frozen=True, kw_only=True):
    """A pickle, read without running it.

    Attributes:
        format: `pickle`, or `joblib` where arrays lie raw in the stream.
        protocol: 0 to 5.
        compression: `zlib`, `gzip`, `bz2`, `xz`, `lzma` or None.
        size_bytes: of the file as it lies on disk.
        sha256: of the file as it lies on disk, in hexadecimal.
        globals: every name it asks for, sorted, each once.
        versions: distribution name to the versions that wrote it, as the pickle states them.
        outermost: the class of the object it holds, or a built-in type's name.
    """

    format: str
    protocol: int
    compression: str | None
    size_bytes: int
    sha256: str
    globals: tuple[Global, ...]
    versions: dict[str, tuple[str, ...]]
    outermost: str
