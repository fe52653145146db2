"""Whole packages: what a person reads of them, and what must not be in them."""

from __future__ import annotations

import io
import json
import re
import shlex
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import yaml
from tests.package.conftest import Iris

from brinery.package import composing, writer
from brinery.package.runtime import verify
from brinery.records.package import Target
from brinery.records.signature import Column, ColumnType, Signature

GOLDEN = Path(__file__).parents[1] / "golden"
# Its layer holds what it needs, of which one file is enough here.
LAYER = {"numpy/__init__.py": b"", "msgspec/__init__.py": b""}


# The same for every target; they are read in the package of one.
COMMON = ("examples/", "openapi.json", "requirements.txt", "sbom.cdx.json")


def text_of(files: Mapping[str, bytes], target: Target, *, module: str) -> str:
    """Return what a person reads of a package: all but code of Brinery's own, and digests."""
    left_out = (f"{module}/", verify.DIGESTS, "verify.py", verify.ROWS)
    parts = []
    for path, data in sorted(files.items()):
        if path.startswith(left_out if target is Target.GCF else (*left_out, *COMMON)):
            continue
        if path.endswith((".whl", ".zip")):
            with zipfile.ZipFile(io.BytesIO(data)) as packed:
                names = [n for n in packed.namelist() if not n.startswith(f"{module}/_vendor/")]
            shown = "".join(f"{name}\n" for name in names)
        else:
            shown = data.decode()
        parts.append(f"=== {path}\n{shown}")
    return re.sub(r"manylinux_2_\d+_x86_64", "PLATFORM", "".join(parts))


@pytest.mark.parametrize("target", Target)
def test_what_a_package_says(iris: Iris, target: Target) -> None:
    """Everything that a person reads of a package is what was agreed on, in its golden file."""
    contents = replace(iris.contents, compiled="manylinux_2_29_x86_64", layer=LAYER)
    files, _ = composing.render(contents, target)
    golden = GOLDEN / f"package-{target}.txt"
    assert text_of(files, target, module="iris_model") == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("target", Target)
def test_a_package_is_the_same_every_time(iris: Iris, target: Target) -> None:
    """The same version gives the same bytes, and so the same digest."""
    one, other = iris.files(target), iris.files(target)
    assert writer.archive(one) == writer.archive(other)
    assert composing.digest(one) == composing.digest(other)


@pytest.mark.parametrize("target", Target)
def test_nothing_private_travels(iris: Iris, target: Target, tmp_path: Path) -> None:
    """No path of this machine, no user's name and no row of the data is in a package."""
    files = dict(iris.files(target))
    for path in [path for path in files if path.endswith((".whl", ".zip"))]:
        with zipfile.ZipFile(io.BytesIO(files.pop(path))) as packed:
            files |= {f"{path}/{name}": packed.read(name) for name in packed.namelist()}
    rows = [json.dumps(list(map(float, row)))[1:-1] for row in iris.frame.to_numpy()[::7]]
    private = [str(Path.home()), str(Path(__file__).parents[2]), str(tmp_path.parent)]
    for path, data in files.items():
        if path == verify.ROWS:
            continue  # here the fixture's proof is of rows of the data
        text = data.decode(errors="replace")
        assert [word for word in (*private, *rows) if word in text] == [], path


@pytest.mark.parametrize("target", Target)
def test_every_file_has_its_digest(iris: Iris, target: Target, tmp_path: Path) -> None:
    """A package that is written is sound, and one whose bytes were altered is not."""
    files = iris.files(target)
    writer.fill(tmp_path, files)
    assert verify.sound(tmp_path) == composing.digest(files)
    (tmp_path / "README.md").write_text("another")
    (tmp_path / "added.py").write_text("")
    (tmp_path / "openapi.json").unlink()
    assert verify.altered(tmp_path) == [
        "README.md: its bytes differ",
        "added.py: it was added",
        "openapi.json: it is missing",
    ]


def test_what_was_not_run_says_so(iris: Iris) -> None:
    """A package that was made with --no-verify says in its own README that it was never run."""
    contents = replace(iris.contents, unproven="It was made with `--no-verify`.")
    readme = composing.render(contents, Target.GCF)[0]["README.md"].decode()
    assert "**Nothing: this package was never run.** It was made with `--no-verify`." in readme
    assert "was never run" not in iris.files(Target.GCF)["README.md"].decode()


def test_the_bill_of_materials_names_what_is_needed(iris: Iris) -> None:
    """The model is there with its digest, and each distribution by its purl."""
    told = json.loads(iris.files(Target.GCF)["sbom.cdx.json"])
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.6")
    model, *libraries = told["components"]
    assert model["hashes"] == [{"alg": "SHA-256", "content": "a" * 64}]
    assert [one["purl"] for one in libraries] == [
        "pkg:pypi/msgspec@0.20.0",
        "pkg:pypi/numpy@2.3.0",
    ]
    assert set(told["dependencies"][0]["dependsOn"]) == {
        one["bom-ref"] for one in told["components"]
    }


def test_a_hostile_column_stays_text(iris: Iris) -> None:
    """A column called like a command is an argument wherever a package shows a shell."""
    name = "it's `x` $(touch owned)"
    takes = Signature(columns=(Column(name=name, type=ColumnType.NUMBER),), example={name: 1.0})
    facts = msgspec.structs.replace(iris.contents.facts, signature=takes, aliases={})
    files, _ = composing.render(replace(iris.contents, facts=facts), Target.GCF)
    shown = files["README.md"].decode().partition("\ncurl ")[2].partition("\n")[0]
    for text in (shown, files["examples/predict.sh"].decode()):
        words = shlex.split(text, comments=True)
        assert json.loads(words[words.index("--data") + 1]) == {name: 1.0}


@pytest.mark.parametrize("target", Target)
def test_its_yaml_and_json_are_sound(iris: Iris, target: Target) -> None:
    """Every document of a package can be read."""
    for path, data in iris.files(target).items():
        if path.endswith((".yaml", ".yml")):
            assert isinstance(yaml.safe_load(data), dict), path
        elif path.endswith(".json"):
            json.loads(data)
