"""What is gathered while the parts of a file are read: names, problems and facts, each once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from brinery.pickles.bounds import MAX_DEPTH, MAX_NAMES, Budget, TooMuch
from brinery.pickles.inert import Inert
from brinery.pickles.policy import classify
from brinery.records.scan import Finding, Global, Node, Verdict

_MAX_PROBLEMS = 100
_MAX_PROBLEM_CHARACTERS = 300
_MAX_MEMBERS = 50
_MAX_CODE_NAMES = 40
_MAX_REASONS = 20
_MAX_REASON_CHARACTERS = 1000

# What rebuilds code that a pickle carries.
_CODE_MODULES = re.compile(r"(joblib\.externals\.)?cloudpickle\b|dill\b|types\b")

_ORDER = list(Verdict)


@dataclass
class _Seen:
    """How a name was asked for, and what makes it worse than its own verdict."""

    reached: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)
    verdict: Verdict = Verdict.SAFE
    known: bool = False
    times: int = 0
    excused: bool = False
    reasons: list[str] = field(default_factory=list)

    def doubt(self, why: str, verdict: Verdict) -> None:
        """Take a reason; of very many the first, and those that make it worse."""
        worse = _ORDER.index(verdict) > _ORDER.index(self.verdict)
        self.verdict = verdict if worse else self.verdict
        shown = why[:_MAX_REASON_CHARACTERS]
        if shown in self.reasons:
            return
        if len(self.reasons) < _MAX_REASONS:
            self.reasons.append(shown)
        elif worse:
            self.reasons[-1] = shown


class Evidence:
    """What a file, or a part of it, was found to say.

    Args:
        budget: what may still be read.
        member: the part that is read; empty where the file is one stream.
        depth: how many parts lie around this one.
        in_folder: whether it lies in a folder that is read whole.

    Attributes:
        protocol: the highest declared; None where there is no pickle.
        raw_arrays: whether joblib's arrays lie raw in a stream.
        trailing: whether bytes followed the end of a pickle.
        acted: whether something was made, called or given a state.
        compression: of the file itself.
        python: what is told of the Python that wrote it, by how exactly it is told.
        code: the names that code within asks for.
        outermost, tree, feature_names, classes: as `ScanReport` has them.
        fresh: by `id`, the types of arrays that nothing was made of yet.
        sealed: by `id`, the dictionaries that a type keeps, which are not to be changed.
        used: the objects of which it is judged what they call, when all of them is there.
    """

    def __init__(
        self, budget: Budget, *, member: str = "", depth: int = 0, in_folder: bool = False
    ) -> None:
        if depth > MAX_DEPTH:
            raise TooMuch(f"its parts lie more than {MAX_DEPTH} deep within each other")
        self.budget = budget
        self.member = member
        self.label = member
        self.depth = depth
        self.in_folder = in_folder
        self.protocol: int | None = None
        self.raw_arrays = False
        self.trailing = False
        self.acted = False
        self.compression: str | None = None
        self.python: dict[int, str] = {}
        self.code: dict[str, None] = {}
        self.outermost = ""
        self.tree: Node | None = None
        self.feature_names: tuple[str, ...] | None = None
        self.classes: tuple[str, ...] | None = None
        self.fresh: set[int] = set()
        self.sealed: dict[int, dict[Any, Any]] = {}
        self.used: list[Inert] = []
        self._names: dict[Global, _Seen] = {}
        self._problems: dict[str, None] = {}
        self._versions: dict[str, set[str]] = {}

    def inner(self, member: str) -> Evidence:
        """Return an empty one for a part of this part, to be adopted or dropped."""
        whole = f"{self.member}/{member}" if self.member else member
        part = Evidence(self.budget, member=whole, depth=self.depth + 1, in_folder=self.in_folder)
        part.label = member
        part.sealed = self.sealed
        return part

    def deeper(self) -> None:
        """Note that what is read now lies within a layer that is no part of its own.

        Raises:
            TooMuch: there are too many layers.
        """
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TooMuch(f"its parts lie more than {MAX_DEPTH} deep within each other")

    def adopt(self, part: Evidence) -> None:
        """Take over what a part was found to say; of the facts, what this one has stays."""
        for name, seen in part._names.items():
            mine = self._names.setdefault(name, _Seen())
            mine.reached |= seen.reached
            mine.members |= seen.members
            mine.known = mine.known or seen.known
            mine.times += seen.times
            mine.excused = mine.excused or seen.excused
            for why in seen.reasons:
                mine.doubt(why, seen.verdict)
            mine.verdict = max(mine.verdict, seen.verdict, key=_ORDER.index)
        self._check_names()
        for problem in part._problems:
            self.problem(f"{part.label}: {problem}" if part.label else problem)
        for distribution, versions in part._versions.items():
            self._versions.setdefault(distribution, set()).update(versions)
        if part.protocol is not None:
            self.protocol = max(part.protocol, self.protocol or 0)
        self.raw_arrays = self.raw_arrays or (part.raw_arrays and not part.label)
        self.trailing = self.trailing or (part.trailing and not part.label)
        self.acted = self.acted or part.acted
        self.python = {**part.python, **self.python}
        self.code.update(part.code)
        self.outermost = self.outermost or part.outermost
        self.tree = self.tree or part.tree
        self.feature_names = self.feature_names or part.feature_names
        self.classes = self.classes or part.classes

    def twin(self) -> Evidence:
        """Return an empty one for the same part, to be adopted or dropped."""
        twin = Evidence(self.budget, member=self.member, depth=self.depth, in_folder=self.in_folder)
        twin.label = ""
        return twin

    def ask(self, name: Global, how: str) -> None:
        """Note that a name is asked for, or used, and by which opcode."""
        seen = self._names.get(name)
        if seen is None:
            seen = self._names[name] = _Seen()
            self._check_names()
        seen.times += 1
        seen.reached.add(how)
        if self.member:
            seen.members.add(self.member)

    def excuse(self, name: Global, how: str) -> None:
        """Note that one of the times that a name was asked for was for what is known safe."""
        seen = self._names[name]
        seen.times -= 1
        seen.excused = True
        seen.reached.add(how)

    def vouch(self, name: Global) -> None:
        """Note that a name on no list is made by its format's own reader, which knows it."""
        self._names.setdefault(name, _Seen()).known = True

    def doubt(self, name: Global, why: str, *, verdict: Verdict = Verdict.NEEDS_TRUST) -> None:
        """Note that a name, harmless as it may be, is at least this bad in the way it is used."""
        self._names.setdefault(name, _Seen()).doubt(why, verdict)

    def problem(self, words: str) -> None:
        """Note what is wrong with the bytes."""
        if len(self._problems) < _MAX_PROBLEMS:
            self._problems[words[:_MAX_PROBLEM_CHARACTERS]] = None

    def version(self, distribution: str, version: str) -> None:
        """Note a version that the file states; what is none is passed over."""
        if version and version.isascii() and version.isprintable() and len(version) <= 40:  # noqa: PLR2004 - no version is longer
            self._versions.setdefault(distribution, set()).add(version)

    def saw_protocol(self, protocol: int) -> None:
        """Note the protocol of a pickle."""
        self.protocol = max(protocol, self.protocol or 0)

    @property
    def names(self) -> tuple[Global, ...]:
        """Return the names asked for, in the order they were met."""
        return tuple(self._names)

    @property
    def plausible(self) -> bool:
        """Return whether a name was asked for that noise would hardly spell."""
        return any(
            "EXT" not in seen.reached
            and all(part.isidentifier() for part in f"{name.module}.{name.name}".split("."))
            for name, seen in self._names.items()
        )

    @property
    def problems(self) -> tuple[str, ...]:
        """Return what is wrong, in the order it was met."""
        return tuple(self._problems)

    @property
    def versions(self) -> dict[str, tuple[str, ...]]:
        """Return the versions that are stated, sorted."""
        return {name: tuple(sorted(found)) for name, found in sorted(self._versions.items())}

    def findings(self) -> tuple[Finding, ...]:
        """Return every name with its verdict, sorted."""
        asked = sorted(self._names.items())
        of_code = [name for name, _ in asked if _CODE_MODULES.match(name.module)] or list(
            self._names
        )
        told = self._code() if self.code else ""
        return tuple(
            self._finding(name, seen, more=told if name == of_code[0] else "")
            for name, seen in asked
        )

    def _code(self) -> str:
        some = list(self.code)[:_MAX_CODE_NAMES]
        return f"its code names {', '.join(some)}" + (", …" if len(self.code) > len(some) else "")

    def _finding(self, name: Global, seen: _Seen, *, more: str) -> Finding:
        verdict, reason = classify(name, seen.reached)
        if (seen.known and verdict is Verdict.NEEDS_TRUST) or (seen.excused and not seen.times):
            verdict, reason = Verdict.SAFE, ""
        reasons = [reason, *seen.reasons] if reason else seen.reasons
        return Finding(
            name=name,
            verdict=max(verdict, seen.verdict, key=_ORDER.index),
            reason="; ".join([*reasons, more] if more else reasons),
            reached=tuple(sorted(seen.reached)),
            members=tuple(sorted(seen.members)[:_MAX_MEMBERS]),
        )

    def _check_names(self) -> None:
        if len(self._names) > MAX_NAMES:
            raise TooMuch(f"it asks for more than {MAX_NAMES:,} names")
