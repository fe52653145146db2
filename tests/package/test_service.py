"""A packaged model behind any front door."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from tests.package.conftest import ROW, Iris

from brinery.package import openapi
from brinery.package.runtime.engine import Refused, plain
from brinery.package.runtime.scorer_engine import ScorerEngine
from brinery.package.runtime.service import MAX_BODY_BYTES, Service
from brinery.package.runtime.wsgi import application
from brinery.records.scores import Scores


@pytest.fixture(scope="module")
def service(iris: Iris) -> Service:
    """The seed's model, answered by its scorer."""
    facts = iris.contents.facts
    engine = ScorerEngine(iris.scorer.parent, facts)
    return Service(facts, engine, openapi=openapi.render(facts))


def ask(service: Service, document: Any) -> tuple[int, Any]:
    """Return the status and the document that answer a document."""
    answer = service.respond("POST", "/", body=json.dumps(document).encode())
    return answer.status, json.loads(answer.body)


def test_the_request_of_the_seed(service: Service) -> None:
    """The seed's request has the seed's answer, to the byte; a number of numpy's is JSON's."""
    answer = service.respond("POST", "/", body=json.dumps(ROW).encode())
    assert (answer.status, answer.body) == (200, b'{"predicted_class": 0}')
    assert answer.headers["x-model-version"] == "iris@1"


def test_each_form_is_answered_in_its_own(service: Service, iris: Iris) -> None:
    """A list is answered with a list, rows with probabilities, instances with bare predictions."""
    expected = iris.model.predict_proba(iris.frame.iloc[:1])[0]
    assert ask(service, [ROW, ROW]) == (200, [{"predicted_class": 0}] * 2)
    assert ask(service, {"instances": [ROW]}) == (200, {"predictions": [0]})
    status, told = ask(service, {"rows": [ROW], "id": "7"})
    (one,) = told.pop("predictions")
    assert (status, told) == (200, {"model": "iris", "version": 1, "id": "7"})
    assert one["predicted_class"] == 0
    assert list(one["probabilities"].values()) == pytest.approx(expected, abs=1e-9)


def test_probabilities_of_one_row_are_declared(iris: Iris) -> None:
    """One row is answered with probabilities where the package was made so."""
    facts = replace(iris.contents.facts, probabilities=True, key="species")
    made = Service(facts, ScorerEngine(iris.scorer.parent, facts), openapi=b"{}")
    _, told = ask(made, ROW)
    assert set(told) == {"species", "probabilities"}


@pytest.mark.parametrize("path", ["/", "/ping", "/healthz", "/v1/models/iris"])
def test_a_get_tells_that_it_is_ready(service: Service, path: str) -> None:
    """Probes of every platform are answered with the model, its version and its digest."""
    answer = service.respond("GET", path)
    told = json.loads(answer.body)
    assert (answer.status, told["ready"], told["sha256"]) == (200, True, "a" * 64)


def test_it_describes_itself(service: Service) -> None:
    """`openapi.json` is answered wherever the platform put the package."""
    told = json.loads(service.respond("GET", "/prod/openapi.json").body)
    assert set(told["components"]["schemas"]["Row"]["properties"]) == set(ROW)


def test_what_is_refused_is_a_problem_document(service: Service) -> None:
    """A refusal has a status, a code, a sentence and its faults; never a traceback."""
    answer = service.respond("POST", "/", body=b'{"sepal_lenght": 1}')
    told = json.loads(answer.body)
    assert (answer.status, told["code"]) == (422, "invalid-rows")
    assert "did you mean 'sepal_length'?" in told["detail"]
    assert answer.headers["content-type"] == "application/problem+json"


def test_other_methods_are_refused(service: Service) -> None:
    """What neither asks nor tells is a 405 that says what is allowed."""
    answer = service.respond("DELETE", "/")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, POST")


def test_a_body_that_is_too_large_is_refused(service: Service) -> None:
    """A body over the limit is a 413, and is not parsed."""
    assert service.respond("POST", "/", body=b" " * (MAX_BODY_BYTES + 1)).status == 413


class _Engine:
    """Raises what an engine may."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def scores(self, columns: Mapping[str, Sequence[Any]], *, n_rows: int) -> Scores:
        del columns, n_rows
        raise self._error


def test_rows_that_the_scorer_leaves_to_the_library_are_refused(iris: Iris) -> None:
    """A row that only the library could answer is a 422 that says so."""
    columns = [column.name for column in iris.contents.facts.signature.columns]
    engine = ScorerEngine(iris.scorer.parent, iris.contents.facts)
    rows: dict[str, list[Any]] = {name: [1.0] for name in columns}
    with pytest.raises(Refused, match="the model's own library, which might have an answer"):
        engine.scores({**rows, columns[0]: [None]}, n_rows=1)
    made = Service(iris.contents.facts, _Engine(Refused("too large")), openapi=b"{}")
    status, told = ask(made, ROW)
    assert (status, told["code"], told["detail"]) == (422, "rows-refused", "too large")


def test_a_fault_is_a_document_too(iris: Iris, caplog: pytest.LogCaptureFixture) -> None:
    """A fault of ours is a 500 without a traceback, which is in the log."""
    made = Service(iris.contents.facts, _Engine(RuntimeError("secret")), openapi=b"{}")
    status, told = ask(made, ROW)
    assert (status, told["code"]) == (500, "fault")
    assert "secret" not in json.dumps(told)
    assert "secret" in caplog.text


def test_from_python_a_bad_row_is_a_value_error(service: Service) -> None:
    """`predict` answers a row or a list, and raises what a Python caller expects."""
    assert service.predict(ROW) == {"predicted_class": 0}
    assert service.predict([ROW]) == [{"predicted_class": 0}]
    with pytest.raises(ValueError, match="row 0: 'x' is not a column"):
        service.predict({**ROW, "x": 1})


def test_over_wsgi_it_is_the_same(service: Service) -> None:
    """A WSGI server gets the status, the headers and the body; HEAD gets no body."""
    told: list[Any] = []
    body = json.dumps(ROW).encode()
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/invocations",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    app = application(service)
    parts = app(environ, lambda *start: told.append(start))
    assert b"".join(parts) == b'{"predicted_class": 0}'
    assert told[0][0] == "200 OK"
    assert app({**environ, "REQUEST_METHOD": "HEAD"}, lambda *_: None) == []


def test_what_json_cannot_say_is_null() -> None:
    """A prediction that is no finite number is null, and several values are named."""
    assert plain(Scores(np.array([1.0, np.nan, np.inf]))).predictions == [1.0, None, None]
    several = Scores(np.array([[1.0, 2.0]]), outputs=("low", "high"))
    assert plain(several).predictions == [{"low": 1.0, "high": 2.0}]


def test_another_scorer_is_not_read(iris: Iris, tmp_path: Path) -> None:
    """A scorer whose bytes are not those that were packaged answers nothing."""
    (tmp_path / iris.scorer.name).write_bytes(iris.scorer.read_bytes() + b" ")
    with pytest.raises(Exception, match="is not the file that was compared"):
        ScorerEngine(tmp_path, iris.contents.facts)
