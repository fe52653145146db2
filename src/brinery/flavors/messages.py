"""What is asked of a model's process, and what it answers."""

from __future__ import annotations

from typing import Optional, Union

import msgspec
from msgspec import Struct

from brinery.records.description import Description
from brinery.records.text_enum import TextEnum


class Load(Struct, tag=True, frozen=True, kw_only=True):
    """Load the model that lies at a path.

    Attributes:
        path: of the file or folder, in the process's inbox.
        format: as `ScanReport.format` has it.
        flavor: the flavor that must load it; empty where it is to be found.
        globals: the dotted names its pickles may ask for.
        code: folders to put on the import path.
        frame: as `Artifact.frame` has it.
    """

    path: str
    format: str = "pickle"
    flavor: str = ""
    globals: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    frame: Optional[bool] = None


class By(TextEnum):
    """Who is to answer: `EITHER` is the scorer within the process, and the library for the rest."""

    EITHER = "either"
    LIBRARY = "library"
    SCORER = "scorer"


class Score(Struct, tag=True, frozen=True):
    """Score the payload's table.

    Attributes:
        columns: the columns the model is given, in order.
        named: whether the model names its columns, and so is given a frame; else its flavor tells.
        several: whether it is known to answer each row with several values.
        by: who answers, where there is a scorer.
    """

    columns: tuple[str, ...]
    named: bool
    several: bool = False
    by: By = By.EITHER


class ProbeMissing(Struct, tag=True, frozen=True):
    """Say which columns of the payload's one-row table may be missing; the rest as for `Score`."""

    columns: tuple[str, ...]
    named: bool
    several: bool = False


class ListPackages(Struct, tag=True, frozen=True):
    """Say which distributions the model uses, given the modules its pickle names."""

    modules: tuple[str, ...]


class Rewrite(Struct, tag=True, frozen=True):
    """Write the model to a path as a plain pickle."""

    path: str


class Export(Struct, tag=True, frozen=True, kw_only=True):
    """Write the model to a path in another format.

    Attributes:
        path: of the file, in the process's outbox.
        to: `skops`, `joblib`, `onnx` or `native`.
        columns: name and type of the inputs, as `ColumnType` has it, in the model's order.
        named: whether the model's steps tell its columns apart by name.
    """

    path: str
    to: str
    columns: tuple[tuple[str, str], ...] = ()
    named: bool = False


class Compile(Struct, tag=True, frozen=True):
    """Write what a scorer needs of the model to a path.

    Attributes:
        path: of the file, in the process's outbox.
        compiler: the module whose `write` does it; a room above has it.
        columns: name and type of the inputs, as `ColumnType` has it, in the model's order; no type
            for one that the data lacks.
    """

    path: str
    compiler: str
    columns: tuple[tuple[str, str], ...]


class Accelerate(Struct, tag=True, frozen=True):
    """Answer by a scorer from now on, that asks the library for the steps it does not know.

    Attributes:
        compiler: the module whose `within` makes it; a room above has it.
        columns: as `Compile.columns` has them.
        steps: the steps that the library is known to be asked for, and why; None where that is
            asked. With other steps than those there is no scorer.
    """

    compiler: str
    columns: tuple[tuple[str, str], ...]
    steps: Optional[tuple[str, ...]] = None


Request = Union[Load, Score, ProbeMissing, ListPackages, Rewrite, Export, Compile, Accelerate]


class Loaded(Struct, tag=True, frozen=True):
    """The model is there.

    Attributes:
        description: what it says of itself.
        warnings: what loading it warned of.
        flavor: name of the flavor that took it.
    """

    description: Description
    warnings: tuple[str, ...]
    flavor: str


class Scored(Struct, tag=True, frozen=True):
    """The payload holds a column `prediction` and one per class, or a column per output.

    Attributes:
        frame: as `Artifact.frame` has it, once it is known.
        declined: whether the scorer, which alone was asked, leaves the rows to the library.
    """

    frame: Optional[bool] = None
    declined: bool = False


class Columns(Struct, tag=True, frozen=True):
    """Names of columns."""

    names: tuple[str, ...]


class Packages(Struct, tag=True, frozen=True):
    """What the model was loaded with.

    Attributes:
        versions: distribution name to version, of those it uses.
        python: version of the process's Python.
        platform: such as `linux-x86_64`.
        libc: the C library and its version; empty where it is not known.
    """

    versions: dict[str, str]
    python: str
    platform: str
    libc: str


class Written(Struct, tag=True, frozen=True):
    """The file is there."""


class Compiled(Struct, tag=True, frozen=True):
    """What a scorer needs was written, unless there is a reason why not."""

    reason: str = ""


class Accelerated(Struct, tag=True, frozen=True):
    """A scorer answers, unless there is a reason why not.

    Attributes:
        reason: why none does.
        steps: the steps that it asks the library for, and why.
    """

    reason: str = ""
    steps: tuple[str, ...] = ()


class Failed(Struct, tag=True, frozen=True):
    """The request could not be met.

    Attributes:
        error: the class name of the exception in `brinery.errors` that the parent raises.
        message: as the exception's.
        hint: as the exception's.
    """

    error: str
    message: str
    hint: str


Reply = Union[Loaded, Scored, Columns, Packages, Written, Compiled, Accelerated, Failed]


class Question(Struct, frozen=True):
    """A request, and a number that nobody knew before: its answer repeats it."""

    number: int
    request: Request


class Answer(Struct, frozen=True):
    """A reply.

    Attributes:
        number: of the question.
        reply: to its request.
        attempts: what was tried meanwhile and refused by the sandbox, such as `open /etc/passwd`.
    """

    number: int
    reply: Reply
    attempts: tuple[str, ...] = ()


QUESTIONS = msgspec.msgpack.Decoder(Question)
ANSWERS = msgspec.msgpack.Decoder(Answer)
encode = msgspec.msgpack.encode
