"""Promote: what the gate says of a version, rule by rule, and then the move."""

from __future__ import annotations

import shlex
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from brinery.actions.gate import GateAsked, check_steps, explained
from brinery.actions.outline import decisions_of, outline_in, version_in
from brinery.actions.promote import PromoteAsked, promote_steps, refusal
from brinery.actions.rooms import Rooms
from brinery.charts import words
from brinery.errors import ReasonRequired
from brinery.records.decision import Decision, Outcome, RuleResult
from brinery.records.estimate import Estimate
from brinery.records.version import Alias, Promotion
from brinery.specs import gates
from brinery.web.pages.frame import Crumb, Frame, moved
from brinery.web.pages.models import MODELS, path_of
from brinery.web.pages.tasks import Task, Tasks

_PATH: Final = "/models/{name}/versions/{number:int}"
_KINDS: Final = {Outcome.PASSES: "good", Outcome.FAILS: "bad", Outcome.NOT_DECIDABLE: "warning"}


def routes(rooms: Rooms, frame: Frame, *, tasks: Tasks) -> list[Route]:
    """Return the routes of promotions."""
    promotions = Promotions(rooms, frame, tasks)
    return [
        Route(f"{_PATH}/promote", promotions.page),
        Route(f"{_PATH}/promote", promotions.promote, methods=["POST"]),
        Route(f"{_PATH}/check", promotions.check, methods=["POST"]),
    ]


class Promotions:
    """Answers for promotions.

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
        """Return what a gate says of a version, and what would happen."""
        name, number = request.path_params["name"], request.path_params["number"]
        version = version_in(self._rooms, name, number=number)
        champion = outline_in(self._rooms, name).champion
        declared = self._rooms.settings.gates
        gate = gates.chosen(request.query_params.get("gate") or None, declared)
        task = self._tasks.find(request.query_params.get("task", ""))
        kept = decisions_of(self._rooms, name).get(version.reference)
        decision = None if kept is None else kept.decision
        done = task.result if task and isinstance(task.result, Promotion) else None
        return self._frame.page(
            request,
            "promote.html",
            title=f"Promote {version.reference}",
            section="models",
            command=f"brinery promote {version.reference}",
            crumbs=(
                MODELS,
                Crumb(title=name, href=path_of(name)),
                Crumb(title=version.reference, href=path_of(name, number)),
            ),
            version=version,
            path=path_of(name, number),
            champion=champion,
            is_champion=Alias.CHAMPION.value in version.aliases,
            gate=explained(gate),
            gates=[one for one in declared if one != gate.name],
            task=task,
            done=done,
            refused=refusal(done) if done is not None and done.refused else None,
            decision=None if decision is None else told(decision),
            stale=decision is not None
            and not _holds(decision, champion.reference if champion else None),
        )

    async def check(self, request: Request) -> Response:
        """Ask the gate about a version, which is a look at its rows; nothing is promoted."""
        fields = await self._frame.form(request)
        name, number = request.path_params["name"], request.path_params["number"]
        asked = GateAsked(reference=f"{name}@{number}", gate=self._gate(fields))
        task = self._tasks.begin(
            f"gate {name}@{number}",
            check_steps(self._rooms, asked),
            command=_worded("gate check", asked.reference, gate=asked.gate),
            path=f"{path_of(name, number)}/check",
            fields=fields,
        )
        return _followed(name, number, task=task, gate=asked.gate)

    async def promote(self, request: Request) -> Response:
        """Promote a version if the gate passes it, or with a reason whatever it says.

        Raises:
            ReasonRequired: it is forced without a reason.
        """
        fields = await self._frame.form(request)
        name, number = request.path_params["name"], request.path_params["number"]
        forced, why = bool(fields.get("force")), fields.get("why", "").strip()
        asked = PromoteAsked(
            reference=f"{name}@{number}",
            alias=Alias.CHALLENGER if fields.get("alias") == Alias.CHALLENGER else Alias.CHAMPION,
            gate=self._gate(fields),
            force=forced,
            why=why,
        )
        if forced and not why:
            raise ReasonRequired(
                "a promotion against the gate needs a reason, which is shown for ever",
                hint=f'brinery promote {asked.reference} --force --reason "…"',
            )
        task = self._tasks.begin(
            f"promote {name}@{number}",
            promote_steps(self._rooms, asked),
            command=_worded("promote", asked.reference, gate=asked.gate, asked=asked),
            path=f"{path_of(name, number)}/promote",
            fields=fields,
        )
        return _followed(name, number, task=task, gate=asked.gate)

    def _gate(self, fields: dict[str, str]) -> str | None:
        """Return the gate of a form: one of the settings, for no file of the server is read."""
        asked = fields.get("gate", "")
        return asked if asked in self._rooms.settings.gates else None


def _worded(
    verb: str, reference: str, *, gate: str | None, asked: PromoteAsked | None = None
) -> str:
    """Return what does the same on the command line."""
    words = ["brinery", *verb.split(), reference]
    if gate is not None:
        words += ["--gate", gate]
    if asked is not None:
        if asked.alias is not Alias.CHAMPION:
            words += ["--alias", asked.alias.value]
        words += ["--force"] if asked.force else []
        words += ["--reason", asked.why] if asked.why else []
    return shlex.join(words)


def _followed(name: str, number: int, *, task: Task, gate: str | None) -> Response:
    chosen = f"&gate={gate}" if gate else ""
    return moved(f"{path_of(name, number)}/promote?task={task.id}{chosen}")


def _holds(decision: Decision, champion: str | None) -> bool:
    """Return whether a decision was made against the champion of now."""
    return champion in {decision.champion, decision.reference}


def told(decision: Decision) -> dict[str, Any]:
    """Return a decision as a page lays it out."""
    return {
        "record": decision,
        "kind": _KINDS[decision.outcome],
        "passes": decision.passes,
        "rules": [_rule(one) for one in decision.rules],
        "rows": "" if decision.data is None else words.counted(decision.data.rows, "row"),
    }


def _rule(one: RuleResult) -> dict[str, Any]:
    return {
        "rule": one.rule,
        "outcome": one.outcome.value,
        "kind": _KINDS[one.outcome],
        "why": one.why,
        "champion": "" if one.champion is None else words.number(one.champion),
        "candidate": "" if one.candidate is None else words.number(one.candidate),
        "difference": _difference(one.difference),
        "p": "" if one.p_value is None else words.p_value(one.p_value),
        "test": one.test,
        "changes": [
            (str(each.kind), each.name, each.why, each.breaks and not each.allowed)
            for each in one.changes
        ],
    }


def _difference(found: Estimate | None) -> str:
    if found is None:
        return ""
    span = words.between(found.interval)
    return f"{found.value:+.4g}" + (f" ({span})" if span else "")
