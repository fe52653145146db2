"""Whether what a model raised comes of its confinement, and how that is said."""

from __future__ import annotations

from brinery.errors import BrineryError, ModelConfined
from brinery.pickles import confinement

_MOST_LINKS = 50
_NO_MEMORY = "bad_alloc"


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
        if isinstance(link, PermissionError):
            what = f"tried to {tried[-1]}" if tried else f"was refused by the system: {link}"
            return ModelConfined(
                f"the model {what}: its sandbox forbids it",
                hint="a model reads what lies beside it and writes in its own folder; "
                "if it is not yours, do not trust it",
            )
    if tried and isinstance(error, BrineryError):
        also = f"it also tried to {tried[-1]}, which its sandbox refused"
        return type(error)(error.message, hint=f"{error.hint}; {also}" if error.hint else also)
    return None


def _chain(error: BaseException) -> list[BaseException]:
    """Return an exception, and those that it came of."""
    found: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in found and len(found) < _MOST_LINKS:
        found.append(link)
        link = link.__cause__ or link.__context__
    return found
