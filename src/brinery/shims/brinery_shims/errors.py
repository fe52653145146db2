"""What is raised in a script: the kinds that the genuine client raises for the same mistakes.

Exception
└── DataikuException       what was asked for is not there, or cannot be
    └── NoGateway          nobody is there to be asked
"""

from __future__ import annotations


class DataikuException(Exception):
    """What was asked for is not there, or cannot be.

    Attributes:
        code: stable, kebab-case, as in Brinery's own errors; empty where there is none.
        hint: the next command to type; may be empty.
    """

    def __init__(self, *arguments: object, code: str = "", hint: str = "") -> None:
        super().__init__(*arguments)
        self.code = code
        self.hint = hint


class NoGateway(DataikuException):
    """Nobody is there to be asked."""


# What the gateway may name, beside our own errors: the mistakes that Python has kinds for.
PYTHON_KINDS = {
    kind.__name__: kind
    for kind in (TypeError, ValueError, KeyError, NotImplementedError, FileNotFoundError)
}


def raised(error: dict[str, str]) -> Exception:
    """Return the exception that an error of the gateway is in a script.

    Args:
        error: `kind`, `code`, `message` and `hint`.
    """
    hint = error.get("hint", "")
    message = error.get("message", "")
    said = f"{message} ({hint})" if hint else message
    kind = PYTHON_KINDS.get(error.get("kind", ""))
    if kind is not None:
        return kind(said)
    return DataikuException(
        f"{error.get('kind', 'Exception')}: {said}", code=error.get("code", ""), hint=hint
    )
