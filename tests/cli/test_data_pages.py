"""The pages on datasets and on the flow: what they show runs, and does what they say."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import BRINERY

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "how-to"


def typed(page: str, folder: Path) -> list[str]:
    """Type what a page shows into a folder: its scripts as files, its commands one by one.

    Returns what each command printed.
    """
    text = (PAGES / page).read_text(encoding="utf-8")
    (folder / "examples" / "bank").mkdir(parents=True)
    shutil.copy(ROOT / "examples" / "bank" / "bank.csv", folder / "examples" / "bank")
    (folder / "brinery.toml").write_text("")
    for name, script in re.findall(r"```python\n# (\w+\.py)\n(.*?)```", text, re.DOTALL):
        (folder / name).write_text(script)
    environment = {"PATH": f"{BRINERY.parent}:/usr/bin:/bin", "HOME": str(folder / "home")}
    printed = []
    for block in re.findall(r"```shell\n(.*?)```", text, re.DOTALL):
        for line in block.strip().splitlines():
            done = subprocess.run(
                ["bash", "-ec", line],
                cwd=folder,
                capture_output=True,
                text=True,
                env=environment,
                check=False,
            )
            assert done.returncode == 0, (line, done.stderr)
            printed.append(done.stdout)
    return printed


@pytest.mark.slow
def test_the_page_on_datasets_runs(tmp_path: Path) -> None:
    """Each of its commands succeeds as it stands, and its Python reads what they made."""
    printed = "".join(typed("datasets.md", tmp_path))
    assert "4,521 rows, 17 columns" in printed
    assert '"fr"' in printed
    text = (PAGES / "datasets.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    checked = f"{block}\nassert frame.shape == (100, 2)\nassert table.num_rows == 4521\n"
    done = subprocess.run(
        [sys.executable, "-c", checked], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_page_on_the_flow_shows_what_runs(tmp_path: Path) -> None:
    """The flow is as it is shown, and so is what is told of a line that changed."""
    printed = "".join(typed("flow.md", tmp_path))
    text = (PAGES / "flow.md").read_text(encoding="utf-8")
    drawn, told = re.findall(r"```\n([✓!] bank.*?)\n```", text, re.DOTALL)
    for line in drawn.splitlines():
        assert line in printed
    script = tmp_path / "prepare.py"
    script.write_text(script.read_text().replace("> 40", "> 50"))
    done = subprocess.run(
        [BRINERY, "flow"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    said = told.partition("code: ")[2]
    assert said in done.stdout
