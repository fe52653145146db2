"""Run by each Python of a script's environment when it starts: the compatibility steps wait.

A step changes a module of a library once that is imported, and not before; nothing is imported for
it. Each says what it does when it does something, not when it is made ready.
"""

from __future__ import annotations

import os
import sys

from brinery_shims.hooks import Hooks, install
from brinery_shims.setup import VARIABLE

HOOKS: "Hooks | None" = (
    install() if os.environ.get(VARIABLE) and sys.version_info >= (3, 8) else None
)
