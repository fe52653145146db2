"""Builds the kernel of the scorers: by hatchling into a wheel, by `make` into the source tree.

The compiler is `cc`, or zig's where `ziglang` is installed (`python -m ziglang cc`). With neither,
a wheel is made without the kernel: models of trees are then scored by their own library.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import platform_tags

FOLDER = Path(__file__).parent / "src" / "brinery" / "scorers"
SOURCES = (FOLDER / "kernel.c", FOLDER / "narrow.c", FOLDER / "shapley.c")
KERNEL = FOLDER / "libkernel.so"
# Each operation is to round by itself: a fused one would give other last digits than a library.
FLAGS = (
    "-std=c99",
    "-O2",
    "-ffp-contract=off",
    "-fvisibility=hidden",
    "-shared",
    "-fPIC",
    "-Wall",
    "-Werror",
)


class KernelHook(BuildHookInterface[Any]):
    """Compiles the kernel and says which platform the wheel is for."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile; a wheel without a kernel fits every platform."""
        del version
        compiler = find_compiler()
        if compiler is None:
            self.app.display_warning("no C compiler: the wheel has no kernel for fast trees")
            return
        compile_kernel(compiler)
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{next(iter(platform_tags()))}"


def find_compiler() -> list[str] | None:
    """Return the command of a C compiler; None where there is none."""
    if found := shutil.which("cc"):
        return [found]
    if importlib.util.find_spec("ziglang") is not None:
        return [sys.executable, "-m", "ziglang", "cc"]
    return None


def compile_kernel(compiler: list[str]) -> None:
    """Write the kernel beside its source; whole, or not at all."""
    part = KERNEL.with_suffix(".part")
    subprocess.run([*compiler, *FLAGS, *map(str, SOURCES), "-lm", "-o", str(part)], check=True)
    part.replace(KERNEL)


if __name__ == "__main__":
    command = find_compiler()
    if command is None:
        sys.exit("error: there is no C compiler: pip install ziglang")
    compile_kernel(command)
