"""What may be said of where models and records are kept, and what is shown of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from brinery.errors import SettingsError
from brinery.specs import places, settings

SECRET = "s3cret%40x"  # noqa: S105 - of nobody


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg"])
def test_both_names_of_the_driver_mean_psycopg(scheme: str) -> None:
    """A database is reached by psycopg 3, whichever of its two names the URI has."""
    assert places.database(f"{scheme}://ada@h:5/d") == "postgresql+psycopg://ada@h:5/d"


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        (f"postgresql+psycopg://ada:{SECRET}@h:5/d", "postgresql://ada:***@h:5/d"),
        ("postgresql://ada@h/d", "postgresql://ada@h/d"),
        (f"postgresql://h/d?user=a&password={SECRET}", "postgresql://h/d?user=a&password=***"),
        ("postgresql:///d?host=/run/pg", "postgresql:///d?host=/run/pg"),
        ("sqlite:////home/ada/.brinery/mlflow.db", "sqlite:////home/ada/.brinery/mlflow.db"),
    ],
)
def test_a_password_is_not_shown(uri: str, shown: str) -> None:
    """What is shown of a URI is all of it but its password and its driver."""
    assert places.shown(uri) == shown


def test_a_password_in_anothers_message_is_hidden() -> None:
    """A URI in the text of another program loses its password, and nothing else."""
    text = f"cannot reach postgresql://ada:{SECRET}@h/d: no route (password={SECRET}&x=1)"
    assert places.without_passwords(text) == (
        "cannot reach postgresql://ada:***@h/d: no route (password=***&x=1)"
    )


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        (f"postgres://ada:{SECRET}@h/d", "did you mean postgresql://?"),
        (f"mysql://ada:{SECRET}@h/d", "no database that is known here"),
        (f"postgresql+psycopg2://ada:{SECRET}@h/d", "did you mean postgresql://?"),
        (f"host=h password={SECRET}", "it is no address"),
        (f"postgresql://ada:{SECRET}@h", "names no database"),
        (f"postgresql://ada:{SECRET}@h:port/d", "port cannot be read"),
    ],
)
def test_a_wrong_database_is_refused_unrepeated(uri: str, said: str, tmp_path: Path) -> None:
    """What is no database of PostgreSQL is refused with the reason, and is not repeated."""
    with pytest.raises(SettingsError) as raised:
        settings.read(tmp_path / "brinery.toml", {"BRINERY_STORE_URI": uri})
    assert raised.value.message.startswith("BRINERY_STORE_URI: ")
    assert said in raised.value.message
    assert SECRET not in raised.value.message


@pytest.mark.parametrize(
    ("place", "taken"),
    [("s3://b/p/", "s3://b/p"), ("s3://b", "s3://b"), ("/mnt/models/", "/mnt/models"), ("", "")],
)
def test_places_of_artifacts(place: str, taken: str) -> None:
    """A bucket, with or without a prefix, and a folder's whole path are taken."""
    assert places.artifacts(place) == taken


@pytest.mark.parametrize("place", ["models", "s3://", "gs://b/p", "s3://b/p?x=1"])
def test_other_places_are_refused(place: str, tmp_path: Path) -> None:
    """Another place is refused, with the file and the key that it is in."""
    file = tmp_path / "brinery.toml"
    file.write_text(f'[store]\nartifacts = "{place}"\n', encoding="utf-8")
    with pytest.raises(SettingsError, match=r"brinery\.toml: store\.artifacts: "):
        settings.read(file, {})


def test_a_flag_wins(tmp_path: Path) -> None:
    """A flag wins over a variable, which wins over the file."""
    file = tmp_path / "brinery.toml"
    file.write_text('[store]\nuri = "postgresql://h/file"\n', encoding="utf-8")
    environ = {"BRINERY_STORE_URI": "postgresql://h/variable"}
    flags = {("store", "uri"): "postgresql://h/flag"}
    assert settings.read(file, {}).store.uri.endswith("/file")
    assert settings.read(file, environ).store.uri.endswith("/variable")
    assert settings.read(file, environ, flags=flags).store.uri.endswith("/flag")
    assert settings.read(file, environ, flags={("store", "uri"): None}).store.uri.endswith(
        "/variable"
    )


def test_settings_do_not_tell_the_database(tmp_path: Path) -> None:
    """Settings that are written out by accident do not have the URI of the database."""
    environ = {"BRINERY_STORE_URI": f"postgresql://ada:{SECRET}@h/d"}
    assert SECRET not in repr(settings.read(tmp_path / "brinery.toml", environ))
