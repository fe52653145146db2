from __future__ import annotations

import platform
import re
from pathlib import Path

import pytest

from brinery.pickles import seccomp

# Where the kernel's own numbers lie, if its headers are installed: x86_64, and the list that
# newer architectures such as aarch64 share.
HEADERS = (
    Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    Path("/usr/include/asm-generic/unistd.h"),
)


@pytest.mark.parametrize("column", [0, 1])
def test_numbers(column: int) -> None:
    """Every call has the number that the kernel's headers give it."""
    header = HEADERS[column]
    if not header.exists():
        pytest.skip(f"{header} is not installed")
    found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text(encoding="utf-8"))
    numbers = {name: int(number) for name, number in found}
    made = {name: pair for name, (pair, _) in (seccomp._MAKING | seccomp._OPENING).items()}
    tables = seccomp._ENDING | seccomp._REFUSED | seccomp._OF_ITSELF | seccomp._HIDDEN | made
    known = {name: pair[column] for name, pair in tables.items() if name in numbers}
    assert len(known) > 80
    assert known == {name: numbers[name] for name in known}


def test_one_verdict_for_each_call() -> None:
    """No call is in two lists, nor twice in one under different names."""
    for column in (0, 1):
        lists = (seccomp._ENDING, seccomp._REFUSED, seccomp._OF_ITSELF, seccomp._HIDDEN)
        numbers = [pair[column] for table in lists for pair in table.values()]
        making = seccomp._MAKING | seccomp._OPENING
        numbers += [pair[column] for pair, _ in making.values()]
        there = [number for number in numbers if number is not None]
        assert len(there) == len(set(there))
        assert max(there) <= seccomp._NEWEST


@pytest.mark.skipif(
    platform.machine() not in seccomp._ARCHITECTURES, reason="no filter on this architecture"
)
@pytest.mark.parametrize("landlock_abi", [0, 7])
def test_filter_is_one_that_the_kernel_takes(landlock_abi: int) -> None:
    """The filter is short enough, no jump leads past its end, and it ends in a verdict."""
    code = seccomp._code(landlock_abi, 1234)
    assert len(code) <= 4096
    for place, (_, yes, no, _) in enumerate(code):
        assert place + 1 + max(yes, no) < len(code) or place == len(code) - 1
        assert max(yes, no) <= 255
    assert code[-1] == (seccomp._RETURN, 0, 0, seccomp._ALLOW)
