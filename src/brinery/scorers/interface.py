"""What a scorer is made of: steps that change data, and the model behind them that answers.

A node is a `Struct` of plain values, arrays and other nodes: data that can be written to a file and
checked when it is read, in a process that never saw the model. One file per family of estimators
holds its nodes, beside the readers that make them of fitted estimators. A reader copies figures; it
guesses nothing, and what it does not know is `Unsupported`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Optional, Union

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from brinery.scorers import rows
from brinery.scorers.data import Array, Data, Declined
from brinery.scorers.origin import Origins

if TYPE_CHECKING:
    from brinery.scorers.additive import Additive

# So many classes no model has; a forged count of them could fill the memory.
MOST_CLASSES = 1 << 14


class Unsupported(Exception):
    """An estimator, or a setting of one, that no node stands for; the text says which."""


class Answer(Struct, frozen=True, eq=False):
    """The answers of a model.

    Attributes:
        labels: (n_rows,) places of the predicted classes; None where it has no classes.
        values: (n_rows,) or (n_rows, n_outputs) predicted numbers; None of a classifier.
        probabilities: (n_rows, n_classes); None where it gives none.
    """

    labels: Optional[Array] = None
    values: Optional[Array] = None
    probabilities: Optional[Array] = None


class Step:
    """A node that changes data: a fitted transformer, or several."""

    def transform(self, data: Data) -> Data:
        """Return what the library's `transform` makes of the same rows.

        Raises:
            Declined: the library would refuse them, or might answer otherwise.
        """
        del data
        raise Declined(f"{type(self).__name__} transforms nothing")

    def row(self) -> Optional[rows.Step]:
        """Return what makes the same of a single row, sooner; None where arrays are as soon."""
        return None

    def trace(self, origins: Origins) -> Origins:
        """Return where each output column comes from, given where each input column does.

        None where the number of output columns is not known.
        """
        del origins
        return None


class Model:
    """A node that answers: a fitted classifier or regressor, or several."""

    def answer(self, data: Data) -> Answer:
        """Return what the library's `predict` and `predict_proba` answer for the same rows.

        Raises:
            Declined: the library would refuse them, or might answer otherwise.
        """
        del data
        raise Declined(f"{type(self).__name__} answers nothing")

    def row(self) -> Optional[rows.Model]:
        """Return what answers a single row, sooner; None where arrays are as soon.

        Its labels are those of `answer`, its other figures may end in other bits.
        """
        return None

    def decision(self, data: Data) -> Array:
        """Return what the library's `decision_function` gives: (n_rows,) or (n_rows, n_classes).

        Raises:
            Declined: as for `answer`.
        """
        del data
        raise Declined("it has no decision function")

    def splits(self, origins: Origins) -> tuple[Splits, ...]:
        """Return the trees within, for whoever looks for their thresholds.

        Args:
            origins: of the columns that it is given.
        """
        del origins
        return ()

    def additive(self, origins: Origins) -> Additive:
        """Return the raw answer as a sum of trees' leaves, or of weighted columns.

        Args:
            origins: of the columns that it is given.

        Raises:
            Declined: it is no such sum.
        """
        del origins
        raise Declined("it is neither a sum of trees nor one of weighted columns")


@dataclass(frozen=True, eq=False)
class Splits:
    """Trees, and the way to them.

    Attributes:
        trees: their table.
        origins: where its features come from.
        prepare: from what the scorer is given to the features: (n_rows, n_features).
    """

    trees: Any
    origins: Origins
    prepare: Callable[[Data], Array]


Node = Union[Step, Model]


class Reader:
    """Reads fitted estimators into nodes, those within them too.

    Args:
        readers: class name, such as `sklearn.StandardScaler`, to what reads it.
            What is a model too is read as a transformer by that of its method, such as
            `sklearn.LinearDiscriminantAnalysis.transform`.
        library: makes the node that asks the library itself, or raises `Unsupported`; told whether
            it is to be a step.
    """

    def __init__(
        self,
        readers: Mapping[str, Callable[[Any, Reader], Node]],
        library: Callable[..., Node],
    ) -> None:
        self._readers = readers
        self._library = library

    def step(self, estimator: Any) -> Step:
        """Return the node of a fitted transformer."""
        name = class_name(estimator)
        read = self._readers.get(f"{name}.transform") or self._readers.get(name, _unknown)
        node = self._read(estimator, read, is_step=True)
        if not isinstance(node, Step):
            raise Unsupported(f"{type(estimator).__name__} is used as a transformer")
        return node

    def model(self, estimator: Any) -> Model:
        """Return the node of a fitted classifier or regressor."""
        node = self.node(estimator)
        if not isinstance(node, Model):
            raise Unsupported(f"{type(estimator).__name__} transforms, and no scorer ends so")
        return node

    def node(self, estimator: Any) -> Node:
        """Return the node of a fitted estimator; where there is none, what asks the library."""
        read = self._readers.get(class_name(estimator), _unknown)
        return self._read(estimator, read, is_step=False)

    def _read(self, estimator: Any, read: Callable[[Any, Reader], Node], *, is_step: bool) -> Node:
        try:
            node = read(estimator, self)
        except Unsupported as unsupported:
            reason = str(unsupported)
        except Exception as error:  # noqa: BLE001 - a version that nobody knew may lack anything
            reason = f"it could not be read: {type(error).__name__}: {error}"
        else:
            if isinstance(node, Step) or not is_step:
                return node
            reason = f"{type(estimator).__name__} is used as a transformer"
        return self._library(estimator, reason, is_step=is_step)


def class_name(estimator: Any) -> str:
    """Return a class as the readers know it: its package and its name, such as `sklearn.PCA`."""
    kind = type(estimator)
    return f"{str(kind.__module__).partition('.')[0]}.{kind.__qualname__}"


def _unknown(estimator: Any, _: Reader) -> Node:
    raise Unsupported(f"{type(estimator).__name__} is not known")


def require(condition: object, what: str) -> None:
    """Raise where a node's figures do not fit together: its file is damaged, or forged.

    Raises:
        ValueError: the condition is false.
    """
    if not condition:
        raise ValueError(what)


def floats(values: Any) -> npt.NDArray[np.float64]:
    """Return figures as a contiguous float64 array."""
    return np.ascontiguousarray(values, dtype=np.float64)
