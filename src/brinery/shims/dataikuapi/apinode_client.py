"""A client of an API service, which `brinery serve` and `brinery up` answer."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Optional

from brinery_shims.errors import DataikuException
from brinery_shims.unsupported import NotHere, Partial

_REFUSED = 400


class APINodeClient(Partial):
    """A client of one API service.

    Args:
        uri: of the server, such as `http://127.0.0.1:8000/`.
        service_id: of the service.
        api_key: of the service; sent as the user name of HTTP Basic.
        bearer_token: likewise, sent as a bearer token.
        no_check_certificate: whether any certificate of the server is taken.
        client_certificate: a file, or a pair of files.
        **kwargs: are not used.
    """

    def __init__(
        self,
        uri: str,
        service_id: str,
        api_key: Optional[str] = None,
        bearer_token: Optional[str] = None,
        no_check_certificate: bool = False,
        client_certificate: Any = None,
        **kwargs: Any,
    ) -> None:
        import requests

        del kwargs
        self.base_uri = f"{uri.rstrip('/')}/public/api/v1/{service_id}"
        self.api_key = api_key
        self.bearer_token = bearer_token
        self._session = requests.Session()
        self._session.verify = not no_check_certificate
        self._session.cert = client_certificate
        if bearer_token:
            self._session.headers["Authorization"] = "Bearer " + bearer_token
        elif api_key:
            self._session.auth = (api_key, "")

    def predict_record(
        self,
        endpoint_id: str,
        features: Dict[str, Any],
        forced_generation: Optional[str] = None,
        dispatch_key: Optional[str] = None,
        context: Optional[Dict[str, Any]] = None,
        with_explanations: Optional[bool] = None,
        explanation_method: Optional[str] = None,
        n_explanations: Optional[int] = None,
        n_explanations_mc_steps: Optional[int] = None,
    ) -> Dict[str, Any]:
        """Return the answer for one row: `result`, with `prediction` and `probas`.

        Args:
            endpoint_id: of the service.
            features: of the row, by their names.
            forced_generation: of the package that is to answer.
            dispatch_key: which generation answers goes by it.
            context: is sent along.
            with_explanations: whether the answer is explained.
            explanation_method: SHAPLEY or ICE.
            n_explanations: most features that are told of.
            n_explanations_mc_steps: orders of the columns, for SHAPLEY.

        Raises:
            DataikuException: the server refuses, or is not there.
        """
        asked: Dict[str, Any] = {"features": features}
        if context is not None:
            asked["context"] = context
        explained = {
            "enabled": with_explanations,
            "method": explanation_method,
            "nExplanations": n_explanations,
            "nMonteCarloSteps": n_explanations_mc_steps,
        }
        asked.update(_options(explained, forced_generation, dispatch_key))
        return self._ask(endpoint_id + "/predict", asked)

    def predict_records(
        self,
        endpoint_id: str,
        records: List[Dict[str, Any]],
        forced_generation: Optional[str] = None,
        dispatch_key: Optional[str] = None,
        with_explanations: Optional[bool] = None,
        explanation_method: Optional[str] = None,
        n_explanations: Optional[int] = None,
        n_explanations_mc_steps: Optional[int] = None,
    ) -> Dict[str, Any]:
        """Return the answers for rows: `results`, in their order; see `predict_record`.

        Args:
            endpoint_id: of the service.
            records: each with `features`, and a `context` where there is one.
            forced_generation: of the package that is to answer.
            dispatch_key: which generation answers goes by it.
            with_explanations: whether the answers are explained.
            explanation_method: SHAPLEY or ICE.
            n_explanations: most features that are told of.
            n_explanations_mc_steps: orders of the columns, for SHAPLEY.

        Raises:
            DataikuException: the server refuses, or is not there.
            ValueError: a record has no `features`.
        """
        if any("features" not in one for one in records):
            raise ValueError("each record is a dict with 'features', which is a dict itself")
        explained = {
            "enabled": with_explanations,
            "method": explanation_method,
            "nExplanations": n_explanations,
            "nMonteCarloSteps": n_explanations_mc_steps,
        }
        options = _options(explained, forced_generation, dispatch_key)
        return self._ask(endpoint_id + "/predict-multi", {"items": records, **options})

    def __getattr__(self, name: str) -> Any:
        """Raise for what is asked of other endpoints, which are not here."""
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotHere(
            f"APINodeClient.{name} is not supported by Brinery; "
            "the nearest is: predict_record, of an endpoint for predictions"
        )

    def _ask(self, path: str, asked: Dict[str, Any]) -> Dict[str, Any]:
        from requests import RequestException

        address = f"{self.base_uri}/{path}"
        content = json.dumps(asked, default=_plain)
        try:
            answer = self._session.post(
                address, data=content, headers={"Content-Type": "application/json"}
            )
        except RequestException as error:
            raise DataikuException(
                f"no server answers at {address} ({type(error).__name__}): "
                "brinery serve MODEL, or brinery up, begins one"
            ) from None
        try:
            told: Dict[str, Any] = answer.json()
        except ValueError:
            told = {"detail": answer.text}
        if answer.status_code >= _REFUSED:
            said = told.get("detail") or told.get("title") or answer.reason
            raise DataikuException(f"{address} answers {answer.status_code}: {said}")
        return told


def _options(
    explained: Dict[str, Any], generation: Optional[str], key: Optional[str]
) -> Dict[str, Any]:
    """Return what is asked beside the rows; what nobody named is left to the endpoint."""
    named = {name: value for name, value in explained.items() if value is not None}
    found: Dict[str, Any] = {"explanations": named} if named else {}
    if generation is not None:
        found["dispatch"] = {"forcedGeneration": generation}
    elif key is not None:
        found["dispatch"] = {"dispatchKey": key}
    return found


def _plain(value: Any) -> Any:
    """Return a value of numpy's as Python's own.

    Raises:
        TypeError: it is neither.
    """
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON")
