"""What a user asks to import, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import pandas as pd

from brinery.actions.rooms import Folder
from brinery.records.evaluation import PredictionType
from brinery.store.frames import Data, given


class ImportOptions(TypedDict, total=False):
    """What `brinery.import_model` takes beside the model, its name and the data; all optional.

    Attributes:
        target: the column with the truth; without it nothing is evaluated.
        sep: of a csv file; found in its first lines when absent.
        type: what the model predicts; found in the model when absent.
        new_version: whether to register again what is already there.
        trust: names that the model asks for and that you vouch for, such as
            `my_pkg.steps.Clipper` or `my_pkg.*`.
        code: a folder of your own modules that the model needs; they are kept with the version.
        environment: `current`; `auto` to build the one the model was written with where the
            current one does not fit; or a requirements file to build one from.
        tracking_uri: of the MLflow that a `runs:/` or `models:/` URI is looked up in.
        workspace: its folder; the nearest upwards when absent.
    """

    target: str | None
    sep: str | None
    type: PredictionType | str | None
    new_version: bool
    trust: Sequence[str]
    code: Folder | None
    environment: str
    tracking_uri: str | None
    workspace: Folder | None


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What the user asked to import; see `ImportOptions` for what is not said here.

    Attributes:
        model: a file, an MLflow folder, a `runs:/` or `models:/` URI, or `module:name`.
        name: of the registered model.
        data: what to evaluate it on; None where it cannot be asked for predictions.
        classes: the labels that the user says its classes are, in its order; none where empty.
        word: who vouches for the names that are neither known nor dangerous, such as `step3.py`,
            the script that made the model; empty where nobody does.
        whole: whether more than its figures is found out; as the settings say where None.
    """

    model: str
    name: str
    data: Path | pd.DataFrame | None = None
    target: str | None = None
    separator: str | None = None
    type: PredictionType | None = None
    new_version: bool = False
    trust: tuple[str, ...] = ()
    code: Path | None = None
    environment: str = "current"
    tracking_uri: str | None = None
    classes: tuple[str, ...] = ()
    word: str = ""
    whole: bool | None = None

    @classmethod
    def of(
        cls, model: Folder, *, name: str, data: Data | None, options: ImportOptions
    ) -> Submission:
        """Return what the arguments of `import_model` ask for."""
        kind, code = options.get("type"), options.get("code")
        return cls(
            model=str(model),
            name=name,
            data=None if data is None else given(data),
            target=options.get("target"),
            separator=options.get("sep"),
            type=PredictionType(kind) if kind is not None else None,
            new_version=options.get("new_version", False),
            trust=tuple(options.get("trust", ())),
            code=Path(code) if code is not None else None,
            environment=str(options.get("environment", "current")),
            tracking_uri=options.get("tracking_uri"),
        )
