"""How much of a file is read before it is refused: what no honest model needs and a bomb does."""

from __future__ import annotations

from dataclasses import dataclass

# Opcodes of all pickles of a file: a vectorizer of three million words needs nine million.
MAX_STEPS = 12_000_000

# Opcodes of bytes that may be a pickle or may be noise, until they have asked for a name.
PATIENCE_STEPS = 20_000

# Marks that wait for their end, parts within parts, names, and parts of an archive.
MAX_MARKS = 100_000
MAX_DEPTH = 6
MAX_NAMES = 10_000
MAX_MEMBERS = 65_536

# What one value keeps in memory, text or bytes, what all of them keep, and what is read whole.
KEEP_TEXT_BYTES = 1 << 20
KEEP_BYTES = 1 << 12
MAX_TEXT_BYTES = 256 << 20
MAX_KEPT_BYTES = 64 << 20
MAX_WHOLE_BYTES = 64 << 20

# A number of more bytes than this is no parameter of a model. A line is a number or a name; one
# that is a text, as protocol 0 has it, may be an array: its first bytes are kept.
MAX_NUMBER_BYTES = 4096
MAX_LINE_BYTES = 2 * MAX_NUMBER_BYTES

# Text that is not plain ASCII may take this many bytes for each character.
WIDE_BYTES = 4

# What is read whole as JSON or YAML: its bytes, and how many values they may be.
MAX_JSON_BYTES = 64 << 20
MAX_JSON_VALUES = 1_500_000

# How much a file may grow when it is decompressed: by this factor, beyond the first bytes.
MAX_RATIO = 250
RATIO_FREE_BYTES = 128 << 20
MAX_PLAIN_BYTES = 64 << 30

# Of how many objects a value consists when each is counted as often as it is referred to.
MAX_EXPANDED = 100_000_000

# What is made of nothing but a number: bytes, and characters of regular expressions, which take
# thousands of times longer to compile than to read.
MAX_MADE_BYTES = 1 << 28
MAX_PATTERN_CHARACTERS = 1 << 13

# How deep objects lie within each other: picklers go as deep as Python's own recursion.
MAX_NESTED = 10_000


class TooMuch(Exception):
    """A bound was reached; the words are for people."""


class Broken(Exception):
    """Bytes are not what they claim to be; the words are for people."""


class Impatient(Broken):
    """Bytes that may be noise are a pickle's opcodes for long, and ask for no name."""


@dataclass
class Budget:
    """What is left of the bounds; all parts of a file share one.

    Attributes:
        steps: opcodes.
        text_bytes: of texts, which may be parts of names, and of numbers.
        kept_bytes: of values of bytes that are kept in memory; those after them are not.
        objects: that calls and keys consist of, each as often as it is referred to.
        made_bytes: that are made of nothing but a number.
        pattern_characters: of regular expressions.
        members: parts of archives, and streams of compressed bytes that follow one another.
        source_bytes: how large the file itself is.
        plain_bytes: how many bytes were decompressed, in all layers.
    """

    steps: int = MAX_STEPS
    text_bytes: int = MAX_TEXT_BYTES
    kept_bytes: int = MAX_KEPT_BYTES
    objects: int = MAX_EXPANDED
    made_bytes: int = MAX_MADE_BYTES
    pattern_characters: int = MAX_PATTERN_CHARACTERS
    members: int = MAX_MEMBERS
    source_bytes: int = 0
    plain_bytes: int = 0

    def spend_steps(self, count: int) -> None:
        """Count opcodes.

        Raises:
            TooMuch: there were too many.
        """
        self.steps -= count
        if self.steps < 0:
            raise TooMuch(f"it has more than {MAX_STEPS:,} opcodes")

    def spend_objects(self, count: int) -> None:
        """Count objects that a call or a hash may go through.

        Raises:
            TooMuch: there were too many.
        """
        self.objects -= count
        if self.objects < 0:
            raise TooMuch(f"its calls and keys are more than {MAX_EXPANDED:,} objects, written out")

    def spend_made(self, count: int) -> None:
        """Count bytes that are made of nothing but a number.

        Raises:
            TooMuch: there were too many.
        """
        self.made_bytes -= count
        if self.made_bytes < 0:
            raise TooMuch(f"it asks for more than {MAX_MADE_BYTES:,} bytes that it does not hold")

    def spend_pattern(self, count: int) -> None:
        """Count characters of a regular expression.

        Raises:
            TooMuch: there were too many.
        """
        self.pattern_characters -= count
        if self.pattern_characters < 0:
            raise TooMuch(
                f"its regular expressions have more than {MAX_PATTERN_CHARACTERS:,} characters"
            )

    def spend_member(self) -> None:
        """Count a part of an archive.

        Raises:
            TooMuch: there were too many.
        """
        self.members -= 1
        if self.members < 0:
            raise TooMuch(f"it has more than {MAX_MEMBERS:,} parts")

    def spend_plain(self, count: int) -> None:
        """Count bytes that were decompressed, in whichever layer.

        Raises:
            TooMuch: the file grows as only a bomb does.
        """
        self.plain_bytes += count
        if self.plain_bytes > RATIO_FREE_BYTES + MAX_RATIO * self.source_bytes:
            raise TooMuch(
                f"its {self.source_bytes:,} bytes become more than {self.plain_bytes:,} in all its "
                "layers of compression, as only a bomb's do"
            )

    def spend_wide(self, text: str) -> None:
        """Count what a text that was counted by its bytes takes beyond those.

        Raises:
            TooMuch: there were too many.
        """
        if not text.isascii():
            self.text_bytes -= (WIDE_BYTES - 1) * len(text)
            self._check_text()

    def text(self, length: int) -> int:
        """Return how many bytes of a text are kept, and count them.

        Raises:
            TooMuch: there were too many.
        """
        kept = min(length, KEEP_TEXT_BYTES)
        self.text_bytes -= kept
        self._check_text()
        return kept

    def room(self, length: int) -> int:
        """Return how many bytes of a value may be kept, and count them."""
        kept = min(length, KEEP_BYTES, self.kept_bytes)
        self.kept_bytes -= kept
        return kept

    def _check_text(self) -> None:
        if self.text_bytes < 0:
            raise TooMuch(f"its texts and numbers have more than {MAX_TEXT_BYTES:,} bytes")
