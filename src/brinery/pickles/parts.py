"""A part of a model file is told by its content and read; parts may hold parts."""

from __future__ import annotations

import contextlib
import re
import zipfile
from functools import partial
from typing import Any

from brinery.pickles import (
    archives,
    compression,
    keras,
    natives,
    npy,
    onnx,
    pickled,
    programs,
    schema,
    ubjson,
)
from brinery.pickles.bounds import KEEP_BYTES, MAX_DEPTH, MAX_WHOLE_BYTES, Broken, TooMuch
from brinery.pickles.evidence import Evidence
from brinery.pickles.streams import buffered, drain
from brinery.pickles.stubs import Look, Value
from brinery.records.scan import Global, Verdict

HEAD_BYTES = 4096

# What cannot be read here, by its first bytes: what it is, and what to do.
UNREAD = {
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", "unpack it first, and scan what was in it"),
    b"Rar!\x1a\x07": ("a rar archive", "unpack it first, and scan what was in it"),
    b"\x04\x22\x4d\x18": ("an lz4 file", "write it with another compression, such as zlib"),
    b"\x28\xb5\x2f\xfd": ("a zstd file", "decompress it first: zstd -d"),
}
# The numbers of a tensor, which may begin as anything does.
_TENSOR = re.compile(r"(.*/)?data/(\d+|weights/weight_\d+|constants/tensor_\d+)")
_TAR_PLACE, _TAR_MAGIC = 257, b"ustar"


class Unread(Exception):
    """A format that is known and not read: what it is, and what to do.

    Args:
        what: such as `a 7z archive`.
        hint: what to do instead.
    """

    def __init__(self, what: str, hint: str) -> None:
        super().__init__(what)
        self.hint = hint


def read(stream: Any, evidence: Evidence, *, persistent: bool = False) -> str | None:
    """Return the format of a part, having noted what it says; None where it is no model's.

    Args:
        stream: with `peek`, at the part's first byte.
        evidence: of the part.
        persistent: whether a pickle in it may ask for objects kept outside of it.

    Raises:
        Broken: it is of a known format, and damaged.
        TooMuch: it is larger than any honest one.
        Unread: it is of a format that is not read.
    """
    head = stream.peek(HEAD_BYTES)[:HEAD_BYTES]
    for magic, (what, hint) in UNREAD.items():
        if head.startswith(magic):
            raise Unread(what, hint)
    if head[_TAR_PLACE : _TAR_PLACE + len(_TAR_MAGIC)] == _TAR_MAGIC:
        raise Unread("a tar archive", "unpack it first, and scan what was in it")
    if head.startswith(archives.MAGIC):
        return _zip(_seekable(stream), evidence)
    packing = compression.sniff(head)
    if packing is not None:
        return _packed(stream, packing, evidence, persistent=persistent)
    if head.startswith(npy.MAGIC):
        return _npy(stream, evidence)
    return _native(stream, head, evidence) or _pickle(stream, evidence, persistent=persistent)


def _seekable(stream: Any) -> Any:
    """Return a stream that can go back.

    Raises:
        Broken: it must be held for that, and is too large.
    """
    if stream.seekable():
        return stream
    content = stream.read(MAX_WHOLE_BYTES + 1)
    if len(content) > MAX_WHOLE_BYTES:
        raise Broken(f"an archive within it is larger than {MAX_WHOLE_BYTES:,} bytes")
    return buffered(content)


def _packed(
    stream: Any, packing: compression.Compression, evidence: Evidence, *, persistent: bool
) -> str | None:
    evidence.deeper()
    evidence.compression = evidence.compression or packing
    plain, packed = compression.open_plain(stream, packing, budget=evidence.budget)
    if not plain.peek(1):
        raise Broken(f"its {packing} compression holds nothing")
    found = read(plain, evidence, persistent=persistent)
    try:
        drain(plain)  # the sum is at the end
    except Broken as broken:
        evidence.problem(str(broken))
    if packed.trailing:
        evidence.problem(f"bytes follow its {packing} compression")
    return found


def _npy(stream: Any, evidence: Evidence) -> str:
    evidence.outermost = "numpy.ndarray"
    if npy.read_header(stream):
        pickled.read(stream, evidence, look=_looker(evidence), plain=True)
    elif stream.peek(1):
        evidence.problem("bytes follow its array")
        drain(stream)
    return "npy"


def _pickle(stream: Any, evidence: Evidence, *, persistent: bool) -> str | None:
    start = stream.tell() if stream.seekable() else None
    part = evidence.twin()
    try:
        found = pickled.read(stream, part, look=_looker(part), persistent=persistent)
    except TooMuch:
        evidence.adopt(part)
        raise
    if found is not None:
        evidence.adopt(part)
    if start is not None and archives.ends_as_zip(stream):
        inner = evidence.inner("zip")
        try:
            _zip(stream, inner)
        except Broken as broken:
            inner.problem(str(broken))
        alarming = any(one.verdict is not Verdict.SAFE for one in inner.findings())
        if found is not None and not part.trailing and not alarming:
            return found  # an archive that is a value of the pickle, which was read as one
        evidence.problem(
            "a zip archive follows other bytes: readers differ in what they take it for"
        )
        evidence.adopt(inner)
        return found or "unknown"
    return found


def _native(stream: Any, head: bytes, evidence: Evidence) -> str | None:
    """Return the format of a part that is a framework's own; None where it is none."""
    start = stream.tell() if stream.seekable() else None
    found = None
    if head.startswith(ubjson.MAGIC):
        natives.xgboost_ubj(stream, evidence)
        found = "xgboost-ubj"
    elif natives.XGBOOST_JSON.match(head):
        is_model = natives.xgboost_json(natives.read_json(stream), evidence)
        found = "xgboost-json" if is_model else None
    elif head.startswith(b"binf"):
        raise Unread(
            "a model in XGBoost's old binary format",
            "load it with the XGBoost that wrote it, and save it as model.ubj",
        )
    elif natives.LIGHTGBM_MAGIC.match(head):
        natives.lightgbm(stream, evidence)
        found = "lightgbm-text"
    elif head.startswith(natives.CATBOOST_MAGIC):
        natives.catboost(stream, evidence)
        found = "catboost"
    elif onnx.looks_like(head) and onnx.read(stream, evidence):
        found = "onnx"
    elif natives.safetensors(stream, evidence, head=head):
        found = "safetensors"
    if found is not None:
        natives.note_class(found, evidence)
        if start is not None:
            stream.seek(start)
            _check_one_way(stream, evidence)
    return found


def _check_one_way(stream: Any, evidence: Evidence) -> None:
    """Note where a model of one format can be read as a pickle too: readers may differ."""
    part = evidence.inner("read as a pickle")
    if pickled.attempt(stream, part, look=_looker(part), loaded=True):
        evidence.adopt(part)
        evidence.problem("it can be read as a pickle too")


def _zip(stream: Any, evidence: Evidence) -> str | None:
    """Return the format of a zip archive, having read every member of it."""
    members = [one for one in archives.contents(stream, evidence) if not archives.is_folder(one)]
    names = {member.filename for member in members}
    found = zip_format(names)
    known = found is not None
    if found == "torch" and programs.is_exported(names):
        # Of its pickles none is the model.
        natives.note_class("torch-exported", evidence)
    array = partial(_stored, stream, {one.filename: one for one in members}, evidence=evidence)
    for member in sorted(members, key=lambda one: not is_main(one.filename)):
        part = evidence.inner(shown(member.filename))
        read_one = partial(_member, part=part, kind=found, array=array)
        try:
            known |= archives.read_member(stream, member, evidence=part, read=read_one)
        except Broken as broken:
            part.problem(str(broken))
        except Unread as unread:
            part.problem(f"it is {unread}, which is not read")
        finally:
            evidence.adopt(part)
    if found == "torch":
        _ask_of_torch(names, evidence)
    return found or ("unknown" if known else None)


def _ask_of_torch(names: set[str], evidence: Evidence) -> None:
    """Note which loaders of torch's, that run what a file holds, an archive is made for."""
    if programs.is_torchscript(names):
        script = Global("torch.jit", "load")
        evidence.ask(script, "archive")
        evidence.doubt(script, "the archive carries TorchScript code")
    if programs.is_exported(names):
        program = Global("torch.export", "load")
        evidence.ask(program, "archive")
        evidence.doubt(program, "the archive carries an exported program, whose sizes are text")


def _stored(
    stream: Any, members: dict[str, zipfile.ZipInfo], name: str, *, evidence: Evidence
) -> tuple[Any, ...] | None:
    """Return what a small array holds that is a member of an archive; None where there is none."""
    member = members.get(name)
    if member is None or member.file_size > HEAD_BYTES + KEEP_BYTES:
        return None
    found: list[tuple[Any, ...] | None] = []

    def read_array(_: str, plain: Any) -> bool:
        found.append(npy.read_values(plain))
        return True

    with contextlib.suppress(Broken):  # which is noted where it is read as a member
        archives.read_member(stream, member, evidence=evidence.twin(), read=read_array)
    return found[0] if found else None


def _member(
    name: str, plain: Any, *, part: Evidence, kind: str | None, array: schema.ReadArray
) -> bool:
    """Return whether a member was of a known format."""
    if kind == "skops" and name == "schema.json":
        schema.read(natives.whole(plain), part, array=array)
    elif kind == "keras" and name == "config.json":
        keras.read_config(natives.whole(plain), part)
    elif kind == "keras" and name == "metadata.json":
        keras.read_metadata(natives.whole(plain), part)
    elif kind == "torch" and _TENSOR.fullmatch(name):
        _look(Value(plain.peek(HEAD_BYTES)[:HEAD_BYTES], plain), part)
    else:
        return read(plain, part, persistent=kind == "torch") is not None
    return True


def zip_format(names: set[str]) -> str | None:
    """Return which framework's archive has such members; None where none does."""
    if "schema.json" in names:
        return "skops"
    if "config.json" in names and names & {"metadata.json", "model.weights.h5"}:
        return "keras"
    if any(name == "data.pkl" or name.endswith("/data.pkl") for name in names):
        return "torch"
    if programs.is_exported(names):
        return "torch"
    if names and all(name.endswith(".npy") for name in names):
        return "npz"
    return None


def is_main(name: str) -> bool:
    """Return whether a member tells of the model, so that it is read before the others."""
    return name in ("schema.json", "config.json") or name.rpartition("/")[2] == "data.pkl"


def shown(name: str) -> str:
    """Return a member's name as it can be shown."""
    return (name if name.isprintable() else ascii(name)[1:-1])[:200]


def _looker(evidence: Evidence) -> Look:
    """Return what is shown the values of a pickle."""

    def look(value: Value) -> None:
        _look(value, evidence)

    return look


def _look(value: Value, evidence: Evidence) -> None:
    """Read a value that may be a part of its own: a model, an archive, another pickle, or noise."""
    kept, stream, _ = value
    if natives.LIGHTGBM_MAGIC.match(kept):
        try:
            natives.lightgbm(stream, evidence)
        except Broken as broken:
            evidence.problem(str(broken))
        return
    if evidence.depth >= MAX_DEPTH:
        if pickled.is_avowed(kept):
            raise TooMuch(f"its pickles lie more than {MAX_DEPTH} deep within each other")
        return
    part = evidence.inner("bytes within")
    try:
        found = _attempt(value, part)
    except (Broken, Unread):
        found = part.plausible
    except TooMuch:
        evidence.adopt(part)
        raise
    if found:
        evidence.adopt(part)


def _attempt(value: Value, part: Evidence) -> bool:
    """Return whether a value is a part of its own, having read it as what it starts as."""
    kept, stream, memo = value
    if kept.startswith(ubjson.MAGIC):
        natives.xgboost_ubj(stream, part)
        return True
    if kept.startswith(natives.XGBOOST_STATE):
        return natives.xgboost_state(natives.read_json(stream), part)
    if kept.startswith(natives.CATBOOST_MAGIC):
        natives.catboost(stream, part)
        return True
    if kept.startswith((*archives.MAGIC, npy.MAGIC)) or compression.sniff(kept):
        return read(stream, part) is not None and part.plausible
    return pickled.attempt(stream, part, look=_looker(part), memo=memo)
