"""Import on the page: what is sent and named, what is refused, and what becomes of it."""

from __future__ import annotations

import os
import pickle
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sklearn.linear_model import LinearRegression
from tests.web.conftest import X
from tests.web.pages.conftest import Visitor

from brinery.records.import_asked import ImportState
from brinery.store.imports import Imports, harmless

HERE = {"x_brinery_client": "127.0.0.1:4711"}
ELSEWHERE = {"x_brinery_client": "192.0.2.7:4711"}
WAIT_S = 240.0
MODEL = pickle.dumps(LinearRegression().fit(X, X["x"] * 2))
TABLE = X.assign(y=X["x"] * 2).to_csv(index=False).encode()


class Evil:
    """A pickle that would run a program."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (os.system, ("true",))


def begun(visitor: Visitor, content: bytes = MODEL, name: str = "model.pkl") -> str:
    """Return the path of an import whose model was sent."""
    answer = visitor.upload(f"/import/files?name={name}", content, page="/import")
    assert answer.status_code == httpx.codes.OK, answer.text
    return str(answer.json()["next"])


def ended(workspace: Path, path: str) -> ImportState:
    """Wait until an import is over; return how it ended."""
    kept, end = Imports(workspace / ".brinery" / "imports"), time.monotonic() + WAIT_S
    while (state := kept.read(path.rpartition("/")[2]).state) is ImportState.RUNNING:
        assert time.monotonic() < end
        time.sleep(0.2)
    return state


def test_a_model_is_sent_and_becomes_a_version(visitor: Visitor, tmp_path: Path) -> None:
    """It is scanned at once, rows are chosen, the target is guessed, and it ends on its page."""
    path = begun(visitor, name="my%20model.pkl")
    page = visitor.get(path).text
    assert "Safe: it asks for no name that is not known." in page
    assert "LinearRegression" in page
    assert 'value="my-model"' not in page
    visitor.upload(f"{path}/files?name=rows.csv", TABLE, page=path)
    page = visitor.get(path).text
    assert 'value="my-model"' in page
    assert re.search(r'<option value="y" selected>', page)
    assert "brinery import &#39;my model.pkl&#39; --name my-model --data rows.csv" in page
    form = {"name": "sent", "target": "y", "type": "", "environment": "current"}
    assert visitor.send(path, form, page=path).headers["location"] == path
    assert "It goes on when this page is closed." in visitor.get(path).text
    assert ended(tmp_path, path) is ImportState.DONE
    assert visitor.get(path).headers["location"] == "/models/sent/versions/1"
    assert visitor.part(path).headers["hx-redirect"] == "/models/sent/versions/1"
    folder = tmp_path / ".brinery" / "imports" / path.rpartition("/")[2]
    assert not (folder / "model").exists()
    assert (folder / "data" / "rows.csv").exists()
    again = visitor.send(path, form, page="/import")
    assert again.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert "done already" in again.text or again.status_code


def test_a_dangerous_model_needs_each_name(visitor: Visitor, tmp_path: Path) -> None:
    """Its name stands beside a box to tick; without that it is refused in the command's words."""
    path = begun(visitor, pickle.dumps(Evil()))
    visitor.upload(f"{path}/files?name=rows.csv", TABLE, page=path)
    page = visitor.get(path).text
    assert "Dangerous" in page
    assert re.search(r'type="checkbox" name="trust-1" value="(posix|os)\.system"', page)
    visitor.send(path, {"name": "evil", "target": "y"}, page=path)
    assert ended(tmp_path, path) is ImportState.REFUSED
    page = visitor.get(path).text
    assert "It did not become a version." in page
    assert "posix.system" in page
    assert visitor.part(path).headers["hx-refresh"] == "true"
    assert "waits for your word" not in page


def test_what_is_no_model_says_why(visitor: Visitor) -> None:
    """It is shown as the command line says it, and there is nothing to start."""
    page = visitor.get(begun(visitor, b"no model at all")).text
    assert "not read" in page
    assert "Import it" not in page
    assert "model.pkl is not a pickle" in page
    assert ".brinery" not in page, "it is called by its name, and not by where it lies"


def test_what_is_sent_needs_our_token(visitor: Visitor, tmp_path: Path) -> None:
    """A page of another site sends nothing: not a byte is written."""
    answer = visitor.post("/import/files?name=x.pkl")
    assert answer.status_code == httpx.codes.FORBIDDEN
    assert not (tmp_path / ".brinery" / "imports").exists()


def test_too_much_is_refused(tmp_path: Path) -> None:
    """By the setting, whatever the browser says of its length; nothing of it stays."""
    (tmp_path / "brinery.toml").write_text("[up]\nmax_upload_mb = 0.001\n", encoding="utf-8")
    visitor = Visitor(tmp_path)
    answer = visitor.upload("/import/files?name=x.pkl", b"0" * 2000, page="/import")
    assert answer.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE
    assert "larger than" in answer.json()["message"]
    assert not list((tmp_path / ".brinery" / "imports").rglob("x.pkl"))
    assert visitor.upload("/import/files", b"", page="/import").status_code == 400


@pytest.mark.parametrize(
    ("called", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        (".htaccess", "htaccess"),
        ("<img src=x onerror=alert(1)>.pkl", "img_src_x_onerror_alert_1.pkl"),
        ("m" * 300 + ".joblib", "m" * 80 + ".joblib"),
        ("модель.pkl", "file.pkl"),
        ("", "file"),
    ],
)
def test_a_name_is_not_trusted(called: str, kept: str) -> None:
    """No part of it leaves the folder that is made for it."""
    assert harmless(called) == kept


def test_a_hostile_name_is_text(visitor: Visitor) -> None:
    """It is shown, and is no markup; on the list of imports, too."""
    path = begun(visitor, b"nothing", name="%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E.pkl")
    for page in (visitor.get(path).text, visitor.get("/import").text):
        assert "<img src=x" not in page
        assert "&lt;img src=x" in page


def test_a_path_is_read_for_this_machine_only(visitor: Visitor, tmp_path: Path) -> None:
    """As the server in front saw who asks; another machine is told what it can do."""
    file = tmp_path / "model.pkl"
    file.write_bytes(MODEL)
    answer = visitor.send("/import", {"path": str(file)}, page="/import", **ELSEWHERE)
    assert answer.status_code == httpx.codes.FORBIDDEN
    assert "own machine only" in answer.text
    answer = visitor.send("/import", {"path": str(file)}, page="/import", **HERE)
    assert answer.status_code == httpx.codes.SEE_OTHER
    path = answer.headers["location"]
    assert "LinearRegression" in visitor.get(path).text
    data = tmp_path / "rows.csv"
    data.write_bytes(TABLE)
    form = {"path": str(data)}
    refused = visitor.send(f"{path}/data", form, page=path, **ELSEWHERE)
    assert refused.status_code == httpx.codes.FORBIDDEN
    visitor.send(f"{path}/data", form, page=path, **HERE)
    assert "rows.csv" in visitor.get(path).text


@pytest.mark.parametrize("path", ["", "/nowhere/model.pkl"])
def test_a_path_that_is_none_is_one_error(visitor: Visitor, path: str) -> None:
    """With what was typed, and what to do."""
    answer = visitor.send("/import", {"path": path}, page="/import", **HERE)
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert 'role="alert"' in answer.text


def test_a_name_that_no_model_may_have_is_refused(visitor: Visitor) -> None:
    """Before anything is started, in the command's words."""
    path = begun(visitor)
    visitor.upload(f"{path}/files?name=rows.csv", TABLE, page=path)
    answer = visitor.send(path, {"name": "<b>"}, page=path)
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert "is not allowed as a model name" in answer.text
    bad = visitor.upload(f"{path}/files?name=none.csv", b"\0\0", page=path)
    assert "none.csv" in bad.json()["message"]


def test_no_other_folder_is_an_import(visitor: Visitor) -> None:
    """A key is sixteen hexadecimal digits; one that is gone is told so."""
    for key in ("0" * 16, "%2e%2e%2fpage.key", "jobs"):
        assert visitor.get(f"/import/{key}").status_code == httpx.codes.NOT_FOUND


def test_what_was_never_finished_is_forgotten(visitor: Visitor, tmp_path: Path) -> None:
    """After a week, with all that was sent for it."""
    path = begun(visitor)
    kept = Imports(tmp_path / ".brinery" / "imports")
    assert kept.sweep() == 0
    assert kept.sweep(now=datetime.now(UTC) + timedelta(days=8)) == 1
    assert visitor.get(path).status_code == httpx.codes.NOT_FOUND


def test_a_file_is_sent_without_scripts(visitor: Visitor, tmp_path: Path) -> None:
    """Two plain forms, the model and the rows, and a third that starts: it becomes a version."""
    first = visitor.get("/import").text
    assert 'action="/import/files" enctype="multipart/form-data"' in first
    content = MODEL + b"\r\n--X\r\n" + b"\0" * 200_000
    token = visitor.token("/import")
    answer = visitor.form("/import/files", content, called="my model.pkl", token=token)
    assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
    path = answer.headers["location"]
    (kept,) = (tmp_path / ".brinery" / "imports").rglob("my_model.pkl")
    assert kept.read_bytes() == content
    answer = visitor.form("/import/files", MODEL, called="my model.pkl", token=token)
    path = answer.headers["location"]
    assert "Safe: it asks for no name that is not known." in visitor.get(path).text
    answer = visitor.form(f"{path}/files", TABLE, called="rows.csv", token=token)
    assert answer.headers["location"] == path
    answer = visitor.send(path, {"name": "plain", "target": "y"}, page=path)
    assert answer.status_code == httpx.codes.SEE_OTHER
    assert ended(tmp_path, path) is ImportState.DONE


def test_a_form_with_a_file_is_held_to_the_same(tmp_path: Path) -> None:
    """Without the token not a byte is written; nor too much, nothing, or what is no form."""
    (tmp_path / "brinery.toml").write_text("[up]\nmax_upload_mb = 0.1\n", encoding="utf-8")
    visitor = Visitor(tmp_path)
    token = visitor.token("/import")
    for content, given, status, said in (
        (MODEL, "0" * 64, httpx.codes.FORBIDDEN, "not from a page of this server"),
        (b"0" * 110_000, token, httpx.codes.REQUEST_ENTITY_TOO_LARGE, "larger than"),
        (b"0" * 400_000, token, httpx.codes.REQUEST_ENTITY_TOO_LARGE, "larger than"),
        (b"", token, httpx.codes.BAD_REQUEST, "the file is empty"),
    ):
        answer = visitor.form("/import/files", content, called="x.pkl", token=given)
        assert answer.status_code == status
        assert said in answer.text
        assert not list((tmp_path / ".brinery").rglob("x.pkl"))
    answer = visitor.post("/import/files", content_type="multipart/form-data; boundary=XX")
    assert answer.status_code == httpx.codes.BAD_REQUEST
    hostile = visitor.form("/import/files", b"cos\nsystem\n", called="<b>.pkl", token=token)
    assert "<b>.pkl" not in visitor.get(hostile.headers["location"]).text
