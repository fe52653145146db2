"""Whether a scanned file may be loaded."""

from __future__ import annotations

import pytest

from brinery.actions.admit import admit, remarks
from brinery.errors import DangerousModel, InvalidTrust, NotAPickle, NotTrusted
from brinery.records.scan import Finding, Global, ScanReport, Verdict

CLIPPER = Finding(name=Global("my_pkg.steps", "Clipper"), verdict=Verdict.NEEDS_TRUST)
SCALER = Finding(name=Global("my_pkg.steps", "Scaler"), verdict=Verdict.NEEDS_TRUST)
SYSTEM = Finding(name=Global("os", "system"), verdict=Verdict.DANGEROUS, reason="runs programs")
SAFE = Finding(name=Global("collections", "OrderedDict"), verdict=Verdict.SAFE)


def report(*findings: Finding, problems: tuple[str, ...] = ()) -> ScanReport:
    """A scan that found this."""
    return ScanReport(
        format="pickle",
        protocol=4,
        compression=None,
        size_bytes=1,
        sha256="a" * 64,
        findings=findings,
        problems=problems,
    )


def test_a_safe_file_needs_no_word() -> None:
    """A file that asks for known names only is admitted, and nothing is recorded."""
    assert admit(report(SAFE), (), file="model.pkl") is None


def test_an_unknown_name_is_refused_with_the_option_that_admits_it() -> None:
    """The error lists every name and the option for each."""
    with pytest.raises(NotTrusted, match=r"my_pkg\.steps\.Clipper") as refused:
        admit(report(SAFE, CLIPPER, SCALER), (), file="model.pkl")
    assert "--trust my_pkg.steps.Clipper --trust my_pkg.steps.Scaler" in refused.value.hint
    assert "OrderedDict" not in refused.value.message


def test_trust_is_recorded_by_digest() -> None:
    """The word that was given, and what it covered, is bound to the file's digest."""
    trust = admit(report(SAFE, CLIPPER), ("my_pkg.steps.Clipper",), file="model.pkl")
    assert trust is not None
    assert trust.sha256 == "a" * 64
    assert trust.given == trust.granted == ("my_pkg.steps.Clipper",)


def test_half_a_word_is_not_enough() -> None:
    """Every name must be covered, and the ones that are not are named."""
    with pytest.raises(NotTrusted, match="Scaler") as refused:
        admit(report(CLIPPER, SCALER), ("my_pkg.steps.Clipper",), file="model.pkl")
    assert "Clipper" not in refused.value.message


def test_a_prefix_is_no_word() -> None:
    """A name covers itself alone; a package's star covers what is in it and no neighbour."""
    for given in ("my_pkg.steps", "my_pkg.steps.Clip", "my_pk.*", "my_pkg.steps.Clipper.*"):
        with pytest.raises(NotTrusted):
            admit(report(CLIPPER), (given,), file="model.pkl")
    trust = admit(report(CLIPPER), ("my_pkg.*",), file="model.pkl")
    assert trust is not None
    assert trust.granted == ("my_pkg.steps.Clipper",)


def test_a_star_does_not_cover_what_is_dangerous() -> None:
    """A dangerous name is admitted by its exact name alone."""
    with pytest.raises(DangerousModel, match=r"os.system \(runs programs\)"):
        admit(report(SYSTEM), ("os.*",), file="model.pkl")
    trust = admit(report(SYSTEM), ("os.system",), file="model.pkl")
    assert trust is not None
    assert "dangerous" in remarks(report(SYSTEM), trust, given=("os.system",))[0]


def test_what_is_dangerous_is_said_first() -> None:
    """A file with both is dangerous, and the hint covers both."""
    with pytest.raises(DangerousModel) as refused:
        admit(report(CLIPPER, SYSTEM), (), file="model.pkl")
    assert "--trust my_pkg.steps.Clipper --trust os.system" in refused.value.hint


def test_a_malformed_file_is_refused_whatever_is_trusted() -> None:
    """No word admits bytes that cannot be read to their end."""
    broken = report(CLIPPER, problems=("it ends in the middle",))
    with pytest.raises(NotAPickle, match="it ends in the middle"):
        admit(broken, ("my_pkg.steps.Clipper",), file="model.pkl")


@pytest.mark.parametrize("name", ["", "Clipper", "*", "my pkg.Clipper", "a..b", ".a", "os.system;"])
def test_what_is_no_name_is_refused(name: str) -> None:
    """A word that cannot be meant is an error, and nothing is admitted by it."""
    with pytest.raises(InvalidTrust):
        admit(report(CLIPPER), (name,), file="model.pkl")


def test_a_misspelt_name_is_met_with_the_right_one() -> None:
    """A name that nearly fits is named beside the one that would."""
    with pytest.raises(NotTrusted) as refused:
        admit(report(CLIPPER), ("my_pkg.steps.Cliper",), file="model.pkl")
    assert "is it my_pkg.steps.Clipper?" in refused.value.hint


def test_remarks_on_a_word() -> None:
    """A word that covers nothing, and one that covers a whole package, are worth a warning."""
    trust = admit(report(CLIPPER), ("my_pkg.*", "other.Thing"), file="model.pkl")
    wide, idle = remarks(report(CLIPPER), trust, given=("my_pkg.*", "other.Thing"))
    assert "whatever that package holds" in wide
    assert "covers nothing" in idle
    assert remarks(report(SAFE), None, given=()) == []
