"""KServe: an inference service around the container, asked by the first of its protocols."""

from __future__ import annotations

from brinery.package import serving
from brinery.package.contents import Contents, Platform, Rendered
from brinery.records.package import Target


def render(contents: Contents) -> Rendered:
    """Return the files of the image, and the inference service."""
    facts, name, image = contents.facts, serving.name(contents), serving.image_name(contents)
    service = f"""apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: {name}
  annotations:
    brinery/model: {facts.reference}
spec:
  predictor:
    minReplicas: 1
    containers:
      - name: kserve-container
        image: {image}
        ports:
          - containerPort: {serving.PORT}
            protocol: TCP
        resources:
          requests:
            cpu: 100m
            memory: 256Mi
          limits:
            memory: 1Gi
        securityContext:
          runAsNonRoot: true
          runAsUser: 10001
          allowPrivilegeEscalation: false
          capabilities:
            drop: [ALL]
        readinessProbe:
          httpGet:
            path: /v1/models/{facts.model}
            port: {serving.PORT}
"""
    deploy = f"""```sh
docker build --tag $REGISTRY/{image} . && docker push $REGISTRY/{image}
# write $REGISTRY/{image} as the image of inferenceservice.yaml
kubectl apply --filename inferenceservice.yaml
```

Ask `POST /v1/models/{facts.model}:predict` with `{{"instances": [{{…}}]}}`.
Callers are kept out by the cluster's gateway, for which KServe has no keys of its own.
"""
    return Rendered(
        files={**serving.image(contents), "inferenceservice.yaml": service.encode()},
        start=serving.start(contents, path=f"/v1/models/{facts.model}:predict"),
        deploy=deploy,
        ran=f"waitress-serve {contents.module}.app:app, the predictor's command, asked at "
        f"/v1/models/{facts.model}:predict",
        not_run="the build of the image, and a cluster with KServe",
    )


PLATFORM = Platform(target=Target.KSERVE, needs=serving.NEEDS, render=render)
