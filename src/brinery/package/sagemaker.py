"""Amazon SageMaker: an image of one's own, which answers `/ping` and `/invocations`.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

from __future__ import annotations

from brinery.package import serving
from brinery.package.contents import Contents, Platform, Rendered
from brinery.records.package import Target


def render(contents: Contents) -> Rendered:
    """Return the files of the image."""
    name, image = serving.name(contents), serving.image_name(contents)
    deploy = f"""```sh
docker build --platform linux/amd64 --tag $REGISTRY/{image} .
docker push $REGISTRY/{image}
aws sagemaker create-model --model-name {name}-{contents.facts.version} \\
  --primary-container Image=$REGISTRY/{image} --execution-role-arn $ROLE
```

Then an endpoint of that model; `InvokeEndpoint` with `--content-type application/json` reaches
`/invocations`.
Callers are let in by IAM: they need `sagemaker:InvokeEndpoint` on the endpoint, and there are no
others.
"""
    return Rendered(
        files=serving.image(contents, serve=True),
        start=serving.start(contents, path="/invocations"),
        deploy=deploy,
        ran=f"waitress-serve {contents.module}.app:app, the image's command, asked at /invocations",
        not_run="the build of the image, and SageMaker itself",
    )


PLATFORM = Platform(target=Target.SAGEMAKER, needs=serving.NEEDS, render=render)
