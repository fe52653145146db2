"""Addresses: what a path of a job file stands for, in all the forms that such files have."""

from __future__ import annotations

import pytest

from brinery.errors import InvalidReference
from brinery.specs.addresses import (
    Elsewhere,
    InDatastore,
    Local,
    OfAsset,
    OfJob,
    OfRun,
    asset,
    check_asset_name,
    check_version,
    parse,
)

_LONG = "azureml://subscriptions/s/resourcegroups/r"


@pytest.mark.parametrize(
    ("uri", "found"),
    [
        ("../data//x.csv", Local("../data//x.csv")),
        ("file:./x", Local("./x")),
        ("file:///a%20b", Local("/a b")),
        ("azureml:../x", Local("../x")),
        ("azureml://datastores/d", InDatastore("d", "")),
        ("azureml://datastores/d/paths/p/q/", InDatastore("d", "p/q")),
        (f"{_LONG}/workspaces/w/datastores/d/paths/p", InDatastore("d", "p")),
        ("azureml:n", OfAsset("n")),
        ("azureml:n:1", OfAsset("n", "1", "")),
        ("azureml:n@prod", OfAsset("n", "", "prod")),
        (f"{_LONG}/providers/M.S/workspaces/w/data/n/versions/1", OfAsset("n", "1", "", "data")),
        (
            "azureml://registries/r/environments/e-1.5/labels/latest",
            OfAsset("e-1.5", "", "latest", "environment", "r"),
        ),
        ("azureml://locations/l/workspaces/w/models/m/versions/1", OfAsset("m", "1", "", "model")),
        ("azureml://jobs/j/outputs/o", OfJob("j", "o")),
        ("azureml://jobs/j/outputs/o/paths/p/q", OfJob("j", "o", "p/q")),
        ("runs:/abc/model", OfRun("abc", "model")),
        ("https://h/p", Elsewhere("https://h/p", "https")),
        (
            "wasbs://c@a.blob.core.windows.net/p",
            Elsewhere("wasbs://c@a.blob.core.windows.net/p", "wasbs"),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_form_is_told_apart(uri: str, found: object) -> None:
    """A path, a datastore's, an asset's, a job's, a run's or an address elsewhere."""
    assert parse(uri) == found


@pytest.mark.parametrize(
    "uri", ["azureml:", "azureml:a:1@b", "azureml://datastore/d/paths/p", "runs:/", "azureml:a b:1"]
)
def test_what_is_none_of_them_is_refused(uri: str) -> None:
    """The message names it, and the hint has a form that is right."""
    with pytest.raises(InvalidReference) as caught:
        parse(uri)
    assert caught.value.hint


def test_an_asset_is_named_with_or_without_its_prefix() -> None:
    """What is printed of a reference is read again."""
    assert str(asset("azureml:n:1")) == "n:1"
    assert asset("n@latest") == asset("azureml:n")
    assert asset(str(asset("n"))) == asset("n")
    assert check_asset_name("a.b-c_1", kind="data") == "a.b-c_1"
    assert check_version("0.0.1", kind="data") == "0.0.1"
    with pytest.raises(InvalidReference, match="is not allowed") as caught:
        check_asset_name("my data", kind="data")
    assert caught.value.hint == "try --name my-data"
    with pytest.raises(InvalidReference):
        check_version("../1", kind="data")
