"""Gates: what is declared, and every fault of it at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from brinery.errors import InvalidGate, NotFound, SettingsError
from brinery.evaluate.run import METRICS as EVALUATED
from brinery.specs import settings
from brinery.specs.changes import ChangeKind
from brinery.specs.gate_rules import Rule, RuleKind
from brinery.specs.gates import BUILT_IN, DEFAULT, Gate, Requirement, chosen, read
from brinery.specs.metrics import METRICS, OF_LABELS, WITHOUT_DIRECTION, beta_of, limits

# As the issue has it, one key a line.
DECLARED = """
[gates.default]
require = ["parity", "schema-compatible", "no-dangerous-globals", "report"]
[[gates.default.rule]]
metric = "roc_auc"          # any metric of an evaluation
versus = "champion"
better_by = 0.0
confidence = 0.95
[[gates.default.rule]]
subpopulations = ["job", "marital"]
metric = "recall"
max_drop = 0.05
[[gates.default.rule]]
latency_p99_ms = 5
versus = "champion"
max_ratio = 1.5
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "brinery.toml"


def test_what_is_declared(file: Path) -> None:
    """Gates stand in brinery.toml beside the settings, and are read as they are written."""
    file.write_text(f"[serve]\nport = 1\n{DECLARED}")
    found = settings.read(file, {})
    gate = found.gates["default"]
    assert found.serve.port == 1
    assert gate.require == tuple(Requirement)
    assert [rule.kind for rule in gate.rule] == [
        RuleKind.VERSUS,
        RuleKind.SUBPOPULATIONS,
        RuleKind.LATENCY,
    ]
    assert gate.confidence == 0.95
    assert [rule.title for rule in gate.rule] == [
        "roc_auc better than the champion's, 95 % sure",
        "recall no worse than the champion's by more than 0.05 in any group of job and marital",
        "p99 latency of one row at most 5 ms and at most 1.5 times the champion's",
    ]


@pytest.mark.parametrize(
    ("rule", "title"),
    [
        (
            {"metric": "f1", "at_threshold": 0.3, "where": "age>60", "at_least": 0.5},
            "f1 at threshold 0.3 where age > 60 at least 0.5",
        ),
        (
            {"metric": "rmse", "at_most": 3, "confidence": 0.9},
            "rmse at most 3, 90 % sure",
        ),
        (
            {"metric": "f0.5", "versus": "champion", "better_by": 0.01},
            "f0.5 better by more than 0.01 than the champion's, 95 % sure",
        ),
        (
            {"metric": "r2", "versus": "champion", "non_inferiority": 0.005},
            "r2 less than 0.005 worse than the champion's, 95 % sure",
        ),
        (
            {"metric": "mae", "subpopulations": ["job"], "max_drop": 1, "confidence": 0.99},
            "mae no worse than the champion's by more than 1 in any group of job, 99 % sure",
        ),
        ({"latency_p99_ms": 5}, "p99 latency of one row at most 5 ms"),
        (
            {"max_ratio": 2, "versus": "champion"},
            "p99 latency of one row at most 2 times the champion's",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_rule_says(rule: dict[str, object], title: str) -> None:
    """A rule says in a line what it asks for, and in sentences how that is told."""
    found = Rule.model_validate(rule)
    assert found.title == title
    assert found.explained.endswith(".")


FAULTS = [
    ('metrc = "f1"', ".metrc is not known: did you mean metric?"),
    ('metric = "roc_acu"\nat_least = 0.5', ".metric is 'roc_acu'.*did you mean roc_auc?"),
    ('metric = "f1"', " has neither versus = 'champion' nor at_least nor at_most"),
    ("at_least = 0.5", " has no metric, but at_least"),
    ('metric = "f1"\nversus = "champ"', ".versus is 'champ'.*did you mean champion?"),
    ('metric = "f1"\nversus = 0.85', ".versus is a number, which is written at_least or at_most"),
    (
        'metric = "f1"\nversus = "champion"\nat_least = 0.5',
        " is versus the champion, and has at_least: make it two rules",
    ),
    (
        'metric = "f1"\nversus = "champion"\nbetter_by = 0.1\nnon_inferiority = 0.1',
        " has better_by and non_inferiority",
    ),
    ('metric = "f1"\nbetter_by = 0.1', " has better_by, and not versus = 'champion'"),
    ('metric = "f1"\nat_least = 0.9\nat_most = 0.1', " has at_least 0.9 above at_most 0.1"),
    ('metric = "f1"\nat_least = 85', " has at_least 85, and f1 is at most 1"),
    ('metric = "rmse"\nat_most = -1', " has at_most -1, and rmse is at least 0"),
    ('metric = "f1"\nversus = "champion"\nbetter_by = 1', " has better_by = 1, and f1 is from 0"),
    (
        'metric = "f1"\nversus = "champion"\nbetter_by = -0.1',
        ".better_by: input should be greater than or equal to 0",
    ),
    (
        'metric = "f1"\nversus = "champion"\nconfidence = 95',
        ".confidence: input should be less than 1",
    ),
    (
        'metric = "roc_auc"\nat_least = 0.5\nat_threshold = 0.3',
        " has at_threshold, and roc_auc is of no labels",
    ),
    (
        'metric = "f1_best_threshold"\nversus = "champion"',
        " compares f1_best_threshold, of which neither high nor low is better",
    ),
    ('metric = "headline"\nat_least = 0.5', " holds the headline to a number"),
    ('metric = "f1"\nat_least = 0.5\nwhere = "age >"', ".where 'age >' is no filter"),
    ('metric = "f1"\nmax_drop = 0.1\nat_least = 0.1', " has max_drop, and no subpopulations"),
    ('metric = "f1"\nsubpopulations = ["job"]', " is about subpopulations, and has no max_drop"),
    (
        'metric = "f1"\nsubpopulations = ["job"]\nmax_drop = 0.1\nat_least = 0.5',
        " is about subpopulations, and has at_least",
    ),
    ('metric = "f1"\nsubpopulations = []\nmax_drop = 0.1', ".subpopulations names no column"),
    (
        'metric = "f1"\nsubpopulations = ["a", "a"]\nmax_drop = 0.1',
        ".subpopulations names 'a' twice",
    ),
    ('latency_p99_ms = 5\nmetric = "f1"', " is about latency, and has metric"),
    ("latency_p99_ms = 5\nmax_ratio = 2", " has max_ratio, and not versus = 'champion'"),
    ('latency_p99_ms = 5\nversus = "champion"', " is versus the champion, and has no max_ratio"),
]


@pytest.mark.parametrize(("rule", "fault"), FAULTS, ids=[fault for _, fault in FAULTS])
def test_a_rule_that_cannot_be(file: Path, rule: str, fault: str) -> None:
    """A rule that asks for nothing, or for what cannot be, is refused with its key."""
    file.write_text(f"[gates.x]\n[[gates.x.rule]]\n{rule}\n")
    with pytest.raises(InvalidGate) as caught:
        read(file)
    assert re.search(rf"^{file}: gates\.x\.rule\[1\]{fault}", caught.value.message)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("gate", "fault"),
    [
        ('require = ["parit"]', ".require has 'parit'.*did you mean parity?"),
        ("", " asks for nothing"),
        ('require = ["parity"]\nallow = ["aded-column x"]', ".allow has.*did you mean added-col"),
        ('require = ["parity"]\nallow = ["added-column"]', ".allow has 'added-column' without a n"),
        ('requires = ["parity"]', ".requires is not known: did you mean require?"),
        ('name = "y"\nrequire = ["parity"]', ".name is not known"),
        ("rule = 3", ".rule: input should be a valid list"),
    ],
)
def test_a_gate_that_cannot_be(file: Path, gate: str, fault: str) -> None:
    """So is a gate, each fault with its key and the nearest name there is."""
    file.write_text(f"[gates.x]\n{gate}\n")
    with pytest.raises(InvalidGate, match=rf": gates\.x{fault}"):
        read(file)


def test_every_fault_at_once(file: Path) -> None:
    """The faults of gates and of settings are told together."""
    file.write_text('[serve]\nprot = 1\n[gates.a]\nrequire = ["x"]\n[gates.b]\nrule = [{}]\n')
    with pytest.raises(SettingsError) as caught:
        settings.read(file, {})
    faults = caught.value.message.split("; ")
    assert [re.sub(r"^.*?: ", "", fault).split(" ")[0] for fault in faults] == [
        "serve.prot",
        "gates.a.require",
        "gates.b.rule[1]",
    ]


def test_which_gate_is_meant(tmp_path: Path) -> None:
    """A gate is asked for by its name, or by its file, or by both; the default is built in."""
    strict = Gate(name="strict", require=(Requirement.REPORT,))
    assert chosen(None, {}) == BUILT_IN
    assert chosen("strict", {"strict": strict}) == strict
    own = Gate(name=DEFAULT, require=(Requirement.REPORT,))
    assert chosen(None, {DEFAULT: own}) == own
    one, several = tmp_path / "weekly.toml", tmp_path / "several.toml"
    one.write_text('require = ["parity"]\n')
    assert chosen(str(one), {}) == Gate(name="weekly", require=(Requirement.PARITY,))
    several.write_text('[gates.a]\nrequire = ["parity"]\n[gates.b]\nrequire = ["report"]\n')
    assert chosen(f"{several}:b", {}).require == (Requirement.REPORT,)
    with pytest.raises(InvalidGate, match="declares a, b, and which is meant is not said"):
        chosen(str(several), {})
    with pytest.raises(NotFound, match="declares no gate 'c'"):
        chosen(f"{several}:c", {})
    with pytest.raises(NotFound) as caught:
        chosen("strct", {"strict": strict})
    assert caught.value.hint == "did you mean --gate strict?"
    with pytest.raises(NotFound, match=r"there is no file none\.toml"):
        chosen("none.toml", {})


def test_the_built_in_gate_asks_for_better() -> None:
    """Nobody need declare a gate: the built-in one asks for a better headline, 95 % sure."""
    (rule,) = BUILT_IN.rule
    assert rule.title == "headline better than the champion's, 95 % sure"
    assert Requirement.REPORT not in BUILT_IN.require


def test_the_metrics_are_those_of_an_evaluation() -> None:
    """A gate may ask for every metric that an evaluation has, and for no other."""
    assert set(METRICS) == {name for names in EVALUATED.values() for name in names}
    assert {*OF_LABELS, *WITHOUT_DIRECTION} <= set(METRICS)
    assert [beta_of(name) for name in ("f1", "f0.5", "f01", "f0", "f1_macro")] == [
        1,
        0.5,
        None,
        None,
        None,
    ]
    assert limits("mcc") == (-1, 1)


def test_what_is_allowed() -> None:
    """A change of the schema is allowed by its kind and name, or all of a kind by a star."""
    gate = Gate(name="x", require=tuple(Requirement), allow=("added-column a b", "added-class *"))
    assert gate.allows(ChangeKind.ADDED_COLUMN, "a b")
    assert not gate.allows(ChangeKind.ADDED_COLUMN, "a")
    assert gate.allows(ChangeKind.ADDED_CLASS, "anything")


def test_keys_parted_by_semicolons(file: Path) -> None:
    """What is written in one line with semicolons is no TOML, and the hint says what to do."""
    file.write_text('[gates.x]\nrequire = ["a;b"]; allow = []\n')
    for reads in (read, lambda path: settings.read(path, {})):
        with pytest.raises((InvalidGate, SettingsError)) as caught:
            reads(file)
        assert caught.value.hint == "give each key a line of its own: TOML knows no ';'"
    file.write_text("[gates.x\n# a; b\n")
    with pytest.raises(InvalidGate) as other:
        read(file)
    assert "gate.md" in other.value.hint


def test_the_page_shows_what_is_read(file: Path) -> None:
    """What docs/how-to/gate.md declares is read as it stands, and it names every key."""
    text = (Path(__file__).parents[2] / "docs" / "how-to" / "gate.md").read_text()
    declared, allow = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert declared.strip() in DECLARED.replace(
        "          # any metric of an evaluation", ""
    ).replace("\n[[", "\n\n[[")
    file.write_text(declared.replace("[[", f"{allow}[[", 1))
    (gate,) = read(file).values()
    assert gate.allow
    for key in (*Rule.model_fields, *Requirement, *ChangeKind):
        assert f"`{key}" in text, key
