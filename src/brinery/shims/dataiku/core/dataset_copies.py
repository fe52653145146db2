"""A copy of a dataset as a data frame is made of it: uncompressed Arrow, mapped and not read.

The first who reads a version writes its copy beside the workspace's other caches; who reads it
after has its rows several times sooner. There is one for each dataset, of the version that was read
last, and none for large ones. It may be taken away at any time.
It is written beside the script, which has its rows already: the next reading waits for it.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from typing import Any, Dict, List, Optional, Tuple

_MOST_BYTES = 1 << 28
_READY = b"brinery.ready"
# By the path of what each of them writes.
_writers: Dict[str, threading.Thread] = {}


def kept(path: str) -> Optional[Tuple[Any, List[str]]]:
    """Return the rows as a table, and the columns of texts that are as they are to be.

    Args:
        path: of the copy.

    Returns:
        None where there is no copy, or none that can be read.
    """
    import pyarrow as pa

    writer = _writers.pop(path, None)
    if writer is not None:
        writer.join()
    try:
        with pa.memory_map(path) as source:
            table = pa.ipc.open_file(source).read_all()
        ready: List[str] = json.loads((table.schema.metadata or {})[_READY])
    except (OSError, ValueError, KeyError, pa.ArrowException):
        return None
    return table.replace_schema_metadata(None), ready


def keep(path: str, table: Any, ready: List[str]) -> Optional[threading.Thread]:
    """Return what writes a copy, in place of those of other versions; None where nothing does.

    Where it cannot be written, there is none. A script that ends waits until it is.

    Args:
        path: `FOLDER/DATASET@VERSION.arrow`.
        table: the rows.
        ready: the columns of texts that are as they are to be.
    """
    if table.nbytes > _MOST_BYTES:
        return None
    writer = threading.Thread(target=_write, args=(path, table, ready))
    try:
        writer.start()
    except RuntimeError:  # the script is ending, or has as many threads as it may
        return None
    _writers[path] = writer
    return writer


def _write(path: str, table: Any, ready: List[str]) -> None:
    import pyarrow as pa

    folder, name = os.path.split(path)
    others = name.rpartition("@")[0] + "@"
    staged = ""
    try:
        os.makedirs(folder, exist_ok=True)
        number, staged = tempfile.mkstemp(dir=folder, prefix=".new-")
        os.close(number)
        told = table.combine_chunks().replace_schema_metadata({_READY: json.dumps(ready)})
        with pa.OSFile(staged, "wb") as sink, pa.ipc.new_file(sink, told.schema) as writer:
            writer.write_table(told)
        os.replace(staged, path)
        for each in os.listdir(folder):
            if each.startswith(others) and each != name:
                os.unlink(os.path.join(folder, each))
    except (OSError, pa.ArrowException):
        if staged and os.path.exists(staged):
            os.unlink(staged)
