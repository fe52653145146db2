"""A registered asset: one version of data, an environment, a component, a model, or a datastore."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from brinery.records.plan import Software
from brinery.records.text_enum import TextEnum


class AssetKind(TextEnum):
    """What an asset is."""

    COMPONENT = "component"
    DATA = "data"
    DATASTORE = "datastore"
    ENVIRONMENT = "environment"
    MODEL = "model"


class AssetChange(Struct, frozen=True, kw_only=True):
    """One change of what is said of an asset; what is in it never changes.

    Attributes:
        at: with time zone.
        who: made it.
        what: in words.
    """

    at: datetime
    who: str
    what: str


class Asset(Struct, frozen=True, kw_only=True):
    """One version of an asset.

    Attributes:
        kind: what it is.
        name: of the asset, which its versions share.
        version: a text, compared as one.
        created: with time zone.
        who: created it.
        type: `uri_folder`, `mlflow_model`, `command`, `azure_blob`, … by its kind.
        description: in the user's words.
        display_name: as it is shown.
        tags: in the user's words.
        properties: likewise, which scripts set.
        labels: names beside `latest` that mean this version.
        archived: whether lists leave it out.
        content: path within the asset's own folder of the copy that was taken; empty where it is
            at an address.
        address: URI of what was not copied; empty where it was.
        digest: BLAKE3 of the copy; empty where there is none.
        size_bytes: of the copy.
        source: path or URI as it was declared, for people.
        software: of an environment; empty for the others.
        changes: oldest first.
    """

    kind: AssetKind
    name: str
    version: str
    created: datetime
    who: str = ""
    type: str = ""
    description: str = ""
    display_name: str = ""
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}
    labels: tuple[str, ...] = ()
    archived: bool = False
    content: str = ""
    address: str = ""
    digest: str = ""
    size_bytes: int = 0
    source: str = ""
    software: Software = Software()
    changes: tuple[AssetChange, ...] = ()

    @property
    def reference(self) -> str:
        """Return what job files name it by."""
        return f"azureml:{self.name}:{self.version}"
