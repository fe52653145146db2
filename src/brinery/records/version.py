"""A registered model version, and what is recorded with it for ever."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from msgspec import Struct

from brinery.records.artifact import Artifact
from brinery.records.decision import Decision
from brinery.records.description import Description
from brinery.records.evaluation import Evaluation
from brinery.records.fast_path import FastPath
from brinery.records.sandbox import Sandbox
from brinery.records.scan import Verdict
from brinery.records.signature import Signature
from brinery.records.trust import Trust


class Stage(StrEnum):
    """MLflow's stage, kept in step with the aliases for older clients."""

    NONE = "None"
    STAGING = "Staging"
    PRODUCTION = "Production"
    ARCHIVED = "Archived"


class Alias(StrEnum):
    """An alias that Brinery gives a meaning to; where a version has two, the first one counts.

    `previous` is the champion that a rollback goes back to; it follows from the audit trail.
    """

    CHAMPION = "champion"
    CHALLENGER = "challenger"
    PREVIOUS = "previous"

    @property
    def stage(self) -> Stage:
        """Return the stage that older clients know it by."""
        match self:
            case Alias.CHAMPION:
                return Stage.PRODUCTION
            case Alias.CHALLENGER:
                return Stage.STAGING
            case Alias.PREVIOUS:
                return Stage.ARCHIVED
            case _:
                assert_never(self)


# A version id that a user chose is an alias of MLflow's, so that every client of the registry sees
# it; MLflow keeps names such as `v1` for itself, and no id has a dash, so this is before it.
_ID = "id-"
_DOT = "-"


def id_alias(version_id: str) -> str:
    """Return the alias of MLflow's that a version's own id is kept as."""
    return f"{_ID}{version_id.replace('.', _DOT)}"


def without_ids(aliases: Collection[str]) -> tuple[str, ...]:
    """Return the aliases that are no version's own id, sorted."""
    return tuple(sorted(alias for alias in aliases if not alias.startswith(_ID)))


def ids_of(aliases: Collection[str]) -> tuple[str, ...]:
    """Return the version's own ids among its aliases, sorted."""
    found = (alias.removeprefix(_ID) for alias in aliases if alias.startswith(_ID))
    return tuple(sorted(one.replace(_DOT, ".") for one in found))


def stage_due(aliases: Collection[str], now: str) -> Stage:
    """Return the stage that a version should have.

    A former champion stays archived, as MLflow leaves what was in production.

    Args:
        aliases: of the version.
        now: the stage that it has.
    """
    for alias in Alias:
        if alias.value in aliases:
            return alias.stage
    return Stage.ARCHIVED if now in {Stage.PRODUCTION, Stage.ARCHIVED} else Stage.NONE


class Environment(Struct, frozen=True, kw_only=True):
    """What the model was loaded and scored with.

    Attributes:
        python: version, such as `3.11.7`.
        platform: such as `linux-x86_64`.
        packages: distribution name to version, only those the model uses.
        libc: the C library and its version, such as `glibc 2.36`; empty where it is not known.
        built: whether Brinery built it; the model is loaded in the same one ever after.
        lock: of a built one, every distribution in it, such as `numpy==1.23.5`, sorted.
    """

    python: str
    platform: str
    packages: dict[str, str]
    libc: str = ""
    built: bool = False
    lock: tuple[str, ...] = ()


class DataFingerprint(Struct, frozen=True, kw_only=True):
    """Which data it was evaluated on.

    Attributes:
        name: the file's name, or `dataframe`.
        rows: count.
        columns: their names, in order, the target included.
        sha256: of the content, the same whatever the file format.
        target: the target's name, or None.
    """

    name: str
    rows: int
    columns: tuple[str, ...]
    sha256: str
    target: str | None


class CodeVersion(Struct, frozen=True, kw_only=True):
    """The commit that the model file lay in.

    Attributes:
        commit: 40 hexadecimal digits.
        dirty: whether tracked files differed from it.
    """

    commit: str
    dirty: bool


class Parity(Struct, frozen=True, kw_only=True):
    """Whether the registered model answers as the file does.

    Attributes:
        rows: how many rows were compared.
        max_difference: the largest absolute difference of a probability or value.
    """

    rows: int
    max_difference: float


class Origin(Struct, frozen=True, kw_only=True):
    """The file a version was imported from.

    Attributes:
        file: its name.
        sha256: of its bytes.
        size_bytes: of the file.
        written_with: distribution name to the versions that the file says wrote it.
    """

    file: str
    sha256: str
    size_bytes: int
    written_with: dict[str, tuple[str, ...]]


class Candidate(Struct, frozen=True, kw_only=True):
    """Everything known of a model before it has a version number.

    Attributes:
        name: of the registered model.
        origin: the file.
        description: what the loaded model says of itself.
        signature: what it takes; without a column where it cannot be asked for predictions.
        evaluation: how good it is; None where there was no target, or nothing to ask.
        environment: what it needs.
        data: what it was evaluated on; None where it cannot be asked for predictions.
        code: the commit; None outside git.
        artifact: the registered model, and how it is loaded; its digest differs from the
            origin's where the file was re-encoded.
        verdict: what the scan of the file found.
        trust: what the user vouched for; None where nothing was asked.
        sandbox: what held the model's process back while it was evaluated.
        attempts: what the model tried meanwhile, swallowing the refusal, such as
            `open /etc/passwd`; none where it tried nothing, or where nothing was recorded yet.
    """

    name: str
    origin: Origin
    description: Description
    signature: Signature
    evaluation: Evaluation | None
    environment: Environment
    data: DataFingerprint | None
    code: CodeVersion | None
    artifact: Artifact
    verdict: Verdict = Verdict.SAFE
    trust: Trust | None = None
    sandbox: Sandbox = Sandbox()
    attempts: tuple[str, ...] = ()


class Version(Struct, frozen=True, kw_only=True):
    """A registered model version.

    Attributes:
        name: of the registered model.
        number: 1, 2, …
        aliases: sorted.
        created: with time zone.
        run_id: MLflow's run; None where there is none.
        candidate: what was recorded at import; None where it was not imported by Brinery.
        parity: None where it was not imported by Brinery, and where it cannot be asked for
            predictions: its bytes are the file's then.
        fast_path: likewise, and where it was imported before there were scorers.
        archived: whether it was the champion once; what its aliases mean comes first.
        ids: that users gave it, such as `v01`, sorted.
    """

    name: str
    number: int
    aliases: tuple[str, ...]
    created: datetime
    run_id: str | None
    candidate: Candidate | None = None
    parity: Parity | None = None
    fast_path: FastPath | None = None
    archived: bool = False
    ids: tuple[str, ...] = ()

    @property
    def reference(self) -> str:
        """Return `name@number`."""
        return f"{self.name}@{self.number}"

    @property
    def stage(self) -> Stage:
        """Return the stage that its aliases mean, and where it has none, its past."""
        return stage_due(self.aliases, Stage.ARCHIVED if self.archived else Stage.NONE)


class Promotion(Struct, frozen=True, kw_only=True):
    """What became of a version that was to be given an alias.

    Attributes:
        version: which version.
        alias: which.
        previous: the number of the version that had it before; None where none had.
        changed: whether anything moved: not where it had the alias already, and not where the
            gate did not pass it.
        refused: whether the gate did not pass it, so that everything is as it was.
        decision: what the gate decided; None where none was asked: of the challenger, of the
            champion itself, and of a rollback.
        number: of that decision, as it is kept; None where none was asked.
        forced: whether the gate did not pass it, and it was promoted all the same.
        why: the reason given.
    """

    version: Version
    alias: Alias
    previous: int | None
    changed: bool
    refused: bool = False
    decision: Decision | None = None
    number: int | None = None
    forced: bool = False
    why: str = ""
