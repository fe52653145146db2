"""`brinery promote`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brinery.cli.context import Session, format_option
from brinery.cli.output import Format, follow, note, print_json

if TYPE_CHECKING:
    from brinery.records.version import Promotion, Version

_REFUSED = 3


@click.command("promote")
@click.argument("reference")
@click.option(
    "--alias",
    type=click.Choice(["champion", "challenger"]),
    default="champion",
    show_default=True,
    help="The alias to give it; the challenger needs no gate.",
)
@click.option(
    "--gate",
    metavar="NAME|FILE[:NAME]",
    help="A gate of brinery.toml, or a TOML file. Default: the gate called default.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="The rows to judge on. Default: what the version, or else the champion, was evaluated on.",
)
@click.option("--target", help="The column with the truth. Default: the one of the import.")
@click.option("--sep", help="The separator of a csv file. Default: found in its first lines.")
@click.option(
    "--if-better",
    is_flag=True,
    help="For scripts: a version that the gate does not pass is no error, but exit status 3.",
)
@click.option(
    "--force",
    is_flag=True,
    help="Promote it whatever the gate says; needs --reason, shown for ever.",
)
@click.option("--reason", "--why", default="", help="The reason, kept in the audit trail.")
@format_option
@click.pass_obj
def command(
    session: Session, /, *, reference: str, alias: str, if_better: bool, **options: Any
) -> int:
    """Make REFERENCE the champion, if the gate passes it: bank@3, or bank for its newest.

    The gate's decision is shown rule by rule, and kept. Exit status 0: it is the champion. 3: the
    gate does not pass it, and nothing was changed; without --if-better that is an error, which
    tells the next command. 2: the version is not there, or another one became the champion
    meanwhile.

    MLflow's stage follows: Production for the champion, Staging for the challenger, Archived for
    former champions. brinery rollback takes it back.
    """
    from brinery.actions.promote import PromoteAsked, promote_steps, refusal
    from brinery.actions.rooms import open_rooms

    _check(reference, alias=alias, if_better=if_better, options=options)
    options["why"] = options.pop("reason")
    asked = PromoteAsked.of(reference, {"alias": alias, **options})  # type: ignore[typeddict-item]
    done = follow(promote_steps(open_rooms(session.workspace), asked), session.format)
    _print(done, session.format)
    if done.refused and not if_better:
        raise refusal(done)
    return _REFUSED if done.refused else 0


def _check(reference: str, *, alias: str, if_better: bool, options: dict[str, Any]) -> None:
    """Refuse options that contradict each other."""
    if options["force"] and if_better:
        raise click.UsageError("--force promotes what is not better, and --if-better does not")
    judging = [f"--{name}" for name in ("gate", "data", "target", "sep", "force") if options[name]]
    if alias != "champion" and (judging or if_better):
        named = [*judging, *(["--if-better"] if if_better else [])]
        raise click.UsageError(
            f"{', '.join(named)}: no gate is asked for the {alias}; "
            f"brinery promote {reference} --alias {alias}"
        )


def _print(done: Promotion, form: Format) -> None:
    match form:
        case Format.JSON:
            print_json(done)
        case Format.QUIET:
            if not done.refused:
                print(done.version.reference)
        case _:
            from brinery.cli.decision import print_decision

            if done.decision is not None:
                print_decision(done.decision)
            print(_sentence(done))
            if done.forced:
                note(f"! forced against the gate: {done.why}; brinery history shows it for ever")
            if not done.refused:
                print(f"Next: {_next(done.version)}")


def _next(version: Version) -> str:
    """Return the command to type next; what cannot be asked for predictions is taken as it is."""
    if version.candidate is not None and version.candidate.description.unscored is not None:
        return f"brinery export {version.name} --to native FOLDER"
    return f"brinery serve {version.name}"


def _sentence(done: Promotion) -> str:
    reference, previous = done.version.reference, done.previous
    if done.refused:
        stays = f": {done.version.name}@{previous} stays the champion" if previous else ""
        return f"{reference} is not promoted{stays}."
    if not done.changed:
        return f"{reference} is the {done.alias} already."
    before = f" in place of version {previous}" if previous is not None else ""
    return f"{reference} is the {done.alias} now{before}."
