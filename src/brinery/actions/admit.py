"""Admit: whether a scanned model file may be loaded, given what its user vouches for."""

from __future__ import annotations

from collections.abc import Sequence

from brinery.errors import DangerousModel, InvalidTrust, NotAPickle, NotTrusted
from brinery.records.scan import Finding, ScanReport, Verdict
from brinery.records.trust import Trust
from brinery.specs.names import nearest

_LISTED = 12
_ANY = ".*"


def admit(report: ScanReport, given: Sequence[str], *, file: str) -> Trust | None:
    """Return what the user vouched for; None where nothing needed it.

    A dangerous name is covered by its exact name alone, an unknown one by `package.*` too.

    Args:
        report: the scan of the model.
        given: dotted names, or `package.*`.
        file: the model's name, for the messages.

    Raises:
        NotAPickle: its bytes are not well formed, so that no one can say what it would do.
        InvalidTrust: what was given is no name.
        DangerousModel: it asks for a dangerous name that was not given.
        NotTrusted: it asks for an unknown name that was not given.
    """
    for name in given:
        _check(name)
    if report.problems:
        raise NotAPickle(
            f"{file} is damaged or made to deceive: {report.problems[0]}",
            hint=f"brinery scan {file} shows all of it; compare its size and sha256 with the "
            "original's",
        )
    asked = [finding for finding in report.findings if finding.verdict is not Verdict.SAFE]
    left = [finding for finding in asked if not _covered(finding, given)]
    dangerous = [finding for finding in left if finding.verdict is Verdict.DANGEROUS]
    if dangerous:
        raise DangerousModel(
            f"{file} asks for {_listed(dangerous)}",
            hint=f"brinery scan {file} shows where; an honest model seldom does this. "
            f"If you wrote it and know why: {_options(left)}",
        )
    if left:
        raise NotTrusted(
            f"{file} asks for {_listed(left)}: Brinery cannot know what that does",
            hint=f"if you know, vouch for it: {_options(left)}{_near(left, given)}",
        )
    if not asked:
        return None
    granted = tuple(sorted(str(finding.name) for finding in asked))
    return Trust(sha256=report.sha256, given=tuple(given), granted=granted)


def remarks(report: ScanReport, trust: Trust | None, *, given: Sequence[str]) -> list[str]:
    """Return what is worth a warning in what the user vouched for."""
    said = []
    for name in given:
        if not any(_matches(str(finding.name), name) for finding in report.findings):
            said.append(f"--trust {name} covers nothing that the file asks for")
        elif name.endswith(_ANY):
            said.append(f"--trust {name} covers whatever that package holds, now and later")
    granted = trust.granted if trust else ()
    dangerous = [name for name in report.asked(Verdict.DANGEROUS) if name in granted]
    if dangerous:
        said.append(f"dangerous, and trusted by your word: {', '.join(dangerous)}")
    return said


def _check(name: str) -> None:
    plain = name.removesuffix(_ANY)
    if not all(part.isidentifier() or part == "<locals>" for part in plain.split(".")):
        raise InvalidTrust(
            f"--trust {name} is no name",
            hint="give a dotted name, such as my_pkg.transformers.Clipper, or my_pkg.*",
        )
    if "." not in plain and not name.endswith(_ANY):
        raise InvalidTrust(
            f"--trust {name} names no module",
            hint=f"give the whole dotted name, or --trust '{name}.*'",
        )


def _covered(finding: Finding, given: Sequence[str]) -> bool:
    exact = finding.verdict is Verdict.DANGEROUS
    return any(
        _matches(str(finding.name), name) for name in given if not (exact and name.endswith(_ANY))
    )


def _matches(asked: str, given: str) -> bool:
    if given.endswith(_ANY):
        return asked.startswith(given.removesuffix("*"))
    return asked == given


def _listed(findings: Sequence[Finding]) -> str:
    """Return names with the reasons why they are not known safe."""
    shown = [
        f"{finding.name} ({finding.reason})" if finding.reason else str(finding.name)
        for finding in findings[:_LISTED]
    ]
    more = len(findings) - _LISTED
    return ", ".join(shown) + (f", and {more} more" if more > 0 else "")


def _options(findings: Sequence[Finding]) -> str:
    return " ".join(f"--trust {finding.name}" for finding in findings)


def _near(left: Sequence[Finding], given: Sequence[str]) -> str:
    """Return a word on a name that was given and looks misspelt."""
    names = [str(finding.name) for finding in left]
    for name in given:
        near = nearest(name, names)
        if near:
            return f" (you gave {name}: is it {near}?)"
    return ""
