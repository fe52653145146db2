"""`brinery scan`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from brinery.cli.context import Session, format_option
from brinery.cli.output import Format, print_json
from brinery.records.scan import TIMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from brinery.actions.scan_files import Scanned
    from brinery.records.scan import Finding, Node, ScanReport

_STATUS = {"safe": 0, "needs-trust": 3, "dangerous": 4, "malformed": 5}
_WORDS = {
    "safe": "safe: it asks for no name that is not known",
    "needs-trust": "needs your word",
    "dangerous": "DANGEROUS",
    "malformed": "MALFORMED: not to be loaded",
}
_MANY = 8
_MEMBERS = 3


@click.command("scan")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@format_option
@click.pass_obj
def command(session: Session, /, *, files: tuple[str, ...]) -> int:
    """Tell what model files would do, without running them.

    FILE is a pickle, a joblib file, a model in skops', torch's, Keras', XGBoost's, LightGBM's,
    CatBoost's or ONNX' own format, an MLflow model's folder, a folder of any of these, or a
    pattern such as 'models/*.pkl'. Nothing in it is imported and nothing is made.

    Every name it asks for is known safe, dangerous, or in need of your word; a file whose bytes
    are not well formed is never safe.

    \b
    Exit status, the worst of all files:
      0  safe
      2  a mistake on the command line, such as no file
      3  needs your word: brinery import --trust NAME gives it
      4  dangerous
      5  malformed, or not to be read
    """  # noqa: D301 - click's mark of a paragraph that keeps its lines
    from brinery.actions.scan_files import scan_files

    found = []
    for one in scan_files(files):
        found.append(one)
        match session.format:
            case Format.JSON:
                pass
            case Format.QUIET:
                print(f"{one.verdict}  {_plain(one.path)}")
            case _:
                print("\n".join(_lines(one)), flush=True)
                print()
    if session.format is Format.JSON:
        print_json(found)
    return max(_STATUS[one.verdict] for one in found)


def _lines(one: Scanned) -> Iterator[str]:
    if one.report is None:
        refusal = one.refusal
        message, hint = (refusal.message, refusal.hint) if refusal else ("", "")
        yield f"{_plain(one.path)}  NOT READ: {_plain(message)}"
        yield f"  hint: {_plain(hint)}"
        return
    yield f"{_plain(one.path)}  {_headline(one.report)}"
    for name, value in _facts(one.report):
        yield f"  {name:<9} {_plain(value)}"
    if not one.predicts:
        yield "  type      other: it cannot be asked for predictions, and needs no data"
    if one.report.tree is not None:
        yield from _tree(one.report.tree)
    yield from _names(one.report)
    for problem in one.report.problems:
        yield f"  problem:  {_plain(problem)}"
    if following := _next(one, one.report):
        yield f"  next:     {following}"


def _headline(report: ScanReport) -> str:
    words = _WORDS[report.verdict]
    counts = [
        f"{len(names)} {what}"
        for verdict, what in (("dangerous", "dangerous"), ("needs-trust", "unknown"))
        if (names := [one for one in report.findings if one.verdict == verdict])
    ]
    return f"{words}: {', '.join(counts)}" if counts else words


def _wrote(name: str, found: Sequence[str]) -> str:
    """Return what wrote a file; LightGBM's text tells the version of its format alone."""
    if name == "lightgbm" and not any("." in version for version in found):
        return f"lightgbm, its text format v{'/'.join(found)}"
    return f"{name} {'/'.join(found)}"


def _facts(report: ScanReport) -> Iterator[tuple[str, str]]:
    form = [report.format]
    if report.protocol is not None:
        form.append(f"protocol {report.protocol}")
    if report.compression:
        form.append(str(report.compression))
    yield "format", ", ".join([*form, f"{report.size_bytes:,} bytes"])
    yield "sha256", report.sha256
    wrote = [_wrote(name, found) for name, found in report.versions.items()]
    if report.python:
        wrote.append(f"Python {report.python}")
    if wrote:
        yield "written", ", ".join(wrote)
    if report.tree is None and report.outermost:
        yield "holds", report.outermost
    if report.feature_names is not None:
        yield "columns", f"{len(report.feature_names)}: {_some(report.feature_names)}"
    if report.classes is not None:
        yield "classes", _some(report.classes)
    known = sum(finding.verdict == "safe" for finding in report.findings)
    yield "names", f"{len(report.findings)} asked for, {known} known safe"


def _tree(node: Node, lead: str = "  ", below: str = "  ") -> Iterator[str]:
    module, _, name = node.name.rpartition(".")
    counted = node.label.startswith(TIMES)
    named = f"{node.label}: " if node.label and not counted else ""
    times = f" {node.label}" if counted else ""
    yield f"{lead}{_plain(named)}{_plain(name)}{times}" + (
        f"  ({_plain(module)})" if module else ""
    )
    for place, part in enumerate(node.parts, 1):
        last = place == len(node.parts)
        yield from _tree(
            part, below + ("└── " if last else "├── "), below + ("    " if last else "│   ")
        )


def _names(report: ScanReport) -> Iterator[str]:
    for verdict, title in (("dangerous", "dangerous"), ("needs-trust", "needs your word")):
        findings = [one for one in report.findings if one.verdict == verdict]
        if findings:
            yield f"  {title}:"
        for one in findings:
            yield f"    {_plain(str(one.name))}  {_why(one)}"


def _why(finding: Finding) -> str:
    inside = ""
    if finding.members:
        inside = f", in {_some(finding.members, most=_MEMBERS)}"
    return _plain(f"{finding.reason} [{', '.join(finding.reached)}{inside}]")


def _next(one: Scanned, report: ScanReport) -> str:
    """Return the command to type next; empty where there is none."""
    if report.verdict == "malformed":
        return "write the file again, or get it anew and compare its sha256"
    trust = "".join(
        f" --trust {finding.name}"
        for finding in report.findings
        if finding.verdict == "needs-trust"
    )
    if report.verdict == "dangerous":
        return "do not load it, unless you wrote it and know why it asks for that"
    data = " --data FILE" if one.predicts else ""
    return f"brinery import {_quoted(one.path)} --name NAME{data}{_plain(trust)}"


def _quoted(path: str) -> str:
    import shlex

    return shlex.quote(_plain(path))


def _some(texts: tuple[str, ...], *, most: int = _MANY) -> str:
    shown = ", ".join(texts[:most])
    return f"{shown}, and {len(texts) - most} more" if len(texts) > most else shown


def _plain(text: str) -> str:
    """Return text that a terminal shows as it is: a file may say anything."""
    return text if text.isprintable() else ascii(text)[1:-1]
