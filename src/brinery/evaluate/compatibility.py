"""Whether what calls one version can call another: how their columns, classes and answers differ.

A caller sends the columns of the champion and reads its answers; what it would be refused for, or
would misread, breaks it. The module knows two versions as they were recorded, and no gate.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from brinery.records.decision import SchemaChange
from brinery.records.description import Description
from brinery.records.signature import Column, ColumnType, Scalar, Signature
from brinery.records.version import Candidate
from brinery.specs.changes import ChangeKind

_LISTED: Final = 5
# What a caller sends, and what takes it without a loss.
_WIDENED: Final = frozenset({(ColumnType.INTEGER, ColumnType.NUMBER)})


def changes(champion: Candidate, candidate: Candidate) -> tuple[SchemaChange, ...]:
    """Return every difference that a caller of the champion may notice, those that break first.

    Args:
        champion: what was recorded of the version that is called now.
        candidate: what was recorded of the one that may take its place.
    """
    found = [
        *_answers(champion.description, candidate.description),
        *_outputs(champion.signature, candidate.signature),
        *_columns(champion.signature, candidate.signature),
    ]
    return tuple(sorted(found, key=lambda each: not each.breaks))


def _columns(before: Signature, after: Signature) -> Iterator[SchemaChange]:
    for column in after.columns:
        known = before.column(column.name)
        if known is None:
            yield _added(column)
        else:
            yield from _changed(known, column)
    for column in before.columns:
        if after.column(column.name) is None:
            yield _change(
                ChangeKind.REMOVED_COLUMN,
                column.name,
                breaks=True,
                why=f"callers send column '{column.name}', and /v1 refuses a column that it does "
                "not know",
            )


def _added(column: Column) -> SchemaChange:
    why = f"column '{column.name}' is new"
    if column.required:
        why = f"column '{column.name}' is new and required, and callers do not send it"
    else:
        why = f"column '{column.name}' is new, and may be left out"
    return _change(ChangeKind.ADDED_COLUMN, column.name, breaks=column.required, why=why)


def _changed(before: Column, after: Column) -> Iterator[SchemaChange]:
    """Yield how a column that both have differs."""
    name = after.name
    if after.required and not before.required:
        why = f"column '{name}' was not read, and callers may leave it out: it is required now"
        yield _change(ChangeKind.ADDED_COLUMN, name, breaks=True, why=why)
    if before.type is not after.type:
        widened = (before.type, after.type) in _WIDENED
        why = f"column '{name}' takes a {after.type} in place of a {before.type}"
        yield _change(
            ChangeKind.CHANGED_TYPE,
            name,
            breaks=after.required and not widened,
            why=f"{why}, which every {before.type} is" if widened else why,
        )
    if not after.required:
        return
    if before.nullable and not after.nullable and before.required:
        why = f"column '{name}' may no longer be missing"
        yield _change(ChangeKind.NO_LONGER_MISSING, name, breaks=True, why=why)
    if before.categories is not None and after.categories is not None:
        known = {_key(one) for one in after.categories}
        for one in before.categories:
            if _key(one) not in known:
                why = f"column '{name}' no longer knows {one!r}, which /v1 then refuses"
                yield _change(
                    ChangeKind.REMOVED_CATEGORY, f"{name}={one}", breaks=before.required, why=why
                )


def _answers(before: Description, after: Description) -> Iterator[SchemaChange]:
    if before.type is not after.type:
        yield _change(
            ChangeKind.CHANGED_PREDICTION,
            after.type.value,
            breaks=True,
            why=f"it predicts {after.type}, and the champion {before.type}",
        )
        return
    if before.gives_probabilities and not after.gives_probabilities:
        why = "it gives no probabilities any more"
        yield _change(ChangeKind.CHANGED_OUTPUT, "probabilities", breaks=True, why=why)
    yield from _classes(before.classes, after.classes)


def _classes(before: tuple[Scalar, ...], after: tuple[Scalar, ...]) -> Iterator[SchemaChange]:
    old, new = [_key(one) for one in before], [_key(one) for one in after]
    for label in before:
        if _key(label) not in new:
            why = f"class {label!r} is gone, and callers wait for it"
            yield _change(ChangeKind.REMOVED_CLASS, str(label), breaks=True, why=why)
    for label in after:
        if before and _key(label) not in old:
            why = f"class {label!r} is new: callers may get a label that they do not know"
            yield _change(ChangeKind.ADDED_CLASS, str(label), breaks=False, why=why)
    if sorted(old, key=repr) == sorted(new, key=repr) and old != new:
        listed = ", ".join(map(repr, after[:_LISTED])) + (", …" if len(after) > _LISTED else "")
        why = f"the classes, and so the probabilities by place, come in another order: {listed}"
        yield _change(ChangeKind.CHANGED_OUTPUT, "classes", breaks=True, why=why)


def _outputs(before: Signature, after: Signature) -> Iterator[SchemaChange]:
    """Yield how the several values of a row differ."""
    new = {output.name: output for output in after.outputs}
    for output in before.outputs:
        found = new.get(output.name)
        if found is None:
            why = f"output '{output.name}' is gone, and callers read it"
        elif found.type is not output.type:
            why = f"output '{output.name}' is a {found.type} in place of a {output.type}"
        else:
            continue
        yield _change(ChangeKind.CHANGED_OUTPUT, output.name, breaks=True, why=why)
    known = {output.name for output in before.outputs}
    for output in after.outputs:
        if output.name not in known:
            alone = not before.outputs
            why = f"output '{output.name}' is new"
            yield _change(
                ChangeKind.CHANGED_OUTPUT,
                output.name,
                breaks=alone,
                why=f"{why}: each row was answered with one value" if alone else why,
            )


def _change(kind: ChangeKind, name: str, *, breaks: bool, why: str) -> SchemaChange:
    return SchemaChange(kind=kind, name=name, breaks=breaks, why=why)


def _key(label: Scalar) -> tuple[str, Scalar]:
    """Return a value that tells 1, 1.0 and True apart from text, and 1 and 1.0 not."""
    return ("text", label) if isinstance(label, str) else ("number", float(label))
