"""Keys: what a server that others reach asks for. Only a key's digest is kept."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from brinery.actions.rooms import Folder, Rooms, open_rooms
from brinery.errors import InvalidName, SettingsError
from brinery.records.audit import Change
from brinery.records.key import Key
from brinery.specs.user import login_name

if TYPE_CHECKING:
    from brinery.store.keys import Keys

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_PREFIX: Final = "brn_"
_BYTES: Final = 32
_SHORTEST: Final = 16
_SQLITE: Final = "sqlite:///"
_PAGE_KEY: Final = "page.key"


def create_key(name: str | None = None, *, workspace: Folder | None = None) -> tuple[Key, str]:
    """Return a new key's record, and the key itself, which is never shown again.

    Args:
        name: of it; `key-1`, `key-2` and so on when None.
        workspace: its folder; the nearest upwards when None.

    Raises:
        InvalidName: it is none that a key may have.
        AlreadyThere: there is a key of that name.
    """
    rooms = open_rooms(workspace)
    rooms.workspace.prepare()
    kept = _kept(rooms)
    if name is None:
        taken = {one.name for one in kept.all()}
        name = next(free for n in range(1, len(taken) + 2) if (free := f"key-{n}") not in taken)
    if not _NAME.fullmatch(name):
        raise InvalidName(
            f"'{name}' is not allowed as the name of a key: up to 100 letters, digits, '-', '_' "
            "and '.', the first a letter or a digit",
            hint="try --name laptop",
        )
    secret = _PREFIX + secrets.token_urlsafe(_BYTES)
    made = Key(name=name, sha256=digest(secret), created=datetime.now(UTC), who=login_name())
    kept.add(made, entry=rooms.entry(Change.CREATE_KEY, f"key {name}", after=name))
    return made, secret


def keys(*, workspace: Folder | None = None) -> list[Key]:
    """Return all keys of a workspace, the oldest first."""
    rooms = open_rooms(workspace)
    return _kept(rooms).all() if _are_there(rooms) else []


def delete_key(name: str, *, workspace: Folder | None = None) -> None:
    """Have no server of the workspace take a key any more; those that run heed it within seconds.

    Raises:
        NotFound: there is none of that name.
    """
    rooms = open_rooms(workspace)
    rooms.workspace.prepare()
    _kept(rooms).delete(name, entry=rooms.entry(Change.DELETE_KEY, f"key {name}", after=name))


def digest(key: str) -> str:
    """Return what is kept of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def known_digests(rooms: Rooms, key_file: str = "") -> tuple[str, ...]:
    """Return the digests of all keys that a server of a workspace takes.

    Args:
        rooms: of the workspace.
        key_file: with a key on each line; none when empty.

    Raises:
        SettingsError: the file cannot be read, or a key in it is too short.
    """
    told = [digest(key) for key in _read(Path(key_file))] if key_file else []
    stored = [key.sha256 for key in _kept(rooms).all()] if _are_there(rooms) else []
    return (*told, *stored)


def asked_for(rooms: Rooms, host: str, *, key_file: str = "") -> tuple[str, ...] | None:
    """Return the digests of the keys of which a server asks one; None where it asks for none.

    It asks wherever there is a key, and on every address that other machines may reach.
    """
    found = known_digests(rooms, key_file)
    return found if found or not is_loopback(host) else None


def check_host(host: str, digests: Sequence[str] | None) -> None:
    """Check that who listens for other machines asks for a key.

    Raises:
        SettingsError: there is none.
    """
    if digests is not None and not digests:
        raise SettingsError(
            f"whoever reaches {host} could change the registry: a server for other machines needs "
            "a key",
            hint="brinery key create, or brinery up --key-file FILE",
        )


def fits(key: str, digests: Sequence[str]) -> bool:
    """Return whether a key is one of those that are known; as long whichever it is."""
    given = digest(key)
    return sum(hmac.compare_digest(given, one) for one in digests) > 0


def is_loopback(host: str) -> bool:
    """Return whether nobody but this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def page_secret(rooms: Rooms) -> bytes:
    """Return what forms and sessions are signed with; kept, so that a page survives a new start."""
    path = rooms.workspace.state / _PAGE_KEY
    try:
        kept = path.read_bytes()
    except OSError:
        kept = b""
    if len(kept) == _BYTES:
        return kept
    made = secrets.token_bytes(_BYTES)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_bytes(made)
    return made


def _read(path: Path) -> list[str]:
    """Return the keys of a file.

    Raises:
        SettingsError: it cannot be read, holds none, or one that is too short.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(
            f"the key file {path} cannot be read: {reason}",
            hint="brinery key create makes a key that needs no file",
        ) from None
    found = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not found or any(len(key) < _SHORTEST or not key.isascii() for key in found):
        raise SettingsError(
            f"the key file {path} needs a key of {_SHORTEST} ASCII characters or more on each line",
            hint="python -c 'import secrets; print(secrets.token_urlsafe(32))' makes one",
        )
    return found


def _kept(rooms: Rooms) -> Keys:
    return _opened(rooms.database)


@cache
def _opened(uri: str) -> Keys:
    """Return the keys in a database; its tables are brought up to date once for each process."""
    # What opens the database takes long to import, and most commands need none.
    return cast("Keys", import_module("brinery.store.keys").Keys(uri))


def _are_there(rooms: Rooms) -> bool:
    """Return whether there may be keys: a database that was never written holds none."""
    uri = rooms.database
    return not uri.startswith(_SQLITE) or Path(uri.removeprefix(_SQLITE)).exists()
