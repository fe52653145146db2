"""`brinery model`: list and show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from brinery.cli.answers import answer, answer_options, named
from brinery.cli.assets import asset_commands
from brinery.cli.context import Session
from brinery.cli.output import Format, note, print_facts, print_json, print_table
from brinery.cli.parity import parity_of, print_parity, scored_by

if TYPE_CHECKING:
    from brinery.actions.models import Model
    from brinery.records.audit import AuditEntry
    from brinery.records.evaluation import Confusion
    from brinery.records.history import Chapter
    from brinery.records.version import Candidate, Version

_HEADLINES = {"binary": "roc_auc", "multiclass": "f1_macro", "regression": "r2"}
_TIME = "%Y-%m-%d %H:%M"
_MANY_CATEGORIES = 6
_MANY_OUTPUTS = 10


@click.group("model")
def command() -> None:
    """List and show registered models, and register folders for jobs."""


for _one in asset_commands("model"):
    if _one.name not in ("list", "show"):
        command.add_command(_one)


@command.command("list")
@click.option("-n", "--name", help="Whose versions are asked for, with -o or --query.")
@answer_options
@click.pass_obj
def list_models(
    session: Session, /, *, name: str | None, query: str | None, form: str | None
) -> None:
    """List the models of the workspace; with -o or --query, what jobs may name of them."""
    from brinery.actions.models import models

    if query or form:
        from brinery.actions.registered_models import model_answers

        told = model_answers(name, workspace=session.workspace)
        answer(session, told, query=query, form=form, columns=("name", "version", "type"))
        return
    found = models(workspace=session.workspace)
    match session.format:
        case Format.JSON:
            print_json(found)
        case Format.QUIET:
            for model in found:
                print(model.name)
        case _ if not found:
            note("no models yet: brinery import MODEL --name NAME --data FILE --target COLUMN")
        case _:
            print_table(
                [
                    "model",
                    "champion",
                    "challenger",
                    "newest",
                    "type",
                    "champion's headline",
                    "imported",
                ],
                [_model_row(model) for model in found],
            )


@command.command("show")
@click.argument("reference", required=False)
@click.option("-n", "--name", help="The same, as scripts write it.")
@click.option("-v", "--version", help="Which version, with -o or --query.")
@click.option("--parity", is_flag=True, help="Which ways to its answers were compared, and how.")
@answer_options
@click.pass_context
def show(ctx: click.Context, /, **said: Any) -> None:
    """Show a model (bank) or one version of it (bank@1, bank@champion, bank@Production)."""
    session = ctx.ensure_object(Session)
    reference = named(ctx, said["reference"], option=said["name"])
    query, form = said["query"], said["form"]
    if query or form or said["version"]:
        from brinery.actions.registered_models import model_answer

        told = model_answer(reference, version=said["version"], workspace=session.workspace)
        answer(session, told, query=query, form=form)
        return
    _show(session, reference, parity=said["parity"])


def _show(session: Session, reference: str, *, parity: bool) -> None:
    from brinery.actions.history import history
    from brinery.actions.models import model, version

    if "@" not in reference and not parity:
        whole = model(reference, workspace=session.workspace)
        if session.format is Format.JSON:
            print_json(whole)
        elif session.format is Format.QUIET:
            for one in whole.versions:
                print(one.reference)
        else:
            _print_model(whole)
        return
    one = version(reference, workspace=session.workspace)
    if session.format is Format.JSON:
        print_json(parity_of(one) if parity else one)
    elif session.format is Format.QUIET:
        print(one.reference)
    elif parity:
        print_parity(one)
    else:
        told = history(one.name, workspace=session.workspace)
        _print_version(one, [each for each in told if each.after == one.reference])


def _model_row(model: Model) -> list[object]:
    champion, challenger = (_with_alias(model, alias) for alias in ("champion", "challenger"))
    newest = model.versions[0]
    return [
        model.name,
        champion.number if champion else "none",
        challenger.number if challenger else "none",
        newest.number,
        newest.candidate.description.type if newest.candidate else "unknown",
        _headline(champion) if champion else "none",
        newest.created.astimezone().strftime(_TIME),
    ]


def _with_alias(model: Model, alias: str) -> Version | None:
    return next((version for version in model.versions if alias in version.aliases), None)


def _headline(version: Version) -> str:
    if version.candidate is None:
        return "not imported by Brinery"
    evaluation = version.candidate.evaluation
    if version.candidate.description.unscored is not None:
        return "not scored"
    if evaluation is None:
        return "not evaluated"
    name = _HEADLINES.get(evaluation.type, "")
    if name not in evaluation.metrics:
        name = next(iter(evaluation.metrics), "")
    return f"{name} {evaluation.metrics[name]:.4f}" if name else "no figure"


def _data_name(version: Version) -> str:
    data = version.candidate.data if version.candidate else None
    return data.name if data else ""


def _print_model(model: Model) -> None:
    print_facts([("model", model.name), ("MLflow tracking URI", model.tracking_uri)])
    print_table(
        ["version", "aliases", "stage", "headline", "file", "data", "imported"],
        [
            [
                ", ".join([str(version.number), *version.ids]),
                ", ".join(version.aliases),
                version.stage,
                _headline(version),
                version.candidate.origin.file if version.candidate else "",
                _data_name(version),
                version.created.astimezone().strftime(_TIME),
            ]
            for version in model.versions
        ],
    )
    print_table(
        ["when", "who", "change", "from", "to", "why"],
        [
            [
                entry.at.astimezone().strftime(_TIME),
                entry.who,
                entry.change,
                entry.before or "",
                entry.after,
                _reason(entry),
            ]
            for entry in model.history
        ],
    )


def _reason(entry: AuditEntry) -> str:
    return f"FORCED against the gate: {entry.why}" if entry.forced else entry.why


def _deed(one: Chapter) -> str:
    """Return what was done with a version, on whose word, and what the gate had said."""
    who = f" by {one.who}" if one.who else ""
    alias = "" if one.alias == "champion" else f", {one.alias}"
    said = "; ".join(filter(None, (one.verdict, one.why)))
    done = f"{one.at.astimezone().strftime(_TIME)}{who}: {one.deed}{alias}"
    return f"{done}; {said}" if said else done


def _print_version(version: Version, told: list[Chapter]) -> None:
    facts: list[tuple[str, object]] = [
        ("version", version.reference),
        *([("id", ", ".join(version.ids))] if version.ids else []),
        ("aliases", ", ".join(version.aliases) or "none"),
        ("stage", version.stage),
        ("imported", version.created.astimezone().strftime(_TIME)),
        ("MLflow run", version.run_id or "none"),
        *(("history", _deed(one)) for one in told),
    ]
    if version.candidate is None:
        print_facts([*facts, ("", "registered by another program: Brinery knows no more of it")])
        return
    print_facts(facts + _candidate_facts(version, version.candidate))
    if version.candidate.description.unscored is not None:
        return
    _print_evaluation(version.candidate)
    print_table(
        ["column", "type", "required", "may be missing", "categories"],
        [
            [
                column.name,
                column.type,
                "yes" if column.required else "not read",
                "yes" if column.nullable else "no",
                _categories(column.categories),
            ]
            for column in version.candidate.signature.columns
        ],
    )


def _candidate_facts(version: Version, candidate: Candidate) -> list[tuple[str, object]]:
    description, data = candidate.description, candidate.data
    environment, code = candidate.environment, candidate.code
    python = f"Python {environment.python}{' (built for it)' if environment.built else ''}"
    packages = " ".join(f"{name}=={v}" for name, v in environment.packages.items())
    tried = [("attempts", "; ".join(candidate.attempts))] if candidate.attempts else []
    return [
        ("file", f"{candidate.origin.file}, sha256 {candidate.origin.sha256[:16]}…"),
        ("model", description.outline),
        (
            "predicts",
            f"{description.type}: {_answers(candidate)}".rstrip(": "),
        ),
        (
            "data",
            f"{data.name}, {data.rows:,} rows, target {data.target or 'none'}" if data else "none",
        ),
        ("parity", _parity(version, candidate)),
        ("scored by", scored_by(version)),
        (
            "code",
            f"{code.commit[:12]}{' (changed since)' if code.dirty else ''}"
            if code
            else "not in git",
        ),
        ("environment", ", ".join(filter(None, (python, packages)))),
        ("scan", _scan(candidate)),
        ("sandbox", _sandbox(candidate)),
        *tried,
    ]


def _parity(version: Version, candidate: Candidate) -> str:
    parity = version.parity
    if parity is not None:
        return (
            f"{parity.rows:,} of {parity.rows:,} rows equal, "
            f"largest difference {parity.max_difference:g}"
        )
    same = candidate.artifact.sha256 == candidate.origin.sha256
    return "the registered file is the same bytes" if same else "unknown"


def _answers(candidate: Candidate) -> str:
    """Return the classes of a model, or what its several values are called."""
    outputs = [output.name for output in candidate.signature.outputs]
    if not outputs:
        return ", ".join(map(str, candidate.description.classes))
    more = ", …" if len(outputs) > _MANY_OUTPUTS else ""
    return f"{len(outputs):,} values, {', '.join(outputs[:_MANY_OUTPUTS])}{more}"


def _scan(candidate: Candidate) -> str:
    """Return what the file asked for, and on whose word it was let in."""
    if candidate.trust is None:
        return candidate.verdict
    given = f"trusted by --trust {' --trust '.join(candidate.trust.given)}"
    return f"{candidate.verdict}, {given}: {', '.join(candidate.trust.granted)}"


def _sandbox(candidate: Candidate) -> str:
    """Return what held the model's process back while it was evaluated."""
    layers = candidate.sandbox.layers
    held = [f"{layer.name} ({layer.by})" for layer in layers if layer.in_force]
    free = [f"not {layer.name} ({layer.reason})" for layer in layers if not layer.in_force]
    return ", ".join((*held, *free)) or "unknown"


def _print_evaluation(candidate: Candidate) -> None:
    evaluation = candidate.evaluation
    if evaluation is None:
        print_facts([("evaluation", "none: imported without --target")])
        return
    rows: list[list[object]] = [
        [name, f"{value:.4f}", ""] for name, value in evaluation.metrics.items()
    ]
    rows += [[name, "", f"not computed: {why}"] for name, why in evaluation.not_computed.items()]
    print_table(["metric", f"on {evaluation.rows:,} rows", ""], rows)
    for confusion in evaluation.confusion:
        _print_confusion(confusion)


def _print_confusion(confusion: Confusion) -> None:
    at = (
        "at the model's own labels"
        if confusion.threshold is None
        else f"at {confusion.threshold:.4g}"
    )
    print_table(
        [f"actual, {at}", *(f"predicted {label}" for label in confusion.labels)],
        [
            [label, *counts]
            for label, counts in zip(confusion.labels, confusion.counts, strict=True)
        ],
    )


def _categories(categories: tuple[object, ...] | None) -> str:
    if categories is None:
        return ""
    shown = ", ".join(str(value) for value in categories[:_MANY_CATEGORIES])
    more = len(categories) - _MANY_CATEGORIES
    return f"{shown}, and {more} more" if more > 0 else shown
