"""All hostile files."""

from __future__ import annotations

from tests.pickles import costly, gadgets, malicious, misused, stored
from tests.pickles.malicious import Sample


def samples() -> tuple[Sample, ...]:
    """Return all of them."""
    return (
        *malicious.samples(),
        *misused.samples(),
        *gadgets.samples(),
        *costly.samples(),
        *stored.samples(),
    )
