"""What every registry does; run against the fake and against MLflow."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from itertools import count
from pathlib import Path

import msgspec
import pytest

from brinery.errors import NotFound, NotServable
from brinery.pickles.digest import digest
from brinery.records.artifact import Artifact
from brinery.records.description import Description, Unscored
from brinery.records.evaluation import Evaluation, PredictionType
from brinery.records.signature import Column, ColumnType, Signature
from brinery.records.version import (
    Alias,
    Candidate,
    CodeVersion,
    DataFingerprint,
    Environment,
    Origin,
    Parity,
    Stage,
    Version,
)
from brinery.registry.interface import SAMPLE_FILE, Registry, askable, resolve
from brinery.registry.memory import MemoryRegistry
from brinery.registry.mlflow import MlflowRegistry
from brinery.specs import places
from brinery.specs.reference import Reference

MODEL = b"a model"
PARITY = Parity(rows=3, max_difference=0.0)
_NUMBERS = count(1)


def candidate(name: str, sha256: str = "a" * 64) -> Candidate:
    """Return a candidate with something in every field."""
    return Candidate(
        name=name,
        origin=Origin(
            file="model.pkl",
            sha256=sha256,
            size_bytes=7,
            written_with={"scikit-learn": ("1.9.1",)},
        ),
        description=Description(
            framework="scikit-learn",
            framework_version="1.9.1",
            outline="Pipeline(StandardScaler → LogisticRegression)",
            type=PredictionType.BINARY,
            classes=("no", "yes"),
            gives_probabilities=True,
        ),
        signature=Signature(
            columns=(
                Column(name="age", type=ColumnType.INTEGER, nullable=True),
                Column(name="job", type=ColumnType.STRING, categories=("a", "b")),
                Column(name="day", type=ColumnType.DATETIME, required=False),
            ),
            example={"age": 30, "job": "a", "day": None},
        ),
        evaluation=Evaluation(
            type=PredictionType.BINARY, rows=3, metrics={"accuracy": 0.5}, classes=("no", "yes")
        ),
        environment=Environment(
            python="3.11.7", platform="linux-x86_64", packages={"numpy": "2.4.6"}
        ),
        data=DataFingerprint(
            name="test.csv", rows=3, columns=("age", "job", "day", "y"), sha256="b" * 64, target="y"
        ),
        code=CodeVersion(commit="c" * 40, dirty=True),
        artifact=Artifact(
            flavor="scikit-learn",
            format="pickle",
            file="model.pkl",
            sha256=hashlib.sha256(MODEL).hexdigest(),
        ),
    )


@pytest.fixture(
    scope="module",
    params=["memory", "mlflow", pytest.param("postgres-s3", marks=pytest.mark.slow)],
)
def registry(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """Each implementation; a test uses a model name of its own."""
    folder = tmp_path_factory.mktemp("registry")
    if request.param == "memory":
        return MemoryRegistry(folder)
    if request.param == "postgres-s3":
        uri = places.database(request.getfixturevalue("postgres").database())
        bucket = request.getfixturevalue("buckets").bucket()
        return MlflowRegistry(uri, bucket, cache=folder / "cache")
    return MlflowRegistry(f"sqlite:///{folder / 'mlflow.db'}", folder / "artifacts")


@pytest.fixture
def name() -> str:
    """A model name that no other test uses."""
    return f"model-{next(_NUMBERS)}"


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    """A file to register: a registry never looks inside."""
    path = tmp_path / "model.pkl"
    path.write_bytes(MODEL)
    return path


Register = Callable[..., Version]


@pytest.fixture
def register(registry: Registry, name: str, model_file: Path) -> Register:
    """Registers a version of the test's model."""

    def register(sha256: str = "a" * 64) -> Version:
        return registry.commit(registry.stage(candidate(name, sha256), model_file), PARITY)

    return register


def test_open_is_harmless(registry: Registry) -> None:
    """A registry may be opened more than once."""
    registry.open()
    registry.open()


def test_staged_is_unseen(registry: Registry, name: str, model_file: Path) -> None:
    """A staged model has no version and no name that anyone sees."""
    registry.stage(candidate(name), model_file)
    assert registry.versions(name) == []
    assert name not in registry.names()
    assert registry.find(name, "a" * 64) is None


def test_staged_file_is_a_copy(registry: Registry, name: str, model_file: Path) -> None:
    """The staged file holds the bytes that were given, elsewhere."""
    staged = registry.stage(candidate(name), model_file)
    assert staged.model_file.read_bytes() == MODEL
    assert staged.model_file != model_file


def test_what_cannot_be_asked(registry: Registry, name: str, model_file: Path) -> None:
    """A version without data and parity is kept as any other; who asks it is told why not."""
    whole = candidate(name)
    made = msgspec.structs.replace(
        whole,
        description=msgspec.structs.replace(
            whole.description,
            type=PredictionType.OTHER,
            classes=(),
            unscored=Unscored("it holds tensors", "save the whole network"),
        ),
        signature=Signature(columns=(), example={}),
        evaluation=None,
        data=None,
    )
    version = registry.commit(registry.stage(made, model_file), None)
    (read,) = registry.versions(name)
    assert read == version
    assert (read.candidate, read.parity) == (made, None)
    with pytest.raises(NotServable, match=f"{name}@1 cannot .* because it holds tensors") as caught:
        askable(read)
    assert caught.value.hint == "save the whole network"


def test_commit_keeps_everything(registry: Registry, name: str, register: Register) -> None:
    """A version gives back the whole candidate and the parity, as they were recorded."""
    made = register()
    (read,) = registry.versions(name)
    assert read == made
    assert read.candidate == candidate(name)
    assert read.parity == PARITY
    assert (read.number, read.aliases, read.stage) == (1, (), Stage.NONE)
    assert read.created.tzinfo is not None


def test_versions_newest_first(registry: Registry, name: str, register: Register) -> None:
    """Versions count from 1 and are listed from the newest."""
    for letter in "abc":
        register(letter * 64)
    assert [version.number for version in registry.versions(name)] == [3, 2, 1]
    assert name in registry.names()


def test_the_outline_has_every_version(registry: Registry, name: str, register: Register) -> None:
    """Numbers and aliases are told without the rest, and nothing of a model that is not there."""
    assert registry.outline(name) == {}
    register("a" * 64)
    register("b" * 64)
    registry.set_alias(name, 1, alias=Alias.CHAMPION)
    registry.set_alias(name, 1, alias=Alias.CHALLENGER)
    assert registry.outline(name) == {1: ("challenger", "champion"), 2: ()}


def test_imports_are_no_runs(registry: Registry, name: str, register: Register) -> None:
    """The run of an import is its version's, and not one of the model's other runs."""
    assert registry.runs(name) == []
    register("a" * 64)
    assert registry.runs(name) == []


def test_rows_with_answers_are_kept(
    registry: Registry, name: str, model_file: Path, register: Register, tmp_path: Path
) -> None:
    """What is stored as a version's sample is given back; another version has none."""
    sample = tmp_path / SAMPLE_FILE
    sample.write_bytes(b"rows")
    staged = registry.stage(candidate(name), model_file)
    kept = registry.kept_file(registry.commit(staged, PARITY, sample=sample), SAMPLE_FILE)
    assert kept is not None
    assert kept.read_bytes() == b"rows"
    assert registry.kept_file(register(), SAMPLE_FILE) is None


def test_what_is_put_beside_a_version(
    registry: Registry, register: Register, tmp_path: Path
) -> None:
    """Files are kept beside a version under their names, sorted; they are no part of the model."""
    first, second = register(), register()
    assert registry.beside(first) == []
    for text in ("b.json", "a.json"):
        file = tmp_path / text
        file.write_text(text)
        registry.put_beside(first, file)
    assert registry.beside(first) == ["a.json", "b.json"]
    assert registry.beside(second) == []
    found = registry.file_beside(first, "b.json")
    assert found is not None
    assert found.read_text() == "b.json"
    assert registry.file_beside(first, "c.json") is None
    model = registry.model_file(first)
    assert "b.json" not in {path.name for path in model.parent.iterdir()}


def test_find_by_digest(registry: Registry, name: str, register: Register) -> None:
    """A version is found by the digest of the file it came from; the newest where there are two."""
    register("a" * 64)
    register("b" * 64)
    register("a" * 64)
    found = registry.find(name, "a" * 64)
    assert found is not None
    assert found.number == 3
    assert registry.find(name, "d" * 64) is None


def test_discard_leaves_nothing(registry: Registry, name: str, model_file: Path) -> None:
    """A discarded model's file is gone, and its name was never taken."""
    staged = registry.stage(candidate(name), model_file)
    registry.discard(staged)
    assert not staged.model_file.exists()
    assert registry.versions(name) == []


def test_sweep_removes_abandoned(
    registry: Registry, name: str, model_file: Path, register: Register
) -> None:
    """A sweep removes what was staged and never committed, and nothing else."""
    kept = register()
    abandoned = registry.stage(candidate(name), model_file)
    assert registry.sweep(name) == 1
    assert not abandoned.model_file.exists()
    assert registry.versions(name) == [kept]
    assert registry.sweep(name) == 0
    assert registry.sweep("no-such-model") == 0


def test_alias_moves(registry: Registry, name: str, register: Register) -> None:
    """An alias belongs to one version at a time, and its stage goes with it."""
    register("a" * 64)
    register("b" * 64)
    registry.set_alias(name, 1, alias=Alias.CHAMPION)
    registry.set_alias(name, 2, alias=Alias.CHALLENGER)
    two, one = registry.versions(name)
    assert (one.aliases, one.stage) == (("champion",), Stage.PRODUCTION)
    assert (two.aliases, two.stage) == (("challenger",), Stage.STAGING)
    registry.set_alias(name, 2, alias=Alias.CHAMPION)
    two, one = registry.versions(name)
    assert (one.aliases, one.stage) == ((), Stage.ARCHIVED)
    assert (two.aliases, two.stage) == (("challenger", "champion"), Stage.PRODUCTION)


def test_a_former_champion_stays_archived(
    registry: Registry, name: str, register: Register
) -> None:
    """With the alias `previous` and without it; another alias gives it another stage."""
    for letter in "ab":
        register(letter * 64)
    registry.set_alias(name, 1, alias=Alias.CHAMPION)
    registry.set_alias(name, 2, alias=Alias.CHAMPION)
    registry.set_alias(name, 1, alias=Alias.PREVIOUS)
    two, one = registry.versions(name)
    assert (one.aliases, one.stage) == (("previous",), Stage.ARCHIVED)
    registry.drop_alias(name, alias=Alias.PREVIOUS)
    registry.restage(name)
    two, one = registry.versions(name)
    assert (one.aliases, one.stage, two.stage) == ((), Stage.ARCHIVED, Stage.PRODUCTION)
    registry.set_alias(name, 1, alias=Alias.CHALLENGER)
    assert registry.versions(name)[1].stage is Stage.STAGING


def test_an_alias_that_none_has_is_dropped(
    registry: Registry, name: str, register: Register
) -> None:
    """Taking away what is not there changes nothing."""
    made = register()
    registry.drop_alias(name, alias=Alias.PREVIOUS)
    assert registry.versions(name) == [made]


def test_model_file_is_given_back(registry: Registry, register: Register) -> None:
    """A version gives back the bytes of its model."""
    assert registry.model_file(register()).read_bytes() == MODEL


def test_a_folder_is_given_back(registry: Registry, name: str, tmp_path: Path) -> None:
    """A model that is a folder comes back whole, under the name that was recorded."""
    folder = tmp_path / "as-it-was-called"
    (folder / "artifacts").mkdir(parents=True)
    (folder / "artifacts" / "weights.bin").write_bytes(b"weights")
    of_folder = _kept_as(candidate(name), "model", form="folder", sha256=digest(folder))
    staged = registry.stage(of_folder, folder)
    stored = registry.model_file(registry.commit(staged, PARITY))
    assert stored == staged.model_file
    assert stored.name == "model"
    assert [path.name for path in stored.rglob("*.bin")] == ["weights.bin"]
    assert (stored / "artifacts" / "weights.bin").read_bytes() == b"weights"


def test_code_is_given_back(registry: Registry, name: str, tmp_path: Path) -> None:
    """The user's own modules come back as the folder they were given in; without any, none."""
    model, code = tmp_path / "model.pkl", tmp_path / "src"
    model.write_bytes(MODEL)
    (code / "churn").mkdir(parents=True)
    (code / "churn" / "__init__.py").write_text("RATE = 1\n", encoding="utf-8")
    with_code = _kept_as(candidate(name), "model.pkl", code=code)
    staged = registry.stage(with_code, model, code=code)
    assert staged.code_folder is not None
    found = registry.code_folder(registry.commit(staged, PARITY))
    assert found == staged.code_folder
    assert (found / "churn" / "__init__.py").read_text(encoding="utf-8") == "RATE = 1\n"
    without = registry.stage(candidate(name), model)
    assert without.code_folder is None
    assert registry.code_folder(registry.commit(without, PARITY)) is None


@pytest.mark.parametrize("text", ["models:/{name}/1", "models:/{name}@champion"])
def test_fetch_copies_a_version(
    registry: Registry, name: str, register: Register, tmp_path: Path, text: str
) -> None:
    """A `models:/` URI gives a copy of the version's folder, with its model in it."""
    version = register()
    registry.set_alias(name, version.number, alias=Alias.CHAMPION)
    into = tmp_path / "into"
    into.mkdir()
    found = registry.fetch(text.format(name=name), into)
    assert found.is_relative_to(into)
    assert (found / "model.pkl").read_bytes() == MODEL
    assert registry.model_file(version).exists()


@pytest.mark.parametrize(
    "uri", ["models:/nothing-of-it/9", "models:/nothing-of-it@nobody", "runs:/{zeros}/m"]
)
def test_fetch_of_nothing(
    registry: Registry, name: str, register: Register, tmp_path: Path, uri: str
) -> None:
    """A URI that means nothing here is said to be absent, with the way to ask elsewhere."""
    register()
    with pytest.raises(NotFound) as raised:
        registry.fetch(uri.format(name=name, zeros="0" * 32), tmp_path)
    assert "--tracking-uri" in raised.value.hint


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        ("/9", "{name} has no version 9 in ", "its versions: 1, 2; models:/{name}/2"),
        ("/Archived", "{name} has no version in the stage Archived in ", "versions: 1, 2; models:"),
        ("/archived", "{name} has no version in the stage Archived in ", "versions: 1, 2; models:"),
        ("/x1", "{name} has no version x1 in ", "versions: 1, 2; models:"),
        ("@nobody", "{name} has no alias 'nobody' in ", "it has challenger, champion; its ver"),
        ("@champoin", "{name} has no alias 'champoin' in ", "models:/{name}@champion"),
    ],
)
def test_fetch_of_what_a_model_lacks(
    registry: Registry,
    name: str,
    register: Register,
    tmp_path: Path,
    *,
    asked: str,
    message: str,
    hint: str,
) -> None:
    """A version or alias that a model lacks is told apart from a model that is not there."""
    register("a" * 64)
    register("b" * 64)
    registry.set_alias(name, 1, alias=Alias.CHAMPION)
    registry.set_alias(name, 2, alias=Alias.CHALLENGER)
    with pytest.raises(NotFound) as raised:
        registry.fetch(f"models:/{name}{asked}", tmp_path)
    assert raised.value.message.startswith(message.format(name=name))
    assert hint.format(name=name) in raised.value.hint


def test_fetch_of_an_alias_where_there_is_none(
    registry: Registry, name: str, register: Register, tmp_path: Path
) -> None:
    """A model without an alias is said to have none, with the version to ask for."""
    register()
    with pytest.raises(NotFound) as raised:
        registry.fetch(f"models:/{name}@nobody", tmp_path)
    assert raised.value.hint == f"it has none; its version: 1; models:/{name}/1"


def test_fetch_names_the_nearest_model(
    registry: Registry, name: str, register: Register, tmp_path: Path
) -> None:
    """A model that is not there is met with the nearest name."""
    register()
    with pytest.raises(NotFound) as raised:
        registry.fetch(f"models:/{name}x/1", tmp_path)
    assert "did you mean models:/model-" in raised.value.hint


def _kept_as(
    of: Candidate,
    file: str,
    *,
    form: str = "pickle",
    sha256: str = "",
    code: Path | None = None,
) -> Candidate:
    """Return a candidate whose model is stored otherwise."""
    artifact = msgspec.structs.replace(
        of.artifact,
        file=file,
        format=form,
        sha256=sha256 or of.artifact.sha256,
        code=code is not None,
        code_sha256=digest(code) if code else "",
    )
    return msgspec.structs.replace(of, artifact=artifact)


def test_model_file_of_a_stranger(registry: Registry, name: str, register: Register) -> None:
    """A version that Brinery did not import gives no file."""
    version = register()
    stranger = Version(
        name=name, number=99, aliases=(), created=version.created, run_id=None, candidate=None
    )
    with pytest.raises(NotServable):
        registry.model_file(stranger)
    with pytest.raises(NotServable):
        registry.code_folder(stranger)


@pytest.mark.parametrize(
    ("text", "number"),
    [("", 1), ("@1", 1), ("@2", 2), ("@champion", 1), ("@Production", 1), ("@latest", 2)],
)
def test_resolve(registry: Registry, name: str, register: Register, text: str, number: int) -> None:
    """A name, a version, an alias and a stage each mean one version."""
    register("a" * 64)
    register("b" * 64)
    registry.set_alias(name, 1, alias=Alias.CHAMPION)
    assert resolve(registry, Reference.parse(f"{name}{text}")).number == number


def test_resolve_without_champion(registry: Registry, name: str, register: Register) -> None:
    """A name alone means the newest version where there is no champion."""
    register("a" * 64)
    register("b" * 64)
    assert resolve(registry, Reference(name)).number == 2


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("@9", "it has 1: brinery model show "),
        ("@champion", "brinery promote"),
        ("@blue", "brinery model show"),
    ],
)
def test_resolve_names_what_there_is(
    registry: Registry, name: str, register: Register, text: str, hint: str
) -> None:
    """A version or alias that is not there is met with what is, or the next command."""
    register()
    with pytest.raises(NotFound) as raised:
        resolve(registry, Reference.parse(f"{name}{text}"))
    assert hint in raised.value.hint


def test_resolve_names_the_nearest_model(registry: Registry, name: str, register: Register) -> None:
    """A model that is not there is met with the nearest name."""
    register()
    with pytest.raises(NotFound) as raised:
        resolve(registry, Reference(f"{name}x"))
    assert "did you mean model-" in raised.value.hint


def test_a_version_is_found_by_the_id_that_a_user_chose(
    registry: Registry, register: Register
) -> None:
    """A free id is no alias, moves to the version that it is given to, and can be taken away."""
    one, other = (register(digit * 64) for digit in "12")
    registry.set_id(one.name, one.number, version_id="v01")
    registry.set_id(other.name, other.number, version_id="2026_11_22T10.00")
    found = resolve(registry, Reference.parse(f"{one.name}@v01"))
    assert (found.number, found.ids, found.aliases) == (one.number, ("v01",), ())
    assert registry.outline(one.name)[one.number] == ()
    dated = resolve(registry, Reference.parse(f"{one.name}@2026_11_22T10.00"))
    assert dated.number == other.number
    registry.set_id(other.name, other.number, version_id="v01")
    assert resolve(registry, Reference.parse(f"{one.name}@v01")).number == other.number
    registry.drop_id(one.name, version_id="v01")
    with pytest.raises(NotFound, match="no alias 'v01'"):
        resolve(registry, Reference.parse(f"{one.name}@v01"))


def test_a_version_that_is_deleted_leaves_its_number_to_nobody(
    registry: Registry, register: Register
) -> None:
    """What is deleted is found no more, and the next version has another number."""
    one, other = (register(digit * 64) for digit in "12")
    registry.delete(one.name, other.number)
    assert [version.number for version in registry.versions(one.name)] == [one.number]
    again = register("3" * 64)
    assert again.number > other.number


def test_versions_are_listed_without_what_is_recorded(
    registry: Registry, name: str, register: Register
) -> None:
    """Name, number, aliases and age of each are told, newest first; one is read alone."""
    first, second = register(name), register(name)
    registry.set_alias(name, 1, alias=Alias.CHAMPION)
    listed = registry.entries(name)
    assert [one.reference for one in listed] == [second.reference, first.reference]
    assert [one.aliases for one in listed] == [(), ("champion",)]
    assert [one.created for one in listed] == [second.created, first.created]
    assert all(one.imported for one in listed)
    assert {one.reference for one in registry.entries()} >= {first.reference, second.reference}
    assert registry.some([(name, 2)]) == registry.versions(name)[:1]
    assert registry.some([(name, 1), (name, 2), ("nobody", 1)]) == registry.versions(name)
    assert registry.some([(name, 3)]) == []
    assert registry.entries("nobody") == []
