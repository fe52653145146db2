from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from brinery.errors import SettingsError
from brinery.specs.categories import UnknownCategories
from brinery.specs.settings import Settings, read


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "brinery.toml"


def test_defaults(file: Path) -> None:
    """Without a file and variables every setting has its default."""
    assert read(file, {}) == Settings()
    assert Settings().serve.port == 8000
    assert Settings().serve.host == "127.0.0.1"
    assert Settings().serve.unknown_categories is UnknownCategories.REFUSE
    assert Settings().model.timeout_s == 600


def test_precedence(file: Path) -> None:
    """A variable wins over the file, and the file over the default."""
    file.write_text("[serve]\nport = 1111\nworkers = 3\n")
    found = read(file, {"BRINERY_SERVE_PORT": "2222"}).serve
    assert (found.port, found.workers, found.timeout_s) == (2222, 3, 60)


def test_variables_alone(file: Path) -> None:
    """A variable needs no file, nor its section in one."""
    file.write_text("[serve]\n")
    environ = {
        "BRINERY_MODEL_TIMEOUT_S": "1.5",
        "BRINERY_SERVE_UNKNOWN_CATEGORIES": "allow",
        "BRINERY_SERVE_HOST": "::",
        "BRINERY_WORKSPACE": "elsewhere",
        "SERVE_PORT": "1",
    }
    found = read(file, environ)
    assert found.model.timeout_s == 1.5
    assert found.serve.unknown_categories is UnknownCategories.ALLOW
    assert found.serve.host == "::"
    assert found.serve.port == 8000


def every_setting() -> list[tuple[str, str]]:
    sections: dict[str, BaseModel] = {
        name: getattr(Settings(), name)
        for name in Settings.model_fields
        if name not in {"gates", "store"}  # they have claims of their own
    }
    return [(name, key) for name, section in sections.items() for key in type(section).model_fields]


@pytest.mark.parametrize(("section", "key"), every_setting())
def test_every_setting(file: Path, section: str, key: str) -> None:
    """Every setting can be given by file and by variable, and is described."""
    default = getattr(getattr(Settings(), section), key)
    texts = {
        "unknown_categories": "allow",
        "host": "::",
        "require_sandbox": "true",
        "at_import": "false",
        "budget": "7000",
    }
    text = texts.get(key, "7")
    kind = float if default is None else type(default)
    value = text == "true" if kind is bool else kind(text)
    found = read(file, {f"BRINERY_{section}_{key}".upper(): text})
    assert getattr(getattr(found, section), key) == value != default
    quoted = f'"{text}"' if isinstance(value, str) else text
    file.write_text(f"[{section}]\n{key} = {quoted}\n")
    assert read(file, {}) == found
    assert type(getattr(found, section)).model_fields[key].description


def test_every_fault_at_once(file: Path) -> None:
    """Every fault is reported in one error, each with its key and where it was set."""
    file.write_text('[serve]\nport = 0\nunknown_categories = "maybe"\n[model]\ntimeout_s = 0\n')
    with pytest.raises(SettingsError) as caught:
        read(file, {"BRINERY_SERVE_WORKERS": "many"})
    faults = caught.value.message.split("; ")
    assert len(faults) == 4
    assert any(fault.startswith(f"{file}: serve.port: ") for fault in faults)
    assert any(fault.startswith(f"{file}: model.timeout_s: ") for fault in faults)
    assert any(fault.startswith("BRINERY_SERVE_WORKERS: ") for fault in faults)
    assert any("'refuse' or 'allow'" in fault for fault in faults)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[serve]\nprot = 1\n", "serve.prot is not a setting: did you mean port?"),
        ("[srve]\nport = 1\n", "srve is not a setting: did you mean serve?"),
        ("port = 1\n", "port is not a setting"),
        ("[serve]\nzzz = 1\n", "serve.zzz is not a setting"),
    ],
)
def test_unknown_setting(file: Path, text: str, message: str) -> None:
    """A setting that does not exist is named, with the nearest that does."""
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        read(file, {})
    assert caught.value.message == f"{file}: {message}"


@pytest.mark.parametrize("value", ["inf", "nan", "0", "-1"])
def test_times_are_finite(file: Path, value: str) -> None:
    """A time is finite and more than none."""
    file.write_text(f"[model]\ntimeout_s = {value}\n[serve]\ntimeout_s = {value}\n")
    with pytest.raises(SettingsError) as caught:
        read(file, {})
    assert {"model.timeout_s", "serve.timeout_s"} <= set(
        caught.value.message.replace(":", "").split()
    )


@pytest.mark.parametrize("text", ["serve = 3\n", "[[serve]]\nport = 1\n"])
def test_section_that_is_none(file: Path, text: str) -> None:
    """A section that is a value is refused, though a variable sets a part of it."""
    file.write_text(text)
    with pytest.raises(SettingsError, match="serve"):
        read(file, {"BRINERY_SERVE_PORT": "1"})


@pytest.mark.parametrize("content", [b"[serve\n", b"port 1", b"a = 1\na = 2", b"\xff\xfe"])
def test_bad_toml(file: Path, content: bytes) -> None:
    """A file that is not TOML is named."""
    file.write_bytes(content)
    with pytest.raises(SettingsError, match="is not valid TOML") as caught:
        read(file, {})
    assert caught.value.hint == f"edit {file}"


def test_unreadable_file(tmp_path: Path) -> None:
    """A file that the system refuses is an error of ours, with the system's reason."""
    with pytest.raises(SettingsError, match="cannot be read: File name too long"):
        read(tmp_path / ("x" * 300), {})


def test_frozen() -> None:
    """Settings do not change once they are read."""
    with pytest.raises(ValidationError, match="frozen"):
        Settings().serve.port = 1  # type: ignore[misc]
