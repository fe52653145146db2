"""How the stored files of a model become a model again."""

from __future__ import annotations

from typing import Optional

from msgspec import Struct

from brinery.records.signature import Scalar


class Artifact(Struct, frozen=True, kw_only=True):
    """What is loaded, by what, and with which names.

    Attributes:
        flavor: name of the flavor that loads it, such as `scikit-learn`.
        format: as `ScanReport.format` has it.
        file: its name within the version's folder, such as `model.pkl`.
        sha256: of the file, or of the folder (see `brinery.pickles.digest`).
        globals: the dotted names its pickles may ask for; no other name is found when it is loaded.
        code: whether the user's own modules lie beside it, in the folder `code`.
        code_sha256: of that folder; empty where there is none.
        classes: what the model's classes are called, in its order, where the target or its answers
            told; empty where the model itself names them, or has none.
        labels: whether its answers are those classes and nothing else: no probability comes along.
        outputs: what its answers are called, in order, where it answers each row with several
            values; empty where with one.
        frame: whether it is given a frame although it does not name its columns, where only asking
            it told; None where its flavor tells.
    """

    flavor: str
    format: str
    file: str
    sha256: str
    globals: tuple[str, ...] = ()
    code: bool = False
    code_sha256: str = ""
    classes: tuple[Scalar, ...] = ()
    labels: bool = False
    outputs: tuple[str, ...] = ()
    frame: Optional[bool] = None
