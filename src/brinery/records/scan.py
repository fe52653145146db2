"""What a model file says of itself before anything of it has run."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

# What comes before the count of many parts of one class.
TIMES = "\N{MULTIPLICATION SIGN}"


class Verdict(StrEnum):
    """What a scan found, worst last."""

    SAFE = "safe"
    NEEDS_TRUST = "needs-trust"
    DANGEROUS = "dangerous"
    MALFORMED = "malformed"


class Global(Struct, frozen=True, order=True):
    """A name that a pickle asks for.

    Attributes:
        module: dotted module name, as written in the pickle.
        name: the attribute asked of it.
    """

    module: str
    name: str

    def __str__(self) -> str:
        """Return the dotted name."""
        return f"{self.module}.{self.name}"


class Finding(Struct, frozen=True, kw_only=True, order=True):
    """A name that a file asks for, judged.

    Attributes:
        name: what is asked for.
        verdict: safe, needs-trust or dangerous.
        reason: why, in a few words; empty where it is safe.
        reached: the opcodes that asked for it and that used it, sorted: `GLOBAL`,
            `STACK_GLOBAL`, `INST`, `EXT`, `PERSID`; `REDUCE`, `OBJ`, `NEWOBJ`, `NEWOBJ_EX`,
            `BUILD`; `APPEND`, `SETITEM` and their like where it is itself changed. In formats
            that are no pickles, what names it: a loader of skops', a key of an MLmodel.
        members: the parts of the file that ask for it: members of an archive, files of a folder;
            empty where the file is one stream.
    """

    name: Global
    verdict: Verdict
    reason: str = ""
    reached: tuple[str, ...] = ()
    members: tuple[str, ...] = ()


class Node(Struct, frozen=True, kw_only=True):
    """A class of the object a file holds, with those it is made of.

    Attributes:
        name: the class, dotted; or a built-in type's name.
        label: what it is called within the one above, such as a pipeline's step; may be empty.
            Many of one class are one node, with `TIMES` and their count.
        parts: the estimators within.
    """

    name: str
    label: str = ""
    parts: tuple[Node, ...] = ()


class ScanReport(Struct, frozen=True, kw_only=True):
    """A model file or folder, read without running it.

    Attributes:
        format: `pickle`; `joblib` where arrays lie raw in the stream; `torch`, `skops`, `npz`,
            `npy`, `keras`, `xgboost-json`, `xgboost-ubj`, `lightgbm-text`, `catboost`, `onnx`,
            `safetensors`, `mlflow`, or `unknown`.
        protocol: 0 to 5, the highest of its pickles; None where it holds none.
        compression: `zlib`, `gzip`, `bz2`, `xz`, `lzma` or None.
        size_bytes: of the file as it lies on disk, or of all files of a folder.
        sha256: of the file as it lies on disk, in hexadecimal; for a folder see `digest`.
        findings: every name it asks for, sorted, each once.
        problems: what is wrong with its bytes; none where they are well formed.
        versions: distribution name to the versions that wrote it, as the file states them.
        python: what the file tells of the Python that wrote it, such as `3.11` or `≥ 3.8`; empty
            where it tells nothing.
        outermost: the class of the object it holds, or a built-in type's name; may be empty.
        tree: the classes it is made of; None where it holds no object.
        feature_names: the columns it says it was fitted on; None where it does not say.
        classes: the classes it says it tells apart, as text; None where it does not say.
    """

    format: str
    protocol: int | None
    compression: str | None
    size_bytes: int
    sha256: str
    findings: tuple[Finding, ...] = ()
    problems: tuple[str, ...] = ()
    versions: dict[str, tuple[str, ...]] = {}
    python: str = ""
    outermost: str = ""
    tree: Node | None = None
    feature_names: tuple[str, ...] | None = None
    classes: tuple[str, ...] | None = None

    @property
    def globals(self) -> tuple[Global, ...]:
        """Return the names it asks for, sorted."""
        return tuple(finding.name for finding in self.findings)

    @property
    def verdict(self) -> Verdict:
        """Return the worst of what was found."""
        if self.problems:
            return Verdict.MALFORMED
        order = list(Verdict)
        return max(
            (finding.verdict for finding in self.findings), key=order.index, default=Verdict.SAFE
        )

    def asked(self, verdict: Verdict) -> tuple[str, ...]:
        """Return the dotted names that were judged so, sorted."""
        return tuple(str(finding.name) for finding in self.findings if finding.verdict is verdict)
