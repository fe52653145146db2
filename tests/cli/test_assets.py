"""The commands about assets, through the page that shows them: its files and its commands run."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.conftest import BRINERY

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "assets.md"


def test_the_page_on_assets_runs_as_it_stands(tmp_path: Path) -> None:
    """Its files are written, its commands typed, and the job leaves what it is to leave."""
    blocks = re.findall(r"```(yaml|shell)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    for text in (text for kind, text in blocks if kind == "yaml"):
        name = text.partition("\n")[0].removeprefix("# ")
        (tmp_path / name).write_text(text)
    (commands,) = [text for kind, text in blocks if kind == "shell"]
    path = f"{BRINERY.parent}{os.pathsep}{os.defpath}"
    done = subprocess.run(
        ["bash", "-e", "-c", commands],
        cwd=tmp_path,
        env={"PATH": path, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "results" / "first" / "lines.txt").read_text().strip() == "2"
    assert done.stdout.splitlines()[-2:] == ["2", "count"]


def test_answers_have_the_form_that_is_asked_for(tmp_path: Path, brinery_command: Any) -> None:
    """Tab-separated, YAML, JSON, a table, names or nothing; a query that is none is an error."""
    (tmp_path / "x.csv").write_text("1\n")
    where = ["--workspace", str(tmp_path)]
    data = [*where, "data"]
    made = brinery_command(*data, "create", "-n", "x", "-p", str(tmp_path / "x.csv"), "-o", "none")
    assert (made.status, made.out) == (0, "")
    shown = [*data, "show", "x"]
    query = "{n:name,v:version,a:is_archived,t:tags}"
    assert brinery_command(*shown, "--query", query, "-o", "tsv").out == "x\t1\tfalse\t\n"
    assert (
        brinery_command(*shown, "--query", "[name,type]", "-o", "yaml").out == "- x\n- uri_file\n"
    )
    assert brinery_command(*shown, "--query", "version").out == '"1"\n'
    assert brinery_command(*data, "list", "--format", "quiet").out == "x\n"
    assert "uri_file" in brinery_command(*data, "list").out
    wrong = brinery_command(*shown, "--query", "a[")
    assert wrong.status == 2
    assert "is no JMESPath" in wrong.err
    lost = brinery_command(*data, "show")
    assert (lost.status, "a name is missing" in lost.err) == (2, True)
