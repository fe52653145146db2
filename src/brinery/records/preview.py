"""What is shown of a file before anybody downloads it: the first rows, or lines, or the picture."""

from __future__ import annotations

from msgspec import Struct

from brinery.records.text_enum import TextEnum


class PreviewKind(TextEnum):
    """What there is to show."""

    FOLDER = "folder"
    IMAGE = "image"
    NOTHING = "nothing"
    TABLE = "table"
    TEXT = "text"


class Listed(Struct, frozen=True, kw_only=True):
    """A file or a folder in a folder.

    Attributes:
        name: of it.
        path: from the folder that was named, without a slash before it.
        folder: whether it is one.
        size_bytes: of a file; of a folder 0.
    """

    name: str
    path: str
    folder: bool = False
    size_bytes: int = 0


class Preview(Struct, frozen=True, kw_only=True):
    """What is shown of a file or a folder.

    Attributes:
        kind: of what is shown.
        size_bytes: of the file.
        text: of a text, its beginning.
        columns: of a table.
        rows: of a table, its first ones, as texts.
        entries: of a folder.
        cut: whether there is more than is here.
        why: there is nothing to show, in words; empty where there is something.
        media_type: of an image.
    """

    kind: PreviewKind
    size_bytes: int = 0
    text: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    entries: tuple[Listed, ...] = ()
    cut: bool = False
    why: str = ""
    media_type: str = ""
