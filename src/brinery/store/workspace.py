"""A workspace: the folder with `brinery.toml`, and where its state lies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from brinery.errors import SettingsError

SETTINGS_FILE = "brinery.toml"
_STATE_FOLDER = ".brinery"

_FIRST_SETTINGS = """\
# A Brinery workspace. Its state lies in .brinery/ beside this file.
# Every setting and its default: docs/reference/settings.md
"""


@dataclass(frozen=True)
class Workspace:
    """A workspace that may not have been written to yet.

    Attributes:
        root: the folder, absolute.
    """

    root: Path

    @classmethod
    def find(cls, explicit: Path | None = None) -> Workspace:
        """Return the workspace at a path, or the nearest one upwards, or the current folder.

        Raises:
            SettingsError: the explicit path is not a folder.
        """
        if explicit is not None:
            if not explicit.is_dir():
                raise SettingsError(
                    f"the workspace {explicit} is not a folder", hint=f"mkdir -p {explicit}"
                )
            return cls(explicit.resolve())
        here = Path.cwd()
        for folder in (here, *here.parents):
            if (folder / SETTINGS_FILE).is_file():
                return cls(folder)
        return cls(here)

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
    def tracking_uri(self) -> str:
        """Return the URI under which any MLflow program finds its runs and models."""
        return f"sqlite:///{self.state / 'mlflow.db'}"

    @property
    def artifacts(self) -> Path:
        """Return the folder of the artifacts."""
        return self.state / "artifacts"

    @property
    def database_uri(self) -> str:
        """Return the URI of our own database."""
        return f"sqlite:///{self.state / 'brinery.db'}"

    def import_lock(self) -> FileLock:
        """Return the lock that an import holds while it writes to the registry.

        It belongs to the process: the system frees it when the process is killed.
        """
        return FileLock(self.state / "import.lock")

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
