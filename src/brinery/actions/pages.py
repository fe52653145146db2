"""Where the page of something is: at the server of the workspace that runs now."""

from __future__ import annotations

from pathlib import Path

from brinery.actions.asset_rooms import Folder, open_asset_rooms
from brinery.store import servers


def announce(url: str, *, workspace: Folder | None = None) -> None:
    """Tell that this process serves a workspace, until it ends.

    Args:
        url: of its pages, without a slash at its end.
        workspace: its folder; the nearest upwards when None.
    """
    servers.announce(_state(workspace), url)


def page_of(path: str, *, workspace: Folder | None = None) -> str:
    """Return the URL of a page; empty where no server of the workspace runs.

    Args:
        path: of the page: `/jobs/NAME`.
        workspace: its folder; the nearest upwards when None.
    """
    found = servers.running(_state(workspace))
    return f"{found}{path}" if found else ""


def _state(workspace: Folder | None) -> Path:
    return open_asset_rooms(workspace).workspace.state
