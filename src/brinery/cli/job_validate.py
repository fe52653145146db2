"""`brinery job validate`, and `brinery schema`."""

from __future__ import annotations

from pathlib import Path

import click

from brinery.cli.context import Session, format_option
from brinery.cli.output import Format, note, print_json


@click.command("validate", short_help="Check a file, and run nothing.")
@click.argument("job", type=click.Path(path_type=Path), metavar="[FILE]", required=False)
@click.option(
    "-f", "--file", type=click.Path(path_type=Path), help="The same, as scripts write it."
)
@click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="KEY=VALUE",
    help="Set a value before it is checked: inputs.x=1, jobs.a.inputs.b[0].path=c.",
)
@format_option
@click.pass_obj
def validate(
    session: Session, /, *, job: Path | None, file: Path | None, sets: tuple[str, ...]
) -> None:
    """Check FILE, a job or a component, and all files that it names; run nothing.

    Every fault is told at once, a line each, with its file and line. What is accepted and means
    nothing here is noted. The exit status is 0 where there is no fault, and 2 where there is.
    """
    from brinery.actions.job_validate import validate_job

    chosen = job or file
    if chosen is None:
        raise click.UsageError("a FILE is needed", click.get_current_context())
    found = validate_job(chosen, sets=sets, workspace=session.workspace)
    match session.format:
        case Format.JSON:
            print_json(found)
        case Format.QUIET:
            print("\n".join(found.steps))
        case _:
            for line in found.notes:
                note(f"note: {line}")
            kind = f"{found.type} {found.noun}" if found.type else found.noun
            count = len(found.steps)
            steps = f": {count} step{'s' * (count != 1)}, {', '.join(found.steps)}"
            an = "an" if kind[0] in "aeiou" else "a"
            print(f"{found.file} is {an} {kind} without faults{steps if count else ''}")


@click.command("schema")
@click.argument("noun", default="job")
@click.pass_obj
def command(session: Session, /, *, noun: str) -> None:
    """Print the JSON Schema of NOUN, for editors.

    NOUN is job, component, environment, data, model, datastore or schedule.

    `brinery schema job > job.schema.json`, and `# yaml-language-server: $schema=job.schema.json` as
    the first line of a file, has an editor complete and check what is typed.
    """
    del session
    from brinery.actions.job_validate import schema

    print_json(schema(noun))
