"""Assets: versions that come into being whole, and never change."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from brinery.errors import AlreadyThere, InvalidReference, NotFound
from brinery.records.asset import Asset, AssetKind
from brinery.store.assets import Assets, Draft

_AT = datetime(2026, 11, 22, tzinfo=UTC)


def _asset(name: str = "train", version: str = "") -> Asset:
    return Asset(kind=AssetKind.DATA, name=name, version=version, created=_AT, address="s3://b/x")


def test_versions_count_up_and_latest_is_the_one_created_last(tmp_path: Path) -> None:
    """A version without a number is the next one; the newest by time is the latest."""
    kept = Assets(tmp_path)
    assert [kept.create(_asset()).version for _ in range(2)] == ["1", "2"]
    assert kept.create(_asset(version="10")).version == "10"
    assert kept.create(_asset(version="0.0.1")).version == "0.0.1"
    assert kept.get(AssetKind.DATA, "train").version == "0.0.1"
    assert kept.create(_asset()).version == "11"
    assert kept.referred(AssetKind.DATA, "azureml:train:10").version == "10"
    assert kept.referred(AssetKind.DATA, "azureml:train@latest").version == "11"
    assert [one.version for one in kept.versions(AssetKind.DATA, "train")][-1] == "1"
    assert kept.names(AssetKind.DATA) == ["train"]
    with pytest.raises(AlreadyThere):
        kept.create(_asset(version="10"))
    with pytest.raises(NotFound, match=r"no version 9.*there are"):
        kept.get(AssetKind.DATA, "train", version="9")
    with pytest.raises(NotFound, match="did you mean train"):
        kept.get(AssetKind.DATA, "trian")
    with pytest.raises(InvalidReference):
        kept.create(_asset(name="../x"))


def test_a_version_that_fails_to_be_made_leaves_nothing(tmp_path: Path) -> None:
    """Neither a version nor a folder of it is there."""

    def broken(draft: Draft) -> None:
        draft.content.write_text("half")
        raise OSError("no space")

    kept = Assets(tmp_path)
    with pytest.raises(Exception, match="no space"):
        kept.create(_asset(), fill=broken)
    assert kept.find(AssetKind.DATA, "train") is None
    assert not list((tmp_path / "data" / "train").iterdir())
    assert kept.create(_asset()).version == "1"


def test_what_is_said_of_a_version_changes_and_is_kept(tmp_path: Path) -> None:
    """Tags, labels and archiving are changes with a date; a label means one version."""
    kept = Assets(tmp_path)
    one, two = kept.create(_asset()), kept.create(_asset())
    kept.label(one, "prod")
    assert kept.get(AssetKind.DATA, "train", label="prod").version == "1"
    kept.label(two, "prod")
    assert kept.get(AssetKind.DATA, "train", label="prod").version == "2"
    assert kept.get(AssetKind.DATA, "train", version="1").labels == ()
    kept.change(two, "archived", edit=lambda was: replace(was, archived=True))
    # What is archived is not the latest, but is still found by its number.
    assert kept.get(AssetKind.DATA, "train").version == "1"
    told = kept.get(AssetKind.DATA, "train", version="2").changes
    assert [change.what for change in told] == ["label prod", "archived"]
    with pytest.raises(NotFound, match="no label best"):
        kept.get(AssetKind.DATA, "train", label="best")


_MANY = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from brinery.records.asset import Asset, AssetKind
from brinery.store.assets import Assets
kept = Assets(Path(sys.argv[1]))
for _ in range(20):
    asset = Asset(kind=AssetKind.DATA, name="n", version="", created=datetime.now(UTC))
    print(kept.create(asset).version)
"""


def test_two_processes_never_make_the_same_version(tmp_path: Path) -> None:
    """Each number is given once, and none is left out."""
    command = [sys.executable, "-c", _MANY, str(tmp_path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [one.communicate()[0].split() for one in running]
    assert sorted(map(int, said[0] + said[1])) == list(range(1, 41))
    written = json.loads((tmp_path / "data" / "n" / "40" / "asset.json").read_text())
    assert written["version"] == "40"
