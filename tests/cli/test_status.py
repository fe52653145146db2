"""`brinery status` and `brinery key`, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.there import texts


def test_an_empty_workspace_says_what_comes_first(brinery_command: Any, tmp_path: Path) -> None:
    """A sentence on standard output, the next command on standard error; all is well."""
    done = brinery_command("--workspace", str(tmp_path), "status")
    assert done.status == 0
    assert done.out.strip() == "There is no model yet."
    assert "brinery import model.pkl" in done.err
    told = json.loads(
        brinery_command("--workspace", str(tmp_path), "status", "--format", "json").out
    )
    assert told["champions"] == 0


def test_a_key_is_shown_once(brinery_command: Any, tmp_path: Path) -> None:
    """It is made, listed by its name, and deleted; a name is taken once and must be one."""
    place = ("--workspace", str(tmp_path), "key")
    key = brinery_command(*place, "create", "--format", "json").out
    assert json.loads(key)["name"] == "key-1"
    assert json.loads(key)["key"].startswith("brn_")
    assert json.loads(key)["key"].encode() not in b"".join(texts(tmp_path))
    again = brinery_command(*place, "create", "--name", "key-1")
    assert again.status == 2
    assert "there is a key 'key-1'" in again.err
    assert brinery_command(*place, "create", "--name", "a b").status == 2
    assert "key-1" in brinery_command(*place, "list").out
    assert "did you mean 'key-1'?" in brinery_command(*place, "delete", "key-2").err
    assert brinery_command(*place, "delete", "key-1").status == 0
    assert "brinery key create" in brinery_command(*place, "list").err
