from __future__ import annotations

from brinery.evaluate import paired
from brinery.evaluate.leaderboard import OTHER_DATA, Known, paired_ranks, ranked
from brinery.records.estimate import Estimate, Interval
from brinery.records.leaderboard import Standing


def known(name: str, *, fingerprint: str = "x", half: float = 0.01, **metrics: float) -> Known:
    """Return a version whose figures are known, each give or take the same."""
    intervals = {
        metric: Interval(low=value - half, high=value + half, method="Wilson")
        for metric, value in metrics.items()
    }
    standing = Standing(rank=0, name=name, value=Estimate(value=0.0), metrics=metrics)
    return Known(standing, intervals if half else {}, fingerprint)


def test_the_best_comes_first_in_either_direction() -> None:
    """A score is ranked from the highest, an error from the lowest."""
    rows = [known("a", roc_auc=0.8, mae=3.0), known("b", roc_auc=0.9, mae=2.0)]
    assert [each.name for each in ranked(rows, "roc_auc").standings] == ["b", "a"]
    assert [each.name for each in ranked(rows, "mae").standings] == ["b", "a"]
    rows = [known("a", mae=1.0), known("b", mae=2.0)]
    assert [each.name for each in ranked(rows, "mae").standings] == ["a", "b"]


def test_equal_values_share_a_rank() -> None:
    """Two of the same value have the same rank, and the next one has the rank after both."""
    rows = [known("a", f1=0.5), known("b", f1=0.7), known("c", f1=0.7)]
    board = ranked(rows, "f1")
    assert [(each.name, each.rank) for each in board.standings] == [("b", 1), ("c", 1), ("a", 3)]


def test_what_is_within_chance_of_the_first_is_told() -> None:
    """A near one cannot be told from the first, a far one can; the first is like itself."""
    rows = [known("far", f1=0.5), known("near", f1=0.699), known("first", f1=0.7)]
    told = {each.name: each.alike for each in ranked(rows, "f1").standings}
    assert told == {"first": True, "near": True, "far": False}


def test_what_cannot_be_told_has_its_reason() -> None:
    """Other data, no interval or no figure is told, and nothing is claimed."""
    rows = [
        known("first", f1=0.9),
        known("elsewhere", f1=0.8, fingerprint="y"),
        known("bare", f1=0.7, half=0.0),
        known("other", accuracy=0.9),
    ]
    board = ranked(rows, "f1")
    told = {each.name: each for each in board.standings}
    assert told["elsewhere"].alike is None
    assert told["elsewhere"].reason == OTHER_DATA
    assert told["bare"].alike is None
    assert "not known" in told["bare"].reason
    assert told["bare"].value.reason
    assert board.not_ranked == {"other": "it has no f1"}
    assert not board.paired


def test_pairs_decide_on_the_same_rows() -> None:
    """On the same rows the test of the pair decides, and its reason is kept where there is none."""
    values: dict[str, Estimate | str] = {
        "a": Estimate(value=0.8),
        "b": Estimate(value=0.9),
        "c": Estimate(value=0.7),
        "d": "it gives no probabilities",
    }

    def tested(first: str, other: str) -> paired.Tested | str:
        assert first == "b"
        if other == "c":
            return "no pair"
        return paired.by_deviation(-0.1, 0.08)

    board = paired_ranks(values, "roc_auc", tested=tested)
    told = {each.name: (each.rank, each.alike, each.reason) for each in board.standings}
    assert told == {"b": (1, True, ""), "a": (2, True, ""), "c": (3, None, "no pair")}
    assert board.not_ranked == {"d": "it gives no probabilities"}
    assert board.paired
