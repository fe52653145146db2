"""The user's name, where there is one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from brinery.specs.user import login_name

NAMES = ("LOGNAME", "USER", "LNAME", "USERNAME")


def test_the_name_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """The login name is the one that the shell sets."""
    monkeypatch.setenv("LOGNAME", "ada")
    assert login_name() == "ada"


@pytest.mark.skipif(sys.platform == "win32", reason="users are numbered on POSIX only")
def test_a_user_without_a_name() -> None:
    """A user that the system does not know, as in a container, is named by number."""
    program = (
        "import os\n"
        f"for name in {NAMES}: os.environ.pop(name, None)\n"
        "from brinery.specs.user import login_name\n"
        "try: os.setuid(54321)\n"
        "except PermissionError: raise SystemExit(77)\n"
        "print(login_name())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    if done.returncode == 77:
        pytest.skip("only root may become a user without a name")
    assert done.stdout == "uid 54321\n"
