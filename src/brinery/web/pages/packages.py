"""Packages: a version made into what runs elsewhere, proven, and downloaded."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from brinery.actions import proving
from brinery.actions.outline import version_in
from brinery.actions.package import Order, package_in
from brinery.actions.rooms import Rooms
from brinery.records.event import Event
from brinery.records.package import Package, Target
from brinery.records.version import Version
from brinery.registry.interface import askable
from brinery.specs.packaging import PackageSpec
from brinery.web.pages.frame import Crumb, Frame, moved
from brinery.web.pages.models import MODELS, path_of
from brinery.web.pages.tasks import Tasks

_PATH: Final = "/models/{name}/versions/{number:int}/package"
_TITLES: Final = {
    Target.GCF: "Google Cloud Functions",
    Target.LAMBDA: "AWS Lambda",
    Target.LAMBDA_CONTAINER: "AWS Lambda, as a container",
    Target.AZURE_FUNCTIONS: "Azure Functions",
    Target.CONTAINER: "Container",
    Target.KUBERNETES: "Kubernetes",
    Target.KSERVE: "KServe",
    Target.SAGEMAKER: "Amazon SageMaker",
    Target.AZUREML: "Azure Machine Learning",
    Target.WHEEL: "Python wheel",
}


def routes(rooms: Rooms, frame: Frame, *, tasks: Tasks) -> list[Route]:
    """Return the routes of packages."""
    packages = Packages(rooms, frame, tasks)
    return [
        Route(_PATH, packages.page),
        Route(_PATH, packages.make, methods=["POST"]),
        Route(f"{_PATH}/{{target}}.zip", packages.file),
    ]


class Packages:
    """Answers for packages.

    Args:
        rooms: of the workspace.
        frame: of all pages.
        tasks: does what takes long.
    """

    def __init__(self, rooms: Rooms, frame: Frame, tasks: Tasks) -> None:
        self._rooms = rooms
        self._frame = frame
        self._tasks = tasks

    def page(self, request: Request) -> Response:
        """Return what a version can be packaged for, and what was."""
        name, number = request.path_params["name"], request.path_params["number"]
        version = version_in(self._rooms, name, number=number)
        askable(version)
        task = self._tasks.find(request.query_params.get("task", ""))
        made = task.result if task is not None and isinstance(task.result, Package) else None
        return self._frame.page(
            request,
            "package.html",
            title=f"Package {version.reference}",
            section="models",
            command=f"brinery package {version.reference} --to TARGET",
            crumbs=(
                MODELS,
                Crumb(title=name, href=path_of(name)),
                Crumb(title=version.reference, href=path_of(name, number)),
            ),
            version=version,
            path=path_of(name, number),
            targets=_TITLES,
            task=task,
            made=made,
            kept=[one for one in Target if self._archive(version, one).is_file()],
            proofs=proving.kept(self._rooms, version),
        )

    async def make(self, request: Request) -> Response:
        """Make a package, which is run in a fresh environment first unless that is not wanted."""
        fields = await self._frame.form(request)
        name, number = request.path_params["name"], request.path_params["number"]
        version = version_in(self._rooms, name, number=number)
        target, verify = _target(fields.get("to", "")), fields.get("verify") == "yes"
        unproven = "" if verify else " --no-verify"
        task = self._tasks.begin(
            f"package {version.reference} {target}",
            self._steps(version, target, verify=verify),
            command=f"brinery package {version.reference} --to {target}{unproven}",
            path=f"{path_of(name, number)}/package",
            fields=fields,
        )
        return moved(f"{path_of(name, number)}/package?task={task.id}")

    def file(self, request: Request) -> Response:
        """Return the zip file of a package."""
        name, number = request.path_params["name"], request.path_params["number"]
        version = version_in(self._rooms, name, number=number)
        path = self._archive(version, _target(request.path_params["target"]))
        if not path.is_file():
            raise HTTPException(404)
        return FileResponse(path, media_type="application/zip", filename=path.name)

    def _archive(self, version: Version, target: Target) -> Path:
        return self._rooms.workspace.packages / f"{version.name}-{version.number}-{target}.zip"

    def _steps(
        self, version: Version, target: Target, *, verify: bool
    ) -> Generator[Event, None, Package]:
        """Yield what is done, and return the package, which takes the place of the one before."""
        archive = self._archive(version, target)
        folder = archive.with_suffix("")
        archive.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists():
            shutil.rmtree(folder)
        archive.unlink(missing_ok=True)
        spec = PackageSpec()
        order = Order(version=version, target=target, spec=spec, folder=folder, verify=verify)
        return (yield from package_in(self._rooms, order))


def _target(text: str) -> Target:
    try:
        return Target(text)
    except ValueError:
        raise HTTPException(404) from None
