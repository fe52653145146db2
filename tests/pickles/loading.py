"""Loads files as their victims would, one by one: run by its path, in its own process.

Its one argument is a JSON list of pairs, a file and a loader. What fails is passed over.
"""

from __future__ import annotations

import json
import pickle
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

LONGEST_S = 60


def load(path: str, loader: str) -> Any:
    """Return what a file holds; running it is what that means, and the point."""
    if loader == "joblib":
        import joblib  # noqa: PLC0415 - what is not needed is not imported

        return joblib.load(path)  # noqa: TID251 - the victim's way
    if loader == "skops":
        import skops.io  # noqa: PLC0415 - as above

        names = skops.io.get_untrusted_types(file=path)
        return skops.io.load(path, trusted=names)  # which is what its hint says
    if loader == "numpy":
        import numpy as np  # noqa: PLC0415 - as above

        held = np.load(path, allow_pickle=True)
        return [held[name] for name in getattr(held, "files", ())]
    if loader == "pandas":
        import pandas as pd  # noqa: PLC0415 - as above

        return pd.read_pickle(path)  # noqa: S301 - the victim's way
    with Path(path).open("rb") as stream:
        held = pickle.load(stream)  # noqa: S301, TID251 - the victim's way
    if loader == "predict":
        return held.predict([[1.0]])
    return held.transform([[1.0]]) if loader == "transform" else held


def main() -> None:
    """Load every file of the plan, each for a while at most."""
    warnings.simplefilter("ignore")
    for path, loader in json.loads(Path(sys.argv[1]).read_text()):
        signal.alarm(LONGEST_S)
        try:
            load(path, loader)
        except BaseException as error:  # noqa: BLE001 - harm is done before it fails
            sys.stderr.write(f"{path}: {type(error).__name__}: {error}\n")
        signal.alarm(0)


def give_up(*_: Any) -> None:
    """End a load that takes too long."""
    raise TimeoutError


def from_within(depth: int) -> None:
    """Run from within other functions, as programs do: some samples look at their callers."""
    if depth:
        from_within(depth - 1)
    else:
        main()


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, give_up)
    from_within(5)
