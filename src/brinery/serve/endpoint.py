"""What is served: the record that crosses to the server's processes."""

from __future__ import annotations

from msgspec import Struct

from brinery.pickles.limits import Limits
from brinery.records.version import Candidate, Version
from brinery.specs.categories import UnknownCategories


class Endpoint(Struct, frozen=True, kw_only=True):
    """A version, its model file, and the limits of its endpoint.

    Attributes:
        version: what is served.
        candidate: what was recorded of it at import.
        model_file: path of the registered model, a file or a folder.
        scorer_file: path of its scorer; None where it is scored by its library.
        sample_file: path of some rows with its answers; None where none were kept.
        code_folder: path of the user's own modules; None where the model has none.
        python: path of the interpreter the model runs on; None for this one.
        limits: what the model's process may use.
        timeout_s: for scoring one request, what it waits for others included.
        max_body_bytes: of a request.
        body_timeout_s: how long a client may take to send one.
        max_batch_rows: how many rows of several requests are scored at once.
        max_queue: how many requests may wait.
        unknown_categories: what `/v1` does with a category the model never saw.
    """

    version: Version
    candidate: Candidate
    model_file: str
    scorer_file: str | None = None
    sample_file: str | None = None
    code_folder: str | None = None
    python: str | None = None
    limits: Limits
    timeout_s: float
    max_body_bytes: int
    body_timeout_s: float = 30.0
    max_batch_rows: int = 1024
    max_queue: int = 1024
    unknown_categories: UnknownCategories

    @property
    def predict_path(self) -> str:
        """Return the path of its own prediction route."""
        return f"/v1/models/{self.version.name}/predict"
