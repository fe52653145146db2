"""The first lines that run in a model's process: it is confined, and only then runs a program.

It is run by its path, by the Python the model was written with, which need not have Brinery or
any package of ours installed; so it reads the standard library only, and puts the package that
it lies in on the path without anything beside it. Its first frame tells the parent what holds.
"""

from __future__ import annotations

import sys

sys.path.pop(0)  # this folder, whose modules would hide the standard library's

import gc
import importlib
import importlib.util
import json
import os
import runpy


def _put_package(folder: str) -> str:
    """Make a package importable, and nothing that lies beside its folder; return its name."""
    name = os.path.basename(folder)  # noqa: PTH119 - pathlib is not needed yet
    spec = importlib.util.spec_from_file_location(
        name,
        os.path.join(folder, "__init__.py"),  # noqa: PTH118 - as above
        submodule_search_locations=[folder],
    )
    if spec is None or spec.loader is None:
        raise ImportError(folder)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return name


def main() -> None:
    """Do what the plan says, which is the one argument, in JSON."""
    # What is made while libraries are imported is no garbage, and to look for some takes a tenth of
    # it. The program has the collector work again.
    gc.disable()
    plan = json.loads(sys.argv[1])
    room = f"{_put_package(plan['package'])}.pickles"
    sys.argv = [plan["module"], *plan["arguments"]]
    confinement = importlib.import_module(f"{room}.confinement")
    frames = importlib.import_module(f"{room}.frames")
    # Only now: a module of the user's that is named as one of Python's is not run unconfined.
    sys.path[:0] = plan["paths"]
    layers = confinement.confine(plan)
    reading, writing = map(int, plan["arguments"][:2])
    frames.Channel(reading, writing).send(json.dumps({"layers": layers}).encode())
    runpy.run_module(plan["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
