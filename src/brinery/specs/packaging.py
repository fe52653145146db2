"""What the user declares of a package: names that clients use, its Python, who answers."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from brinery.errors import InvalidPackage
from brinery.specs.names import nearest

_PYTHON = re.compile(r"3\.(9|1[0-9])")
_UNIT = re.compile(r"\s*[(\[].*?[)\]]")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")


class WhoAnswers(StrEnum):
    """Who is to answer in a package; `AUTO` is the scorer where it covers the model."""

    AUTO = "auto"
    SCORER = "scorer"
    LIBRARY = "library"


class PackageSpec(BaseModel):
    """What is declared of a package.

    Attributes:
        python: minor version of the Python that it is for; that of the model's environment, or of
            this process, when empty.
        key: what an answer is called; `predicted_class` or `predicted_value` where it is None.
        aliases: `alias=column`, other names that clients may use.
        probabilities: whether an answer to one row has them, too.
        engine: who answers.
        hashes: whether the requirements have the hashes of their files.
        keep_rows: whether rows of the evaluation data lie in the package, for its proof; else rows
            that were made up.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    python: str = ""
    key: str | None = None
    aliases: tuple[str, ...] = ()
    probabilities: bool = False
    engine: WhoAnswers = WhoAnswers.AUTO
    hashes: bool = False
    keep_rows: bool = False

    def check(self) -> None:
        """Check what needs no model to be checked.

        Raises:
            InvalidPackage: the Python or the key cannot be.
        """
        if self.python and not _PYTHON.fullmatch(self.python):
            raise InvalidPackage(
                f"--python {self.python} is no Python that a package can be for",
                hint="say a minor version from 3.9 on, such as --python 3.12",
            )
        if self.key is not None and not _KEY.fullmatch(self.key):
            raise InvalidPackage(
                f"--response-key '{self.key}' is no name: letters, digits, '_', '-' and '.'",
                hint="try --response-key predicted_class",
            )


def module_name(model: str) -> str:
    """Return what the Python package of a model is called: `bank_model` of `bank`."""
    plain = re.sub(r"[^a-z0-9]+", "_", model.lower()).strip("_")
    return f"{'m_' if plain[:1].isdigit() else ''}{plain or 'a'}_model"


def aliases(columns: Sequence[str], declared: Iterable[str]) -> dict[str, str]:
    """Return alias to column: those that were declared, and one for each name that is no word.

    `sepal length (cm)` is `sepal_length`, too, unless another column has that name or would.

    Args:
        columns: of the signature.
        declared: `alias=column` each.

    Raises:
        InvalidPackage: one is not of that form, or names what is not there, or what is there.
    """
    made: dict[str, str] = {}
    for text in declared:
        alias, equals, column = text.partition("=")
        if not equals or not alias:
            raise InvalidPackage(
                f"--alias {text} is not ALIAS=COLUMN", hint=f'try --alias "x={columns[0]}"'
            )
        if column not in columns:
            near = nearest(column, columns)
            raise InvalidPackage(
                f"--alias {text}: the model takes no column '{column}'",
                hint=f'did you mean --alias "{alias}={near}"?'
                if near
                else f"it takes {', '.join(columns[:20])}",
            )
        if alias in columns or made.get(alias, column) != column:
            raise InvalidPackage(
                f"--alias {text}: '{alias}' means another column already",
                hint="choose another alias",
            )
        made[alias] = column
    spoken = set(made.values())
    words = {column: _word(column) for column in columns if column not in spoken}
    counts = list(words.values())
    for column, word in words.items():
        is_free = word not in columns and word not in made and counts.count(word) == 1
        if word and is_free:
            made[word] = column
    return made


def _word(column: str) -> str:
    """Return a name as a variable has it, without the unit in brackets; empty where it has one."""
    word = re.sub(r"\W+", "_", _UNIT.sub("", column).strip()).strip("_").lower()
    if not word.isidentifier() or keyword.iskeyword(word):
        return ""
    return "" if column.isidentifier() else word
