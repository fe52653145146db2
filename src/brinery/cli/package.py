"""`brinery package`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brinery.cli.context import Session, format_option
from brinery.cli.output import Format, follow, note, print_facts, print_json, print_table

if TYPE_CHECKING:
    from brinery.records.package import Package, Proof

_TIME = "%Y-%m-%d %H:%M"
_SHORT = 12
_TARGETS = [
    *("gcf", "lambda", "lambda-container", "azure-functions", "container", "kubernetes"),
    *("kserve", "sagemaker", "azureml", "wheel"),
]


class _Group(click.Group):
    """A group whose first argument may be a version: it is packaged then."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Return the arguments, `make` put before those that name no command."""
        if args and args[0] not in self.commands and args[0] not in {"-h", "--help"}:
            args = ["make", *args]
        return super().parse_args(ctx, args)


@click.group("package", cls=_Group)
def command() -> None:
    """Make a version into what runs elsewhere, and run it before it is shipped.

    `brinery package bank@champion --to gcf` is `brinery package make bank@champion --to gcf`.
    """


@command.command("make")
@click.argument("reference")
@click.option("--to", required=True, type=click.Choice(_TARGETS), help="What it is for.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="The folder to write, new or empty; a zip file of the same name lies beside it. "
    "Default: NAME-VERSION-TARGET.",
)
@click.option("--python", default="", help="Its Python, such as 3.12. Default: the model's.")
@click.option(
    "--response-key",
    help="What an answer is called. Default: predicted_class, or predicted_value.",
)
@click.option(
    "--alias",
    "aliases",
    multiple=True,
    metavar="ALIAS=COLUMN",
    help="Another name that clients may use. sepal_length is one of 'sepal length (cm)' anyway.",
)
@click.option("--probabilities", is_flag=True, help="Answer one row with probabilities, too.")
@click.option(
    "--engine",
    type=click.Choice(["auto", "scorer", "library"]),
    default="auto",
    help="Who answers: the compiled scorer, or the model's library. Default: the scorer where it "
    "covers the model.",
)
@click.option("--hashes", is_flag=True, help="Put the hashes of all files into requirements.txt.")
@click.option("--keep-rows", is_flag=True, help="Put rows of the evaluation data into its proof.")
@click.option("--data", type=click.Path(path_type=Path), help="Rows to prove it with.")
@click.option("--no-verify", is_flag=True, help="Do not run it. The package says so.")
@format_option
@click.pass_obj
def make(session: Session, /, *, reference: str, to: str, **options: Any) -> None:
    """Package REFERENCE for a platform, after it has run.

    A fresh environment is made of its requirements, it is started there as its platform would, and
    its answers to rows of the evaluation data are compared with those of the registered model.
    """
    from brinery.actions.package import package_steps
    from brinery.specs.packaging import PackageSpec

    spec = PackageSpec(
        python=options["python"],
        key=options["response_key"],
        aliases=tuple(options["aliases"]),
        probabilities=options["probabilities"],
        engine=options["engine"],
        hashes=options["hashes"],
        keep_rows=options["keep_rows"],
    )
    steps = package_steps(
        reference,
        to=to,
        output=options["output"],
        spec=spec,
        verify=not options["no_verify"],
        data=options["data"],
        workspace=session.workspace,
    )
    done = follow(steps, session.format)
    match session.format:
        case Format.JSON:
            print_json(done)
        case Format.QUIET:
            print(done.folder)
        case _:
            _print(done)


@command.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--digest", default="", help="The digest that it must have.")
@format_option
@click.pass_obj
def verify(session: Session, /, *, file: Path, digest: str) -> None:
    """Verify FILE, a package: its bytes by their digests, its answers by running it again.

    It runs code of the package. Without Brinery, `python verify.py` in the package does the same.
    """
    from brinery.actions.package import verify_package

    proven = verify_package(file, digest=digest)
    match session.format:
        case Format.JSON:
            print_json(proven)
        case Format.QUIET:
            print(proven.digest)
        case _:
            print_facts([("version", proven.version), ("target", proven.target), *_told(proven)])


@command.command("list")
@click.argument("reference")
@format_option
@click.pass_obj
def list_(session: Session, /, *, reference: str) -> None:
    """List what was proven of the packages of REFERENCE."""
    from brinery.actions.package import package_proofs

    found = package_proofs(reference, workspace=session.workspace)
    match session.format:
        case Format.JSON:
            print_json(found)
        case Format.QUIET:
            for one in found:
                print(one.digest)
        case _ if not found:
            note(f"no package of it was proven yet: brinery package {reference} --to gcf")
        case _:
            rows = [
                [
                    *(one.target, one.at.astimezone().strftime(_TIME), f"{one.rows:,}"),
                    *(f"{one.max_difference:.3g}", one.python, one.digest[:_SHORT]),
                ]
                for one in found
            ]
            print_table(["target", "at", "rows", "difference", "Python", "digest"], rows)


def _print(done: Package) -> None:
    facts: list[tuple[str, object]] = [
        ("version", done.version),
        ("target", done.target),
        ("folder", f"{done.folder} ({len(done.files)} files, {done.unpacked_bytes / 1e6:.2f} MB)"),
        ("archive", f"{done.archive} ({done.archive_bytes / 1e6:.2f} MB)"),
        ("answers by", f"{done.engine}{f': {done.reason}' if done.reason else ''}"),
    ]
    if done.proof is None:
        facts += [("digest", f"sha256:{done.digest}"), ("proven", f"no. {done.unproven}")]
    else:
        facts += _told(done.proof)
    print_facts(facts)


def _told(proven: Proof) -> list[tuple[str, object]]:
    return [
        ("digest", f"sha256:{proven.digest}"),
        ("proven", f"{proven.rows:,} rows ({proven.words}), labels equal"),
        ("difference", f"{proven.max_difference:.3g} at most"),
        ("ran", f"{proven.ran}, on Python {proven.python}"),
        ("refused", f"{proven.refused} bad requests, each with a reason"),
    ]
