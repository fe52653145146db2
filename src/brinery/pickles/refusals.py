"""Whether what a model raised comes of its confinement, and how that is said."""

from __future__ import annotations

import os

from brinery.errors import BrineryError, ModelConfined
from brinery.pickles import attempts, confinement

_MOST_LINKS = 50
_NO_MEMORY = "bad_alloc"

# As the C library says that the kernel refused: native code has nothing but these words to raise.
_REFUSED = ("Permission denied", "Operation not permitted")
# What follows in XGBoost's and LightGBM's messages are addresses of native code.
_TRACE = "Stack trace"
_MAX_REASON = 300


def explained(error: BaseException, tried: tuple[str, ...]) -> BrineryError | None:
    """Return the error to tell where the sandbox had to do with it; None where it had not.

    Args:
        error: what was raised while a request was met.
        tried: what was noted meanwhile; see `brinery.pickles.attempts`.
    """
    for link in _chain(error):
        if isinstance(link, MemoryError) or _NO_MEMORY in str(link):
            return ModelConfined(
                f"the model needs more than {confinement.memory_gb():g} GB of memory",
                hint="memory_gb in brinery.toml, [sandbox], allows it more",
            )
        if what := _refused(link, tried):
            return ModelConfined(
                f"the model {what}: its sandbox forbids it",
                hint="a model reads what lies beside it and writes in its own folder; "
                "if it is not yours, do not trust it",
            )
    if tried and isinstance(error, BrineryError):
        also = f"it also {attempts.told(tried[-1])}"
        return type(error)(error.message, hint=f"{error.hint}; {also}" if error.hint else also)
    return None


def reason(error: BaseException) -> str:
    """Return an exception on one line, without the stack of native code that it may tell."""
    text = " ".join(str(error).partition(_TRACE)[0].split())
    return f"{type(error).__name__}: {text[:_MAX_REASON]}"


def _refused(link: BaseException, tried: tuple[str, ...]) -> str:
    """Return what a model was refused; empty where an exception tells of no refusal."""
    if isinstance(link, OSError) and (path := _secret(link)):
        named = [attempt for attempt in tried if attempt.endswith(f" {path}")]
        return f"tried to {named[-1] if named else f'open {path}'}"
    if isinstance(link, BrineryError):
        return ""  # our own words for a link that comes after it
    if isinstance(link, PermissionError) or any(said in str(link) for said in _REFUSED):
        return f"tried to {tried[-1]}" if tried else f"was refused by the system: {reason(link)}"
    return ""


def _secret(error: OSError) -> str:
    """Return the path of keys that an error is about; empty where it is about none."""
    path = error.filename
    return attempts.secret(path) if isinstance(path, (str, bytes, os.PathLike)) else ""


def _chain(error: BaseException) -> list[BaseException]:
    """Return an exception, and those that it came of."""
    found: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in found and len(found) < _MOST_LINKS:
        found.append(link)
        link = link.__cause__ or link.__context__
    return found
