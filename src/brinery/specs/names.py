"""Names: which are allowed for a model, and which one was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import import_module
from itertools import islice

from brinery.errors import InvalidName

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")

# A search takes time that others may be waiting for.
_SEARCHED = 1000
_COMPARED_CHARACTERS = 100


def check_name(name: str) -> str:
    """Return the model name unchanged.

    Raises:
        InvalidName: it is empty, too long, or has a character that a URL, a file name or MLflow
            would not take.
    """
    if _NAME.fullmatch(name):
        return name
    suggestion = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-._")[:100]
    hint = f"try --name {suggestion}" if suggestion else "try --name my-model"
    raise InvalidName(
        f"'{name}' is not allowed as a model name: up to 100 letters, digits, '-', '_' and '.', "
        "the first a letter or a digit",
        hint=hint,
    )


def nearest(name: str, known: Iterable[str], *, alike: float = 0.6) -> str | None:
    """Return the known name closest to a name, whatever its case; None where none is close.

    Args:
        name: that was given.
        known: names that there are.
        alike: difflib's ratio that the closest has at least, 0 to 1.
    """
    folded: dict[str, str] = {}
    for one in islice(known, _SEARCHED):
        folded.setdefault(one.casefold()[:_COMPARED_CHARACTERS], one)
    close = import_module("difflib").get_close_matches(
        name.casefold()[:_COMPARED_CHARACTERS], folded, n=1, cutoff=alike
    )
    return folded[close[0]] if close else None
