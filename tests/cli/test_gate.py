"""`brinery gate`: what is printed, and the exit status."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

STRICT = """
[gates.strict]
require = ["parity"]
[[gates.strict.rule]]
metric = "roc_auc"
at_least = 0.999
[[gates.strict.rule]]
metric = "recall"
at_threshold = 0.2
where = 'job == "student"'
at_least = 0.5
"""


@pytest.fixture(scope="module")
def workspace(bank_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace of bank@1 with a gate of its own; decisions are kept in this copy."""
    folder = tmp_path_factory.mktemp("gate") / "workspace"
    shutil.copytree(bank_workspace, folder)
    (folder / "brinery.toml").write_text(STRICT)
    return folder


def test_show_explains_every_rule(brinery_command: Any, workspace: Path) -> None:
    """Every rule is told in words; the built-in gate says that it is; programs get JSON."""
    built_in = brinery_command("gate", "show", cwd=workspace)
    assert built_in.status == 0
    assert "The gate default: built in" in built_in.out
    assert "headline better than the champion's, 95 % sure" in built_in.out
    assert "look 2 asks for 99.24" in built_in.out
    own = brinery_command("gate", "show", "strict", "--format", "json", cwd=workspace)
    found = json.loads(own.out)
    assert [each["asks"] for each in found["rules"]] == [
        "roc_auc at least 0.999",
        'recall at threshold 0.2 where job == "student" at least 0.5',
    ]
    assert not found["built_in"]


def test_show_of_a_file(brinery_command: Any, tmp_path: Path) -> None:
    """A gate in a file is shown without a workspace; what is wrong with it is told with its key."""
    file = tmp_path / "gate.toml"
    file.write_text(STRICT)
    shown = brinery_command("gate", "show", "--gate", file, "--format", "quiet", cwd=tmp_path)
    assert shown.out.splitlines()[:2] == ["parity", "roc_auc at least 0.999"]
    file.write_text(STRICT.replace("at_least", "atleast"))
    wrong = brinery_command("gate", "show", "--gate", f"{file}:strict", cwd=tmp_path)
    assert wrong.status == 2
    assert "gates.strict.rule[1].atleast is not known: did you mean at_least?" in wrong.err
    assert "Traceback" not in wrong.err


def test_check_judges_and_promotes_nothing(brinery_command: Any, workspace: Path) -> None:
    """A version that does not pass gives exit status 3 and the reasons, and stays where it was."""
    done = brinery_command(
        "gate", "check", "bank@1", "--gate", "strict", "--format", "json", cwd=workspace
    )
    decision = json.loads(done.out)
    assert done.status == 3
    assert decision["outcome"] == "fails"
    assert decision["rules"][0]["outcome"] == "passes"
    assert "is below 0.999" in decision["rules"][1]["why"]
    passed = brinery_command("gate", "check", "bank@1", cwd=workspace)
    assert passed.status == 0
    assert "it is the champion itself" in passed.out


def test_check_says_what_is_not_there(brinery_command: Any, workspace: Path) -> None:
    """A wrong name is an error with the nearest one."""
    done = brinery_command("gate", "check", "bank@1", "--gate", "strct", cwd=workspace)
    assert done.status == 2
    assert "there is no gate 'strct'" in done.err
    assert "did you mean --gate strict?" in done.err


def test_the_page_runs(workspace: Path, bank: Any) -> None:
    """The Python of docs/how-to/gate.md runs as it stands, of a version that is there."""
    text = (ROOT / "docs" / "how-to" / "gate.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    block = block.replace("bank@3", "bank@1").replace("test.csv", str(bank.test))
    done = subprocess.run(
        [sys.executable, "-c", f"import brinery\n{block}"],
        cwd=workspace,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "passes the gate default" in done.stdout
