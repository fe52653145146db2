"""The module `dataikuapi` of a script that Brinery runs: its workspace under a client's names."""

from __future__ import annotations

from brinery_shims.gateway import wake

from dataikuapi.apinode_client import APINodeClient
from dataikuapi.dssclient import DSSClient

__all__ = ["APINodeClient", "DSSClient"]

wake()
