"""Kubernetes: a deployment of the container, with a service, a scaler and probes, for Kustomize."""

from __future__ import annotations

from brinery.package import serving
from brinery.package.contents import Contents, Platform, Rendered
from brinery.records.package import Target


def render(contents: Contents) -> Rendered:
    """Return the files of the image, and the manifests in `k8s/`."""
    name, image = serving.name(contents), serving.image_name(contents)
    manifests = {
        "k8s/deployment.yaml": _deployment(name, image, version=contents.facts.version),
        "k8s/service.yaml": _service(name),
        "k8s/hpa.yaml": _scaler(name),
        "k8s/kustomization.yaml": _kustomization(image),
    }
    deploy = f"""```sh
docker build --tag $REGISTRY/{image} . && docker push $REGISTRY/{image}
cd k8s && kustomize edit set image {image.partition(":")[0]}=$REGISTRY/{image}
kubectl apply --kustomize .
```

The service is reached within the cluster only.
Who may call it from outside is for the ingress or the mesh to say, and it has no keys of its own.
"""
    return Rendered(
        files={
            **serving.image(contents),
            **{path: document.encode() for path, document in manifests.items()},
        },
        start=serving.start(contents, path="/"),
        deploy=deploy,
        ran=f"waitress-serve {contents.module}.app:app, the pod's command, asked over HTTP",
        not_run="the build of the image and a cluster; Brinery's tests hold such manifests against "
        "the OpenAPI schemas of Kubernetes",
    )


def _deployment(name: str, image: str, *, version: int) -> str:
    port = serving.PORT
    return f"""apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  labels:
    app.kubernetes.io/name: {name}
    app.kubernetes.io/version: "{version}"
spec:
  selector:
    matchLabels:
      app.kubernetes.io/name: {name}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {name}
        app.kubernetes.io/version: "{version}"
    spec:
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: model
          image: {image}
          ports:
            - name: http
              containerPort: {port}
          resources:
            requests:
              cpu: 100m
              memory: 256Mi
            limits:
              memory: 1Gi
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
          startupProbe:
            httpGet:
              path: /ping
              port: http
            periodSeconds: 2
            failureThreshold: 30
          readinessProbe:
            httpGet:
              path: /ping
              port: http
            periodSeconds: 5
          livenessProbe:
            httpGet:
              path: /ping
              port: http
            periodSeconds: 10
            failureThreshold: 3
"""


def _service(name: str) -> str:
    return f"""apiVersion: v1
kind: Service
metadata:
  name: {name}
  labels:
    app.kubernetes.io/name: {name}
spec:
  selector:
    app.kubernetes.io/name: {name}
  ports:
    - name: http
      port: 80
      targetPort: http
"""


def _scaler(name: str) -> str:
    return f"""apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {name}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {name}
  minReplicas: 2
  maxReplicas: 10
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: 70
"""


def _kustomization(image: str) -> str:
    name, _, tag = image.partition(":")
    return f"""apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - deployment.yaml
  - service.yaml
  - hpa.yaml
images:
  - name: {name}
    newTag: "{tag}"
"""


PLATFORM = Platform(target=Target.KUBERNETES, needs=serving.NEEDS, render=render)
