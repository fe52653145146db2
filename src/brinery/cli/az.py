"""`brinery az …`: what scripts say to another client of job YAML, said to us.

With `alias az='brinery az'` such a script runs as it is. A command is rewritten to one of ours; an
option that means nothing here is left out, and a note on standard error says so.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import click

from brinery.cli.context import Session
from brinery.cli.output import note

# Options of every command, with a value and without, that say which cloud is meant.
_WITH_VALUE: Final = {
    "-g": "--resource-group",
    "--resource-group": "--resource-group",
    "-w": "--workspace-name",
    "--workspace-name": "--workspace-name",
    "--subscription": "--subscription",
    "--registry-name": "--registry-name",
    "-l": "--location",
    "--location": "--location",
}
_FLAGS: Final = ("--only-show-errors", "--debug", "--verbose", "--no-wait", "--skip-validation")
_NOUNS: Final = ("component", "data", "datastore", "environment", "job", "model", "schedule")
# Whose -l is a label, and not a location.
_LABELLED: Final = ("component", "data", "environment", "model")
_ANSWERING: Final = ("create", "list", "show", "update", "enable", "disable", "validate")

_ACCEPTED: Final = {
    "account": "there is no account: the workspace is a folder",
    "cloud": "there is no cloud: the workspace is a folder",
    "config": "settings are in brinery.toml",
    "configure": "there are no defaults to set: the workspace is the nearest brinery.toml",
    "extension": "there are no extensions: everything is part of brinery",
    "group": "there are no resource groups: the workspace is a folder",
    "login": "there is nobody to log in to",
    "logout": "there is nobody to log out from",
    "upgrade": "pip install --upgrade brinery does that",
}
_ACCEPTED_ML: Final = {
    "compute": "there is no compute to manage: jobs run on this machine, or with --runner ray",
    "workspace": "the workspace is a folder; brinery makes it",
    "connection": "there are no connections: see [datastores] in brinery.toml",
}
_OTHER_COMMANDS: Final = {
    "online-endpoint": "brinery serve NAME@champion serves a model over HTTP",
    "online-deployment": "brinery promote NAME@VERSION has an endpoint answer with a version",
    "batch-endpoint": "brinery predict NAME@champion DATA scores a file",
    "batch-deployment": "brinery predict NAME@champion DATA scores a file",
    "registry": "assets are kept in the workspace: brinery component list",
    "feature-set": "features are not managed here",
    "feature-store": "features are not managed here",
}


class Said(NamedTuple):
    """What a command comes to.

    Attributes:
        arguments: of ours.
        ignored: options that mean nothing here.
    """

    arguments: list[str]
    ignored: list[str]


@click.command(
    "az",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def command(ctx: click.Context, /, *, arguments: tuple[str, ...]) -> object:
    """Understand what scripts say to another client of job YAML.

    With `alias az='brinery az'`, `az ml job create -f job.yml` and its like run here.
    """
    words = list(arguments)
    if not words or words[0] in ("-h", "--help"):
        click.echo(ctx.get_help())
        return 0
    first = words[0]
    if first in _ACCEPTED:
        note(f"az {first} is ignored: {_ACCEPTED[first]}")
        return 0
    if first == "version":
        words = ["--version"]
        return _ours(ctx, words)
    if first != "ml":
        raise click.UsageError(f"az {first} is not understood, but az ml is", ctx)
    return _ml(ctx, words[1:])


def _ml(ctx: click.Context, words: list[str]) -> object:
    noun = words[0] if words else ""
    if noun in _ACCEPTED_ML:
        note(f"az ml {noun} is ignored: {_ACCEPTED_ML[noun]}")
        return 0
    if noun in _OTHER_COMMANDS:
        raise click.UsageError(
            f"az ml {noun} is another command here: {_OTHER_COMMANDS[noun]}", ctx
        )
    if noun not in _NOUNS:
        from brinery.specs.names import nearest

        near = nearest(noun, _NOUNS)
        meant = f": did you mean az ml {near}?" if near else f", but {', '.join(_NOUNS)}"
        raise click.UsageError(f"az ml {noun} is not understood{meant}", ctx)
    said = rewritten(words)
    if said.ignored:
        verb = "mean" if len(said.ignored) > 1 else "means"
        note(f"{', '.join(said.ignored)} {verb} nothing here")
    return _ours(ctx, said.arguments)


def rewritten(words: list[str]) -> Said:
    """Return our arguments for those after `az ml`, and what was left out."""
    kept: list[str] = []
    ignored: list[str] = []
    rest = iter(words)
    setting = False
    for word in rest:
        key, equals, value = word.partition("=")
        if setting and not word.startswith("-"):
            # One --set may have several pairs there.
            kept += ["--set", word]
            continue
        setting = False
        if key in _WITH_VALUE and not (key == "-l" and words[0] in _LABELLED):
            ignored.append(_WITH_VALUE[key])
            if not equals:
                next(rest, None)
        elif key in _FLAGS:
            ignored.append(key)
        elif key == "--set":
            setting = True
            kept += ["--set", value] if equals else []
        else:
            kept.append(word)
    answers = len(words) > 1 and words[1] in _ANSWERING
    if answers and not any(
        one in ("-o", "--output") or one.startswith(("-o=", "--output=")) for one in kept
    ):
        kept += ["-o", "json"]
    return Said(kept, list(dict.fromkeys(ignored)))


def _ours(ctx: click.Context, arguments: list[str]) -> object:
    """Return what one of our own commands returns."""
    from brinery.cli.main import cli

    session = ctx.ensure_object(Session)
    chosen = ["--workspace", str(session.workspace)] if session.workspace else []
    result: object = cli.main(
        args=[*chosen, *arguments], prog_name="brinery", obj=session, standalone_mode=False
    )
    return result
