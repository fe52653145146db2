"""What a flavor is: how one framework's models are recognised, loaded, described and asked.

A flavor lives in the model's process. It subclasses `Flavor`, whose methods with a body are what
most frameworks do; `catalog` finds it. Importing a flavor's module imports no framework: that
happens when a model of it is met.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Optional, Protocol, Union

import numpy.typing as npt
import pandas as pd
from msgspec import Struct

from brinery.errors import NotAModel
from brinery.flavors import answers, outputs
from brinery.records.description import ColumnUse, Description
from brinery.records.evaluation import PredictionType
from brinery.records.scores import Scores
from brinery.records.signature import Scalar

Given = Union[pd.DataFrame, npt.NDArray[Any]]
"""What a model is given: a frame where it names its columns or wants one anyway, else an array."""


class Source(Struct, frozen=True, kw_only=True):
    """Files that become a model, as they lie in the process's inbox.

    Attributes:
        path: of the file or folder; its bytes are those that were scanned.
        format: as `ScanReport.format` has it.
        globals: the dotted names that its pickles may ask for, and that the user accepted.
        code: folders of the user's modules, already on the import path.
    """

    path: Path
    format: str
    globals: tuple[str, ...] = ()
    code: tuple[Path, ...] = ()


class Flavor(Protocol):
    """One framework.

    Attributes:
        name: as it is recorded, such as `scikit-learn`.
        module: the top-level module that its models import, such as `sklearn`; may be empty.
        formats: of `ScanReport.format`, those that it loads itself. Pickles are loaded before any
            flavor is asked, and offered to each.
        frames: whether its models are given a frame even where they do not name their columns.
        several: whether the model at hand is known to answer each row with several values, so that
            a table of them is never taken for probabilities.
    """

    name: str
    module: str
    formats: tuple[str, ...] = ()
    frames: bool = False
    several: bool = False

    def sniff(self, model: Any) -> bool:
        """Return whether a loaded object is a model of this framework; imports nothing."""
        ...

    def load(self, source: Source) -> Any:
        """Return the object that files of one of `formats` make; any flavor may take it then.

        Raises:
            ModelFileError: they make none; the subclass says why.
            Exception: whatever the framework raises.
        """
        raise NotAModel(f"{self.name} loads no {source.format} file")

    def outline(self, model: Any) -> str:
        """Return the class of the model, with those of its steps, on one line."""
        return type(model).__name__

    def type(self, model: Any) -> PredictionType:
        """Return what it predicts, as far as it can be told; `OTHER` where it cannot."""
        return answers.type_of(self.classes(model))

    def classes(self, model: Any) -> tuple[Scalar, ...]:  # noqa: ARG002 - a framework may ask it
        """Return the classes in the order of its probabilities; none where it has none."""
        return ()

    def gives_probabilities(self, model: Any) -> bool:
        """Return whether `predict_proba` answers, a column per class."""
        return bool(self.classes(model)) and hasattr(model, "predict_proba")

    def feature_names(self, model: Any) -> Optional[tuple[str, ...]]:  # noqa: ARG002 - a framework may ask it
        """Return the columns it was fitted on, in order; None where it does not say."""
        return None

    def wants_frame(self, model: Any) -> Optional[bool]:  # noqa: ARG002 - a framework may ask it
        """Return whether it is given a frame where it does not name its columns.

        None where only asking it tells: a frame is tried first, and an array if that is refused.
        """
        return self.frames

    def output_names(self, model: Any) -> tuple[str, ...]:  # noqa: ARG002 - a framework may ask it
        """Return what its several values are called; none where it does not say."""
        return ()

    def n_features(self, model: Any) -> Optional[int]:
        """Return how many columns it takes; None where it does not say."""
        names = self.feature_names(model)
        return None if names is None else len(names)

    def signature(self, model: Any) -> dict[str, ColumnUse]:  # noqa: ARG002 - a framework may ask it
        """Return what it says of its columns by name: types, categories, whether each is read."""
        return {}

    def environment(self, model: Any) -> tuple[str, ...]:  # noqa: ARG002 - a framework may ask it
        """Return the top-level modules that loading and predicting import."""
        return (self.module,) if self.module else ()

    def version(self, model: Any) -> str:  # noqa: ARG002 - a framework may ask it
        """Return the version of the framework that holds the model now; empty if none is known."""
        return str(getattr(sys.modules.get(self.module), "__version__", ""))

    def predict(self, model: Any, given: Given) -> Any:
        """Return what it predicts: labels or numbers, one per row, in whatever it puts them."""
        return model.predict(given)

    def predict_proba(self, model: Any, given: Given) -> Any:
        """Return its probabilities: (n_rows, n_classes) in whatever it puts them."""
        return model.predict_proba(given)

    def describe(self, model: Any) -> Description:
        """Return what the model says of itself."""
        return Description(
            framework=self.name,
            framework_version=self.version(model),
            outline=self.outline(model),
            type=self.type(model),
            classes=self.classes(model),
            gives_probabilities=self.gives_probabilities(model),
            feature_names=self.feature_names(model),
            n_features=self.n_features(model),
            columns=self.signature(model),
        )

    def score(self, model: Any, given: Given) -> Scores:
        """Return the model's answers for each row, in the form that every room reads.

        Raises:
            NotAModel: it answers each row with more values than are supported.
            PredictionRefused: it does not answer each row, or a probability is none.
        """
        classes, rows = self.classes(model), len(given)
        predicted = self.predict(model, given)
        found = answers.scores(
            predicted,
            rows=rows,
            classes=classes,
            probabilities=self.predict_proba(model, given)
            if self.gives_probabilities(model)
            else None,
        )
        return outputs.called(found, self.output_names(model)) if found.outputs else found


def made_by(model: Any, package: str) -> bool:
    """Return whether a class of the object is defined in a package; runs nothing of the object."""
    return any(
        base.__module__.partition(".")[0] == package
        for base in type(model).__mro__
        if isinstance(base.__module__, str)
    )
