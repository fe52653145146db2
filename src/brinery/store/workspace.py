"""A workspace: the folder with `brinery.toml`, and where its state lies."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from brinery.errors import SettingsError

if TYPE_CHECKING:
    from filelock import FileLock

SETTINGS_FILE = "brinery.toml"
_STATE_FOLDER = ".brinery"

# What ends the path of a database's URI, or is read as an escape in it.
_NO_URI = set("%?#")

_FIRST_SETTINGS = """\
# A Brinery workspace. Its state lies in .brinery/ beside this file.
# Every setting and its default: docs/reference/settings.md
"""


class Workspace(Struct, frozen=True):
    """A workspace that may not have been written to yet.

    Attributes:
        root: the folder, absolute.
    """

    root: Path

    @classmethod
    def find(cls, explicit: Path | None = None) -> Workspace:
        """Return the workspace at a path, or the nearest one upwards, or the current folder.

        Raises:
            SettingsError: the explicit path is not a folder, or cannot be part of a URI.
        """
        if explicit is not None and not explicit.is_dir():
            raise SettingsError(
                f"the workspace {explicit} is not a folder", hint=f"mkdir -p {explicit}"
            )
        root = _nearest_root() if explicit is None else explicit.resolve()
        if unfit := _NO_URI & set(str(root)):
            raise SettingsError(
                f"the workspace {root} has '{min(unfit)}' in its path, which database URIs do not "
                "take",
                hint="rename the folder, or choose another with --workspace PATH",
            )
        return cls(root)

    @property
    def settings_file(self) -> Path:
        """Return where its settings are, whether or not they are there."""
        return self.root / SETTINGS_FILE

    @property
    def state(self) -> Path:
        """Return the folder of its state."""
        return self.root / _STATE_FOLDER

    @property
    def exists(self) -> bool:
        """Return whether anything was ever written to it."""
        return self.state.is_dir()

    @property
    def packages(self) -> Path:
        """Return the folder of the packages that were made from the page."""
        return self.state / "packages"

    @property
    def tracking_uri(self) -> str:
        """Return the URI under which any MLflow program finds its runs and models."""
        return f"sqlite:///{self.state / 'mlflow.db'}"

    @property
    def artifacts(self) -> Path:
        """Return the folder of the artifacts."""
        return self.state / "artifacts"

    @property
    def evaluations(self) -> Path:
        """Return the folder of the whole evaluations and their reports."""
        return self.state / "evaluations"

    @property
    def cache(self) -> Path:
        """Return the folder of what was downloaded from a bucket."""
        return self.state / "cache"

    @property
    def data(self) -> Path:
        """Return the folder that says where the data of evaluations lies."""
        return self.state / "data"

    @property
    def assets(self) -> Path:
        """Return the folder of the registered data, environments, components and models."""
        return self.state / "assets"

    @property
    def datastores(self) -> Path:
        """Return the folder of the datastores that are at no address."""
        return self.state / "datastores"

    @property
    def jobs(self) -> Path:
        """Return the folder of the jobs."""
        return self.state / "jobs"

    @property
    def imports(self) -> Path:
        """Return the folder of the imports that were begun on the page."""
        return self.state / "imports"

    @property
    def tasks(self) -> Path:
        """Return the folder of what pages began, and what became of it."""
        return self.state / "tasks"

    @property
    def environments(self) -> Path:
        """Return the folder of the environments that were built for models."""
        return self.state / "environments"

    @property
    def untold_runs(self) -> Path:
        """Return the folder of the runs of jobs that MLflow was not told of yet."""
        return self.state / "untold-runs"

    @property
    def database_uri(self) -> str:
        """Return the URI of our own database."""
        return f"sqlite:///{self.state / 'brinery.db'}"

    def lock(self) -> FileLock:
        """Return the lock that is held while the registry is changed.

        It belongs to the process: the system frees it when the process is killed.
        """
        # A job of small steps takes no lock of this kind, and has no time for its import.
        made: FileLock = import_module("filelock").FileLock(self.state / "registry.lock")
        return made

    def prepare(self) -> None:
        """Make its folders and its settings file, where they are missing.

        Raises:
            SettingsError: the folder cannot be written.
        """
        try:
            self.artifacts.mkdir(parents=True, exist_ok=True)
            (self.state / ".gitignore").write_text("*\n")
            if not self.settings_file.exists():
                self.settings_file.write_text(_FIRST_SETTINGS)
        except OSError as error:
            raise SettingsError(
                f"the workspace {self.root} cannot be written: {error.strerror}",
                hint="choose another with --workspace PATH",
            ) from None


def _nearest_root() -> Path:
    """Return the nearest folder upwards with a settings file, or else the current one."""
    here = Path.cwd()
    folders = (folder for folder in (here, *here.parents) if (folder / SETTINGS_FILE).is_file())
    return next(folders, here)
