"""That a model was written in another format, and how near its answers are to the model's."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from brinery.records.signature import Scalar


class ExportFormat(StrEnum):
    """A format that a registered model can be written in."""

    SKOPS = "skops"
    JOBLIB = "joblib"
    MLFLOW = "mlflow"
    ONNX = "onnx"
    NATIVE = "native"


class Export(Struct, frozen=True, kw_only=True):
    """A model written to a folder, compared with the registered one.

    Attributes:
        version: which, `name@number`.
        format: what it was written in.
        folder: where.
        files: what lies there now, sorted by name; a folder within ends with `/`.
        checked: what the two were asked, in words.
        rows: how many rows that were; none where the two are the same bytes.
        labels_differ: how many rows got another label.
        max_difference: the largest difference of a probability, or of a value by its size.
        tolerance: how large that may be.
        classes: the labels behind the numbers that the written model answers with; none where it
            names its classes itself.
    """

    version: str
    format: ExportFormat
    folder: str
    files: tuple[str, ...]
    checked: str
    rows: int
    labels_differ: int
    max_difference: float
    tolerance: float
    classes: tuple[Scalar, ...] = ()

    @property
    def equal(self) -> bool:
        """Return whether the written model answers as the registered one does."""
        return self.labels_differ == 0 and self.max_difference <= self.tolerance
