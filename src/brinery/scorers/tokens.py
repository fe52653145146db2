"""Text taken apart as scikit-learn's vectorizers do: letters made plain, tokens, n-grams of them.

A pattern of tokens comes from an untrusted file, and is matched here: only one that takes a time
in proportion to the text is accepted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cached_property
from typing import Optional

from msgspec import Struct

from brinery.records.text_enum import TextEnum
from brinery.scorers.data import Declined
from brinery.scorers.interface import require

DEFAULT_PATTERN = r"(?u)\b\w\w+\b"

_WHITE_SPACES = re.compile(r"\s\s+")
_LONGEST = 20
_LONGEST_PATTERN = 200
# How often characters may be repeated, all in all.
_MOST_REPEATED = 99
# One character: a class of them, a letter or a digit, or any.
_ATOM = r"(?:\\[wdsWDS]|\[\^?(?:\\[wdsWDS.\-'\[\]]|[^\\\[\]])+\]|[\w#@' -]|\.)"
_FIXED, _REPEATED = r"(?:\{\d{1,2}\})?", r"(?:[+*]|\{\d{1,2}(?:,\d{0,2})?\})?"
_PLAIN = re.compile(rf"(?:\(\?u\))?(\\b)?(?:{_ATOM}{_FIXED})*{_ATOM}{_REPEATED}(\\b)?")
# What a set of characters may come to mean in a later Python.
_AMBIGUOUS = ("--", "&&", "~~", "||")


def is_plain(pattern: str) -> bool:
    """Return whether a pattern surely takes a time in proportion to the text.

    Only its last character repeats, so that there is one way to match; and where it must end at
    the edge of a word it also begins at one, so that it is not tried again from within.
    """
    if len(pattern) > _LONGEST_PATTERN or any(one in pattern for one in _AMBIGUOUS):
        return False
    found = _PLAIN.fullmatch(pattern)
    if found is None or (found[2] and not found[1]):
        return False
    if sum(map(int, re.findall(r"\{(\d+)", pattern))) > _MOST_REPEATED:
        return False
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


class Analyzer(TextEnum):
    """What n-grams are made of."""

    WORD = "word"
    CHAR = "char"
    CHAR_WB = "char_wb"


class Accents(TextEnum):
    """How accents are taken off."""

    ASCII = "ascii"
    UNICODE = "unicode"


class Analysis(Struct, frozen=True, kw_only=True, dict=True):
    """How a text becomes tokens.

    Attributes:
        analyzer: what n-grams are made of.
        lowercase: whether capital letters become small.
        accents: how accents are taken off; None where they stay.
        pattern: of a word.
        stop_words: words that are left out.
        shortest: how long an n-gram is at least.
        longest: how long at most.
        unicode: the version of Unicode of the Python that the model was fitted in.
    """

    analyzer: Analyzer
    lowercase: bool
    accents: Optional[Accents]
    pattern: str
    stop_words: tuple[str, ...]
    shortest: int
    longest: int
    unicode: str

    def __post_init__(self) -> None:
        """Check that no text takes long."""
        require(
            self.analyzer is not Analyzer.WORD or is_plain(self.pattern),
            "a pattern that may take long",
        )
        require(1 <= self.shortest <= self.longest <= _LONGEST, "n-grams that are too long")

    @cached_property
    def _find(self) -> Callable[[str], list[str]]:
        return re.compile(self.pattern).findall

    @cached_property
    def _stops(self) -> frozenset[str]:
        return frozenset(self.stop_words)

    @cached_property
    def _foreign(self) -> bool:
        return self.unicode != unicodedata.unidata_version

    def tokens(self, text: str, seen: dict[str, list[str]]) -> list[str]:
        """Return the tokens of a text, in the library's order.

        Args:
            text: of any length.
            seen: the n-grams of words that were met before, and are met now.

        Raises:
            Declined: a character means something else in the Python of the model.
        """
        if self._foreign and not text.isascii():
            _check_meanings(text)
        if self.lowercase:
            text = text.lower()
        if self.accents is not None and not text.isascii():
            text = _ascii(text) if self.accents is Accents.ASCII else _unaccented(text)
        if self.analyzer is Analyzer.WORD:
            words = self._find(text)
            if self.stop_words:
                stops = self._stops
                words = [word for word in words if word not in stops]
            return words if self.longest == 1 else self._joined(words)
        text = _WHITE_SPACES.sub(" ", text)
        return self._cut(text) if self.analyzer is Analyzer.CHAR else self._cut_words(text, seen)

    def _joined(self, words: list[str]) -> list[str]:
        found: list[str] = []
        for size in range(self.shortest, min(self.longest, len(words)) + 1):
            found.extend(map(" ".join, zip(*[words[place:] for place in range(size)])))
        return found

    def _cut(self, text: str) -> list[str]:
        length = len(text)
        return [
            text[place : place + size]
            for size in range(self.shortest, min(self.longest, length) + 1)
            for place in range(length - size + 1)
        ]

    def _cut_words(self, text: str, seen: dict[str, list[str]]) -> list[str]:
        found: list[str] = []
        for word in text.split():
            parts = seen.get(word)
            if parts is None:
                parts = seen[word] = self._cut_word(f" {word} ")
            found.extend(parts)
        return found

    def _cut_word(self, padded: str) -> list[str]:
        """Return the n-grams of a word; one that is shorter than they are counts once."""
        found: list[str] = []
        length = len(padded)
        for size in range(self.shortest, self.longest + 1):
            if size >= length:
                found.append(padded)
                break
            found.extend([padded[place : place + size] for place in range(length - size + 1)])
        return found


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ASCII", "ignore").decode("ASCII")


def _unaccented(text: str) -> str:
    normalized = unicodedata.normalize("NFKD", text)
    return "".join([one for one in normalized if not unicodedata.combining(one)])


def _check_meanings(text: str) -> None:
    """Check that two versions of Unicode take each character of a text for the same.

    Those of version 3.2 stay what they are, and so does a later one, such as an emoji, that is
    neither a letter nor part of one.

    Raises:
        Declined: one is not known here, or may not be known there.
    """
    for one in set(text):
        if unicodedata.category(one) == "Cn":
            raise Declined("a character that a later Unicode may know")
        if unicodedata.ucd_3_2_0.category(one) == "Cn" and (
            one.isalnum()
            or one.isspace()
            or one.lower() != one
            or unicodedata.combining(one)
            or unicodedata.decomposition(one)
        ):
            raise Declined("a character that an earlier Unicode may not know")
