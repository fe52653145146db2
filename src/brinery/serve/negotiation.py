"""What a body is written in, and what its answer is to be written in: agreed on by headers.

A route has readers and writers by media type. Without an `accept` an answer is written as its
question was. What was agreed is kept: clients say the same again and again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus
from typing import NamedTuple, Protocol

from brinery.records.scores import Scores
from brinery.serve import coding
from brinery.serve.asked import Asked
from brinery.serve.problems import Problem
from brinery.serve.rsgi import Headers, RequestHeaders
from brinery.serve.share import Share

JSON = "application/json"

Read = Callable[[bytes], Asked]
Write = Callable[[Asked, Share], bytes]

# What curl sends when it is told nothing is read as JSON too.
_READ_AS_JSON = ("", "application/x-www-form-urlencoded", "text/json")
_CHARSETS = ("utf-8", "utf8", "us-ascii")
_ANY = ("", "*/*")
_SHOWN = 60
# How much is kept, and up to which length: a client may say anything, and ever something else.
_KEPT = 256
_KEPT_LENGTH = 400


def of_scores(write: Callable[[Asked, Scores], bytes]) -> Write:
    """Return the writer that a writer of scores is."""
    return lambda asked, share: write(asked, share.scores)


class Terms(NamedTuple):
    """What was agreed on.

    Attributes:
        decode: takes the compression off a body, within a limit; None where there is none.
        read: understands it.
        write: makes the answer.
        headers: of the answer; read when it is written.
        vast: whether a small body may take long to read.
    """

    decode: coding.Decode | None
    read: Read
    write: Write
    headers: Headers
    vast: bool = False


class Forms(Protocol):
    """What a route reads and writes."""

    def terms(self, headers: RequestHeaders) -> Terms:
        """Return what a request's headers ask for.

        Raises:
            Problem: 415 for a body that is not read here, 406 for an answer that is not written.
        """
        ...


class Family:
    """The forms of a route.

    Args:
        readers: media type to reader; the first is meant where none is said.
        writers: media type to writer, as above.
        headers: of every answer.
        vast: media types of which a small body may take long to read.
    """

    def __init__(
        self,
        readers: Mapping[str, Read],
        writers: Mapping[str, Write],
        *,
        headers: Headers,
        vast: Collection[str] = (),
    ) -> None:
        self._readers = readers
        self._writers = writers
        self._headers = headers
        self._vast = vast
        self._agreed: dict[tuple[str, str, str], Terms] = {}

    def terms(self, headers: RequestHeaders) -> Terms:
        """Return what a request's headers ask for.

        Raises:
            Problem: 415 for a body that is not read here, 406 for an answer that is not written.
        """
        key = (
            headers.get("content-type", ""),
            headers.get("content-encoding", ""),
            headers.get("accept", ""),
        )
        found = self._agreed.get(key)
        if found is None:
            found = self._agree(*key)
            if sum(map(len, key)) <= _KEPT_LENGTH:
                if len(self._agreed) >= _KEPT:
                    self._agreed.clear()
                self._agreed[key] = found
        return found

    def _agree(self, content_type: str, encoding: str, accept: str) -> Terms:
        media = self._media(content_type)
        decode = coding.decoder(encoding)
        answer = self._answer(accept, media)
        return Terms(
            decode,
            self._readers[media],
            self._writers[answer],
            [("content-type", answer), *self._headers],
            media in self._vast,
        )

    def _media(self, content_type: str) -> str:
        """Return the media type of a body."""
        said, _, parameters = content_type.partition(";")
        media = said.strip().lower()
        if media in _READ_AS_JSON or media.endswith("+json"):
            media = next(iter(self._readers))
        if media not in self._readers:
            raise _unsupported(
                f"the body is sent as {media[:_SHOWN]}, and {_listed(self._readers)} is read",
                "curl -H 'content-type: application/json' …",
            )
        charset = _charset(parameters)
        if charset not in _CHARSETS:
            raise _unsupported(
                f"the body is sent in {charset[:_SHOWN]}, and utf-8 is read", "encode it as utf-8"
            )
        return media

    def _answer(self, accept: str, media: str) -> str:
        """Return the media type of the answer."""
        wanted = sorted(map(_preference, accept.lower().split(",")), key=lambda one: -one[1])
        for name, quality in wanted:
            if quality <= 0:
                continue
            fits = [one for one in self._writers if _fits(one, name)]
            if fits:
                return media if media in fits else fits[0]
        raise Problem(
            HTTPStatus.NOT_ACCEPTABLE,
            "not-acceptable",
            f"the answer is asked for as {accept[:_SHOWN]}, and is {_listed(self._writers)}",
            hint="curl -H 'accept: application/json' …",
        )


def _preference(part: str) -> tuple[str, float]:
    """Return a media type of an `accept` header, and how much it is wanted, from 0 to 1."""
    name, _, parameters = part.partition(";")
    quality = 1.0
    for parameter in parameters.split(";"):
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                quality = 0.0
    return name.strip(), quality


def _fits(media: str, wanted: str) -> bool:
    """Return whether a media type is one that is wanted: itself, or one of several."""
    return wanted in _ANY or media == wanted or wanted == f"{media.partition('/')[0]}/*"


def _listed(names: Mapping[str, object]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


def _charset(parameters: str) -> str:
    """Return the charset among the parameters of a media type."""
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return "utf-8"


def _unsupported(detail: str, hint: str) -> Problem:
    return Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", detail, hint=hint)
