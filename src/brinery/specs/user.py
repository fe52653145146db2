"""Who uses this process, as the audit trail and MLflow's runs write it."""

from __future__ import annotations

import getpass
import os


def login_name() -> str:
    """Return the login name; in a container whose user has none, the user's number."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"uid {os.getuid()}"
