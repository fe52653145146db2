"""A client of `brinery serve`: a table or some rows go in, scores and the version come out.

It knows the server by its answers alone. What the server refuses is an error of our tree that names
the rows and columns; what may be answered another time is asked again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Self
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError, MaxRetryError, ReadTimeoutError
from urllib3.exceptions import TimeoutError as NoAnswerInTime

from brinery.errors import EndpointTimeout, EndpointUnreachable, InvalidReference, SettingsError
from brinery.records.scores import Scores
from brinery.serve import client_data, client_problems
from brinery.serve.client_data import ARROW, JSON, ServedModel
from brinery.specs.reference import Reference

_UNSUPPORTED = 415
_OK = 200
_CONNECTIONS = 16
_CONNECT_S = 5.0
_LONGEST_PAUSE_S = 10
_BACKOFF = 0.1
# Fewer rows than this are sent as JSON: an Arrow stream begins with half a kilobyte of schema.
_SMALL = 100


class Answer(Scores, frozen=True, eq=False):
    """Scores, and who gave them.

    Attributes:
        model: name of the model that answered.
        version: of it.
        request_id: by which the server's log knows the request.
    """

    model: str = ""
    version: int = 0
    request_id: str = ""


class Client:
    """Asks a server; threads may share one. Use it as a context manager, or close it.

        with brinery.Client("http://127.0.0.1:8000") as client:
            scores = client.predict(frame)

    Args:
        url: of the server.
        model: as in bank, bank@1 or bank@champion; may be left out where the server has one.
        timeout_s: how long an answer may take, each time it is asked for.
        retries: how often a request is sent again that found no server, whose connection broke,
            or that was answered 503. A prediction changes nothing, so that to ask twice does no
            harm. What takes too long is not asked again.
        headers: sent with every request.
        key: where the server asks for one, as `brinery key create` makes it.

    Raises:
        SettingsError: the url is none, or a number is negative.
        InvalidReference: the model is no reference.
    """

    def __init__(
        self,
        url: str,
        *,
        model: str | None = None,
        timeout_s: float = 60.0,
        retries: int = 3,
        headers: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError(
                f"'{url}' is no address of a server", hint="try http://127.0.0.1:8000"
            )
        if not 0 < timeout_s < math.inf or retries < 0:
            raise SettingsError(
                "timeout_s takes seconds, as in 0.5, and retries a number from 0",
                hint="leave them out for 60 seconds and 3 retries",
            )
        self._url = url.rstrip("/")
        self._reference = None if model is None else Reference.parse(model)
        self._retries = retries
        self._timeout_s = timeout_s
        self._arrow = True
        self._described: dict[str, ServedModel] = {}
        self._pool = urllib3.PoolManager(
            maxsize=_CONNECTIONS,
            headers={
                "request-timeout": f"{timeout_s:g}",
                **({"authorization": f"Bearer {key}"} if key else {}),
                **(headers or {}),
            },
            timeout=urllib3.Timeout(connect=min(timeout_s, _CONNECT_S), read=timeout_s),
        )

    def predict(self, data: object) -> Answer:
        """Return the model's answers, one per row.

        Args:
            data: a pandas DataFrame, an Arrow table, a polars frame or whatever else gives an
                Arrow stream, (n_rows, n_columns); a list of n_rows objects of column to value, or
                one such object. Its columns are those of the signature, in any order.

        Raises:
            RequestRefused: the server refuses the rows; its faults name the rows and columns.
            NotFound: there is no such model.
            EndpointUnreachable, EndpointTimeout, EndpointFault: there is no answer.
            DataUnreadable: the data is none of these.
        """
        path = f"{self._path()}/predict"
        rows = client_data.rows(data)
        if rows is not None:
            return self._answer(self._post(path, client_data.rows_body(rows), JSON))
        table = client_data.table(data)
        if table is not None and table.num_rows >= _SMALL and self._arrow:
            answer = self._post(path, client_data.stream_body(table), ARROW)
            if answer.status != _UNSUPPORTED:
                return self._answer(answer)
            self._arrow = False  # it reads no Arrow: it is not asked to again
        columns = client_data.columns(data if table is None else table)
        return self._answer(self._post(path, client_data.columns_body(columns), JSON))

    def ready(self) -> bool:
        """Return whether the server is there, and every model that it has loaded can answer."""
        try:
            return self._send("GET", "/ready", retries=0).status == _OK
        except (EndpointUnreachable, EndpointTimeout):
            return False

    def models(self) -> tuple[str, ...]:
        """Return the names of the server's models.

        Raises:
            EndpointUnreachable, EndpointTimeout, EndpointFault: there is no answer.
        """
        answer = self._checked(self._send("GET", "/v1/models"))
        listed = client_problems.decoded(answer.data, client_data.Listed)
        return tuple(model.name for model in listed.models)

    def model(self, name: str | None = None) -> ServedModel:
        """Return what the server says of a model.

        Args:
            name: of the model; the client's own where it is left out.

        Raises:
            NotFound: there is no such model.
            EndpointUnreachable, EndpointTimeout, EndpointFault: there is no answer.
        """
        asked = self._named() if name is None else Reference.parse(name)
        answer = self._checked(self._send("GET", f"/v1/models/{asked.name}"), asked.name)
        described: ServedModel = client_problems.decoded(answer.data, ServedModel)
        return described

    def close(self) -> None:
        """Close its connections."""
        self._pool.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _named(self) -> Reference:
        """Return the model that is asked: the only one, where none was named."""
        if self._reference is None:
            names = self.models()
            if len(names) != 1:
                raise InvalidReference(
                    f"{self._url} has {len(names)} models: {', '.join(names) or 'none yet'}",
                    hint=f"name one: brinery.Client(url, model='{names[0]}')" if names else "",
                )
            self._reference = Reference(names[0])
        return self._reference

    def _path(self) -> str:
        asked = self._named()
        path = f"/v1/models/{asked.name}"
        if asked.version is not None:
            return f"{path}/versions/{asked.version}"
        return path if asked.alias is None else f"{path}/aliases/{asked.alias}"

    def _post(self, path: str, body: bytes, media: str) -> urllib3.BaseHTTPResponse:
        return self._send("POST", path, body=body, media=media)

    def _answer(self, response: urllib3.BaseHTTPResponse) -> Answer:
        """Return what was answered to a prediction."""
        self._checked(response, str(self._reference))
        name, _, version = response.headers.get("x-model-version", "").partition("@")
        media = response.headers.get("content-type", "")
        scores = client_data.scores(response.data, media, classes=self._classes)
        return Answer(
            predictions=scores.predictions,
            probabilities=scores.probabilities,
            classes=scores.classes,
            outputs=scores.outputs,
            model=name,
            version=int(version) if version.isdigit() else 0,
            request_id=response.headers.get("x-request-id", ""),
        )

    def _classes(self, names: Sequence[str]) -> tuple[Any, ...]:
        """Return classes as the model has them, which JSON and Arrow name by text."""
        name = self._named().name
        for _ in range(2):
            known = self._described.get(name)
            if known is not None and [str(label) for label in known.classes] == list(names):
                return known.classes
            self._described[name] = self.model(name)
        return tuple(names)  # another version answered than the one described

    def _checked(
        self, response: urllib3.BaseHTTPResponse, model: str = ""
    ) -> urllib3.BaseHTTPResponse:
        if response.status != _OK:
            names = self.models if model else None
            raise client_problems.error(response, model=model, names=names)
        return response

    def _send(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        media: str = JSON,
        retries: int | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """Return an answer, whatever its status.

        Raises:
            EndpointUnreachable: nobody answers, or the connection broke.
            EndpointTimeout: the answer took too long.
        """
        headers = {**self._pool.headers, "accept": media}
        if body is not None:
            headers["content-type"] = media
        again = self._retries if retries is None else retries
        try:
            return self._pool.request(
                method,
                self._url + path,
                body=body,
                headers=headers,
                redirect=False,
                retries=_retry(again),
            )
        except HTTPError as error:
            reason = error.reason if isinstance(error, MaxRetryError) else error
            if isinstance(reason, ReadTimeoutError):
                raise EndpointTimeout(
                    f"{self._url} did not answer within {self._timeout_s:g} seconds",
                    hint="give it longer: brinery.Client(url, timeout_s=…)",
                ) from None
            why = "it cannot be reached" if isinstance(reason, NoAnswerInTime) else str(reason)
            raise EndpointUnreachable(
                f"{self._url} does not answer: {_short(why)}",
                hint=f"curl {self._url}/ready shows whether it runs",
            ) from None


class _Retry(urllib3.Retry):
    """What is asked again: all but what took too long."""

    def increment(self, *arguments: Any, **named: Any) -> Self:
        """Return what is left after a failure."""
        error = named.get("error")
        if isinstance(error, ReadTimeoutError):
            raise error
        return super().increment(*arguments, **named)


def _retry(times: int) -> _Retry:
    return _Retry(
        total=times,
        allowed_methods=None,
        status_forcelist=[503],
        raise_on_status=False,
        backoff_factor=_BACKOFF,
        retry_after_max=_LONGEST_PAUSE_S,
    )


def _short(reason: str) -> str:
    """Return a reason without what the library says of its own objects."""
    return reason.rpartition("object at 0x")[2].partition(": ")[2] or reason
