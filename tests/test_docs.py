"""The documentation cannot lie: what it shows is what the code does and says."""

from __future__ import annotations

import difflib
import importlib.util
import re
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "benchmarks" / "README.md"})
GENERATED = ["cli.md", "settings.md", "errors.md", "api.md"]


@pytest.fixture(scope="module")
def generate() -> Any:
    """`docs/generate.py`, which is a script beside a script."""
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        yield _module(ROOT / "docs" / "generate.py")
    finally:
        sys.path.remove(str(ROOT / "docs"))


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", GENERATED)
def test_generated_pages_are_up_to_date(generate: Any, name: str) -> None:
    """Every generated page is what the code gives now."""
    _check(generate, name)


@pytest.mark.slow
def test_outputs_in_the_readme_are_up_to_date(generate: Any) -> None:
    """Every command in the README answers what stands there, now."""
    _check(generate, "README.md")


def _check(generate: Any, name: str) -> None:
    ((path, page),) = [(path, page) for path, page in generate.pages().items() if path.name == name]
    now, there = page(), path.read_text(encoding="utf-8")
    change = "\n".join(difflib.unified_diff(there.splitlines(), now.splitlines(), "there", "now"))
    assert now == there, f"run `make docs`:\n{change}"


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "docs/how-to/mlflow.md", "docs/how-to/dataiku.md"])
def test_python_blocks_run(page: str, bank: Any, bank_workspace: Path, tmp_path: Path) -> None:
    """Every Python block runs as it stands, in a folder with the examples."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert blocks
    examples = tmp_path / "examples" / "bank"
    examples.mkdir(parents=True)
    (examples / "model.pkl").write_bytes(bank.model.read_bytes())
    (examples / "test.csv").write_bytes(bank.test.read_bytes())
    place = tmp_path if "import_model" in text or "shims" in text else bank_workspace
    program = "\n".join(
        [
            "import pandas as pd",
            f"frame = pd.read_csv({str(bank.test)!r}, sep=';').drop(columns='y')",
            *blocks,
        ]
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=place, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_page_on_serving_shows_what_runs(bank: Any, served: str) -> None:
    """Its Python runs against a server, and its table of metrics is what that server counts."""
    text = (ROOT / "docs" / "how-to" / "serving.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    block = block.replace("http://127.0.0.1:8000", served)
    read = (
        f"import pandas as pd\nframe = pd.read_csv({str(bank.test)!r}, sep=';').drop(columns='y')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", read + block], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    with urllib.request.urlopen(f"{served}/metrics") as answer:
        counted = re.findall(r"^# TYPE (\w+)", answer.read().decode(), re.MULTILINE)
    shown = re.findall(r"^\| `(brinery_\w+)`", text, re.MULTILINE)
    assert sorted(shown) == sorted(name for name in counted if not name.endswith("_created"))


def test_the_tour_begins_with_what_makes_its_files() -> None:
    """The README says how the example's files are made before the first command that reads them."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    made = text.index("\npython examples/bank/train.py\n")
    assert made < text.index("examples/bank/model.pkl")
    assert (ROOT / "examples" / "bank" / "train.py").is_file()


def test_the_readme_speaks_of_the_sandbox_as_it_is() -> None:
    """What the README says is not done names the sandbox's own limits, not that there is none."""
    end = (ROOT / "README.md").read_text(encoding="utf-8").partition("## What it does not do")[2]
    assert "not confined yet" not in end
    assert "`require_sandbox = true`" in end


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every link to a file of the repository leads to one."""
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#\s]+)\)|(?:srcset|src)=\"([^\"]+)\"", text)
    targets = [target for pair in links for target in pair if target]
    broken = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert broken == []


def test_every_room_has_a_page() -> None:
    """Every room has a page of its own, and every page has a room."""
    source = ROOT / "src" / "brinery"
    rooms = {p.stem for p in source.iterdir() if p.suffix in ("", ".py") and p.stem[0] != "_"}
    rooms.discard("py")
    assert {page.stem for page in (ROOT / "docs" / "rooms").iterdir()} == rooms - {"py.typed"}


def test_make_targets_are_there() -> None:
    """The Makefile has every target that the documentation names."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for page in PAGES:
        for target in re.findall(r"`make (\w+)", page.read_text(encoding="utf-8")):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), (page, target)


def test_no_registry_address_and_no_path_of_a_machine() -> None:
    """No tracked file has the address of a package registry or a path of the machine it is on."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True, check=True
    )
    addresses = ["pypi" + ".org/simple", "registry.npmjs" + ".org", "files.pythonhosted" + ".org"]
    here = f"{ROOT}/"
    found = []
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.suffix in {".png", ".csv"} or not path.is_file():
            continue
        text = path.read_text(encoding="utf-8")
        if any(address in text for address in addresses) or here in text:
            found.append(name)
    assert found == []


def test_the_lock_has_every_dependency() -> None:
    """What pyproject.toml asks for is pinned, with hashes, and without addresses."""
    import tomllib  # noqa: PLC0415 - only here

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pinned = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    asked = project["dependencies"] + project["optional-dependencies"]["dev"]
    for requirement in asked:
        name = re.match(r"[A-Za-z0-9-]+", requirement)
        assert name is not None
        assert re.search(rf"^{name.group().lower()}==", pinned, re.MULTILINE), requirement
    assert "--hash=sha256:" in pinned
    assert "://" not in pinned
