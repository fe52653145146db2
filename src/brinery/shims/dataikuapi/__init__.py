"""The module `dataikuapi` of a script that Brinery runs: its workspace behind the names of a client."""

from __future__ import annotations

from dataikuapi.dssclient import DSSClient

__all__ = ["DSSClient"]
