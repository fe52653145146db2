"""A wheel: `pip install`, then `from bank_model import predict`, or the console command."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

from brinery.package.contents import Contents, Platform, Rendered, text
from brinery.package.writer import archive
from brinery.records.package import Target


def render(contents: Contents) -> Rendered:
    """Return the wheel, and how it is proven."""
    module, facts = contents.module, contents.facts
    name = module.replace("_", "-")
    wheel = f"{module}-{facts.version}-{_tag(contents)}.whl"
    deploy = f"""```sh
pip install {wheel}
```

```python
from {module} import predict

predict({{...}})          # a row: an object
predict([{{...}}, ...])   # several rows: a list
```

```sh
echo '{{...}}' | {name}
```

Bad rows raise `ValueError` with the row and the column.
The requirements of the wheel are exact: install it in an environment of its own, or with
`--no-deps` where you know better.
"""
    return Rendered(
        files={wheel: _wheel(contents)},
        start={"kind": "call", "command": ["{bin}/" + name, "--lines"]},
        deploy=deploy,
        ran=f"the console command {name} of the installed wheel",
        code=False,
    )


def _tag(contents: Contents) -> str:
    return f"py3-none-{contents.compiled or 'any'}"


def _wheel(contents: Contents) -> bytes:
    module, facts = contents.module, contents.facts
    info = f"{module}-{facts.version}.dist-info"
    name = module.replace("_", "-")
    files = {f"{module}/{path}": data for path, data in contents.code.items()}
    files[f"{info}/METADATA"] = text(
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {facts.version}",
        f"Summary: {facts.reference}, a packaged model: {facts.outline}",
        f"Requires-Python: >={contents.python}, <{_next(contents.python)}",
        *(f"Requires-Dist: {pin}" for pin in contents.pins),
    )
    pure = "false" if contents.compiled else "true"
    files[f"{info}/WHEEL"] = text(
        "Wheel-Version: 1.0",
        f"Generator: {facts.created_by}",
        f"Root-Is-Purelib: {pure}",
        f"Tag: {_tag(contents)}",
    )
    files[f"{info}/entry_points.txt"] = text(
        "[console_scripts]", f"{name} = {module}.__main__:main"
    )
    files[f"{info}/RECORD"] = _record(files, info=info)
    return archive(files)


def _record(files: Mapping[str, bytes], *, info: str) -> bytes:
    lines = []
    for path, data in sorted(files.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(data)}")
    return text(*lines, f"{info}/RECORD,,")


def _next(python: str) -> str:
    major, _, minor = python.partition(".")
    return f"{major}.{int(minor) + 1}"


PLATFORM = Platform(target=Target.WHEEL, needs=(), render=render)
