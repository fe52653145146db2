"""An image for any container engine."""

from __future__ import annotations

from brinery.package import serving
from brinery.package.contents import Contents, Platform, Rendered, text
from brinery.records.package import Target


def render(contents: Contents) -> Rendered:
    """Return the files of the image, and of `docker compose`."""
    image, name, port = serving.image_name(contents), serving.name(contents), serving.PORT
    compose = text(
        "services:",
        f"  {name}:",
        "    build: .",
        f"    image: {image}",
        "    ports:",
        f'      - "127.0.0.1:{port}:{port}"',
        "    read_only: true",
        "    cap_drop: [ALL]",
        "    security_opt: [no-new-privileges:true]",
        "    restart: unless-stopped",
    )
    deploy = f"""```sh
docker build --tag {image} .
docker run --read-only --publish 127.0.0.1:{port}:{port} {image}
```

or `docker compose up --build`.
The image runs as a user without rights, writes nothing, and answers `GET /ping` where it is ready.
It has no keys of its own: who may call it is for the gateway in front of it to say, and the port is
published on this machine alone.
"""
    return Rendered(
        files={**serving.image(contents), "docker-compose.yml": compose},
        start=serving.start(contents, path="/"),
        deploy=deploy,
        ran=f"waitress-serve {contents.module}.app:app, the image's command, asked over HTTP",
        not_run="the build of the image, for which no engine is asked",
    )


PLATFORM = Platform(target=Target.CONTAINER, needs=serving.NEEDS, render=render)
