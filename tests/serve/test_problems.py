"""Problem documents."""

from __future__ import annotations

import json
from http import HTTPStatus

from brinery.serve.problems import MAX_ERRORS, FieldError, Problem, invalid


def fault(row: int | None = 0, column: str | None = "age") -> FieldError:
    return FieldError(code="wrong-type", message="takes an integer", row=row, column=column)


def test_a_document_has_what_the_standard_names() -> None:
    """Type, title, status and detail stand in every document, and a code for programs."""
    problem = Problem(HTTPStatus.NOT_FOUND, "not-found", "there is none", hint="look elsewhere")
    assert json.loads(problem.body()) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "code": "not-found",
        "detail": "there is none",
        "hint": "look elsewhere",
    }


def test_what_is_not_known_is_left_out() -> None:
    """A document has no empty hint or errors, and a fault no row, column or pointer of null."""
    problem = invalid([FieldError(code="no-rows", message="has no rows")])
    assert json.loads(problem.body())["errors"] == [{"code": "no-rows", "message": "has no rows"}]
    assert set(json.loads(Problem(HTTPStatus.NOT_FOUND, "not-found", "none").body())) == {
        "type",
        "title",
        "status",
        "code",
        "detail",
    }


def test_the_errors_are_bounded() -> None:
    """However many faults a body has, the document lists so many and no more."""
    problem = invalid([fault(row) for row in range(MAX_ERRORS + 5)])
    assert len(json.loads(problem.body())["errors"]) == MAX_ERRORS


def test_a_sentence_names_the_row_and_the_column() -> None:
    """What a fault is about stands before its message, as far as it is known."""
    assert fault().sentence == "row 0: 'age' takes an integer"
    assert fault(row=None).sentence == "'age' takes an integer"
    assert fault(column=None).sentence == "row 0 takes an integer"


def test_the_detail_counts_the_others() -> None:
    """The detail is the first fault, with how many more there are; at the bound it says so."""
    assert invalid([fault()]).detail == "row 0: 'age' takes an integer"
    assert invalid([fault()] * 3).detail.endswith(", and 2 more")
    assert invalid([fault()] * MAX_ERRORS).detail.endswith("or more others")


def test_the_headers_say_the_media_type() -> None:
    """A document is application/problem+json, with Retry-After where it will pass."""
    plain = Problem(HTTPStatus.NOT_FOUND, "not-found", "there is none")
    waits = Problem(
        HTTPStatus.SERVICE_UNAVAILABLE, "busy", "later", retry_after_s=3, headers={"Allow": "GET"}
    )
    assert plain.headers() == [("content-type", "application/problem+json")]
    assert waits.headers()[1:] == [("allow", "GET"), ("retry-after", "3")]
