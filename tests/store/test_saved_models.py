"""What is kept of saved models, and what an earlier Brinery left in files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from brinery.records.saved_model import SavedModel, SavedType, SavedVersion
from brinery.store.saved_models import SavedModels
from brinery.store.shared_documents import MemorySharedDocuments, StoredSharedDocuments

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MODEL = SavedModel(
    id="abcdefgh", name="clf", title="clf", project="P", type=SavedType.REGRESSION, created=NOON
)
VERSIONS = [SavedVersion(id=name, created=NOON, target="y") for name in ("v01", "v02")]


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """The folder that an earlier Brinery wrote, with a copy that waits."""
    folder = tmp_path / "saved_models"
    versions = folder / MODEL.id / "versions"
    versions.mkdir(parents=True)
    (folder / MODEL.id / "model.json").write_bytes(msgspec.json.encode(MODEL))
    for version in VERSIONS:
        (versions / f"{version.id}.json").write_bytes(msgspec.json.encode(version))
    (folder / MODEL.id / "waiting" / "v02").mkdir(parents=True)
    return folder


def test_what_lay_in_files_is_taken_over(written: Path, tmp_path: Path) -> None:
    """Models and versions are found as they were, in any workspace; what waits still does."""
    documents = StoredSharedDocuments(f"sqlite:///{tmp_path / 'brinery.db'}")
    here = SavedModels(documents, written)
    elsewhere = SavedModels(documents, tmp_path / "elsewhere")
    for kept in (here, elsewhere):
        assert kept.all() == [MODEL]
        assert kept.versions(MODEL) == VERSIONS
    assert here.waiting(MODEL, "v02").is_dir()
    assert not list(written.rglob("*.json"))


def test_what_was_taken_over_in_part_is_newer(written: Path) -> None:
    """A crash in the middle loses nothing, and what was changed since is not undone."""
    documents = MemorySharedDocuments()
    changed = msgspec.structs.replace(VERSIONS[0], target="z")
    (written / MODEL.id / "versions" / "v02.json").rename(written.parent / "v02.json")
    SavedModels(documents, written).keep_version(MODEL, changed)
    (written / MODEL.id / "model.json").write_bytes(msgspec.json.encode(MODEL))
    for version in VERSIONS:
        file = written / MODEL.id / "versions" / f"{version.id}.json"
        file.write_bytes(msgspec.json.encode(version))
    assert SavedModels(documents, written).versions(MODEL) == [changed, VERSIONS[1]]


def test_a_model_goes_with_all_that_is_said_of_it(tmp_path: Path) -> None:
    """Its versions are gone with it, and those of others stay."""
    kept = SavedModels(MemorySharedDocuments(), tmp_path)
    other = msgspec.structs.replace(MODEL, id="ABCDEFGH")
    for model in (MODEL, other):
        kept.keep(model)
        kept.keep_version(model, VERSIONS[0])
    kept.remove(MODEL)
    assert (kept.all(), kept.versions(MODEL)) == ([other], [])
    assert kept.versions(other) == [VERSIONS[0]]
    assert (kept.knows(MODEL), kept.knows(other)) == (False, True)
