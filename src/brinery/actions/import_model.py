"""Import: a model file becomes an evaluated, registered version, or nothing at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

import msgspec
import pyarrow as pa

from brinery.actions import history, progress, target
from brinery.actions.admit import admit, remarks
from brinery.actions.class_names import ClassNames, class_names
from brinery.actions.environment import Question, choose, outline, settle
from brinery.actions.evaluate import evaluated_whole
from brinery.actions.evaluation_data import EvaluationData, data_line, read_data, required
from brinery.actions.fast_path import Compiled, compile_and_compare
from brinery.actions.locate import locate, read
from brinery.actions.progress import Clock, result_of
from brinery.actions.rooms import Folder, Rooms, open_rooms
from brinery.actions.seat import Seat, limits
from brinery.actions.stated_classes import stated_classes
from brinery.actions.storing import stored
from brinery.actions.submission import ImportOptions, Submission
from brinery.errors import ParityFailed, TypeMismatch
from brinery.evaluate import labels, parity
from brinery.flavors import compatibility, naming, outputs, sample, signature, unscored
from brinery.flavors.model_process import ModelProcess
from brinery.pickles.child import ChildProcess
from brinery.records.artifact import Artifact
from brinery.records.audit import Change
from brinery.records.description import Description
from brinery.records.difference import Difference, Level
from brinery.records.evaluation import Evaluation, PredictionType
from brinery.records.event import Event, Step
from brinery.records.scan import ScanReport, Verdict
from brinery.records.scores import Scores
from brinery.records.signature import Signature
from brinery.records.source import ModelSource
from brinery.records.trust import Trust
from brinery.records.version import Candidate, Origin, Parity, Version
from brinery.registry.interface import SAMPLE_FILE, Staged
from brinery.specs.names import check_name
from brinery.store import code, modules, tables
from brinery.store.environments import Environments
from brinery.store.frames import Data
from brinery.store.known_data import KnownData

Steps = Generator[Event, None, Version]


def import_model(
    model: Folder,
    *,
    name: str,
    data: Data | None = None,
    **options: Unpack[ImportOptions],
) -> Version:
    """Return the version that a model has become, evaluated on data and registered.

    The same file is registered once: a second import returns the version that is there, unless
    `new_version` is true.

    Args:
        model: a model file of any framework, an MLflow model folder, a `runs:/` or `models:/`
            URI, or `module:name` of your own code.
        name: of the registered model.
        data: (n_rows, n_features [+ 1]) a csv, Parquet or JSON lines file, or a data frame. Only a
            model that cannot be asked for predictions, such as bare weights, comes without.
        options: `target`, `sep`, `type`, `new_version`, `trust`, `code`, `environment`,
            `tracking_uri` and `workspace`, as `brinery import` has them.

    Raises:
        UserError: the subclass says what is wrong with the name, the file or the data.
        Fault: the model's process or the registry failed.
    """
    asked = Submission.of(model, name=name, data=data, options=options)
    return result_of(import_steps(open_rooms(options.get("workspace")), asked))


@dataclass(frozen=True, kw_only=True)
class _Admitted:
    """A model that may be loaded.

    Attributes:
        source: where it lies.
        report: what was read of it.
        trust: on whose word it is let in.
    """

    source: ModelSource
    report: ScanReport
    trust: Trust | None

    @property
    def name(self) -> str:
        """Return what it is called in messages."""
        return Path(self.source.name).name or self.source.name

    @property
    def artifact(self) -> Artifact:
        """Return how the file itself is loaded."""
        return Artifact(
            flavor="",
            format=self.report.format,
            file=self.source.path.name,
            sha256=self.report.sha256,
            globals=tuple(str(name) for name in self.report.globals),
            code=self.source.code is not None,
            code_sha256=self.source.code_sha256,
        )


@dataclass(frozen=True, kw_only=True)
class _Site:
    """Where an admitted model is imported to, loaded in, and evaluated on."""

    rooms: Rooms
    seat: Seat
    data: EvaluationData | None
    clock: Clock

    def open(self) -> None:
        """Make the workspace where there is none yet, and connect to its registry."""
        self.rooms.workspace.prepare()
        self.rooms.registry.open()


@dataclass(frozen=True)
class _Answers:
    """What the file's own model answered for the data."""

    table: pa.Table
    scores: Scores


@dataclass(frozen=True, kw_only=True)
class _Judged:
    """A loaded model, what it takes, and its answers; None where it cannot be asked for any."""

    description: Description
    takes: Signature
    evaluation: Evaluation | None = None
    answers: _Answers | None = None


def import_steps(rooms: Rooms, asked: Submission) -> Steps:
    """Yield an event as each step is done; return the version at the end."""
    clock = Clock()
    check_name(asked.name)
    with tempfile.TemporaryDirectory(prefix="brinery-") as folder:
        admitted = yield from _admitted(rooms, asked, folder=Path(folder), clock=clock)
        data = None
        if asked.data is not None:
            data = read_data(asked.data, target=asked.target, separator=asked.separator)
            yield clock.event(Step.DATA, data_line(data))
            rooms.workspace.prepare()
        elif unscored.is_excluded(admitted.report):
            raise required(asked, admitted.name)
        seat = yield from _seat(rooms, asked, admitted=admitted, clock=clock)
        at = _Site(rooms=rooms, seat=seat, data=data, clock=clock)
        version = yield from _imported(admitted, asked, at=at)
    if data is not None and isinstance(asked.data, Path):
        known = KnownData(rooms.workspace.data)
        known.remember(data.fingerprint.sha256, asked.data, separator=asked.separator)
    whole = rooms.settings.evaluate.at_import if asked.whole is None else asked.whole
    if data is not None and whole:
        yield from evaluated_whole(rooms, version, data=data, clock=clock)
    return version


def _admitted(
    rooms: Rooms, asked: Submission, *, folder: Path, clock: Clock
) -> Generator[Event, None, _Admitted]:
    """Return the model, once it has been read and nothing in it lacks a word.

    Raises:
        ModelFileError: it cannot be read, or asks for what nobody vouched for.
    """
    source = locate(
        rooms, asked.model, into=folder, code=asked.code, tracking_uri=asked.tracking_uri
    )
    report = read(source)
    name = Path(source.name).name or source.name
    yield clock.event(Step.SCAN, progress.scan_line(name, report))
    if report.verdict in (Verdict.SAFE, Verdict.NEEDS_TRUST):
        # No word helps a class of a script; but what is dangerous is said before all else.
        compatibility.check_contents(report, name)
    given = (*source.vouched, *asked.trust)
    if asked.word and (unknown := report.asked(Verdict.NEEDS_TRUST)):
        given = (*given, *unknown)
        said = f"{asked.word} vouches for {', '.join(unknown)}"
        yield clock.event(Step.SCAN, said, warning=True)
    trust = admit(report, given, file=source.name)
    yield clock.event(Step.SCAN, progress.trust_line(report, trust))
    for said in (*source.notes, *remarks(report, trust, given=asked.trust)):
        yield clock.event(Step.SCAN, said, warning=True)
    return _Admitted(source=source, report=report, trust=trust)


def _seat(
    rooms: Rooms, asked: Submission, *, admitted: _Admitted, clock: Clock
) -> Generator[Event, None, Seat]:
    """Return where the model is loaded, once it is known to fit there.

    Raises:
        ModelFileError: no environment can load it, or the one that was asked for cannot.
        EnvironmentUnavailable: the environment that it needs cannot be built.
    """
    source = admitted.source
    question = Question(
        report=admitted.report,
        file=admitted.name,
        stated=source.requirements,
        own=() if source.code is None else modules.top_level(source.code),
    )
    choice = choose(asked.environment, question)
    for difference in choice.differences:
        yield _told(difference, clock, loads=choice.needed is None)
    place = None
    if choice.needed is not None:
        environments = Environments(rooms.workspace.environments)
        planned = environments.plan(choice.needed)
        if not environments.has(planned):
            yield clock.event(Step.ENVIRONMENT, f"building {outline(choice.needed)}")
        place = settle(planned, question, environments=environments)
        yield clock.event(Step.ENVIRONMENT, progress.environment_line(place.environment))
        for difference in place.differences:
            yield _told(difference, clock, loads=True)
    timeout_s = rooms.settings.model.timeout_s
    return Seat(
        environment=None if place is None else place.environment,
        python=None if place is None else place.python,
        limits=limits(rooms, cpu_s=timeout_s * (os.cpu_count() or 1)),
        timeout_s=timeout_s,
    )


def _told(difference: Difference, clock: Clock, *, loads: bool) -> Event:
    note = difference.level is Level.NOTE
    said = str(difference) if loads else difference.elsewhere
    return clock.event(Step.ENVIRONMENT, said, warning=not note)


def _imported(admitted: _Admitted, asked: Submission, *, at: _Site) -> Steps:
    """Load, evaluate, store and register an admitted model."""
    rooms, seat, clock = at.rooms, at.seat, at.clock
    report, source = admitted.report, admitted.source
    named = compatibility.top_modules(report)
    with ThreadPoolExecutor(1) as background, ExitStack() as processes:
        # Importing MLflow takes longer than all the rest: it goes on beside it. Without data
        # nothing is written before it is known that the model needs none.
        opened = None if at.data is None else background.submit(at.open)
        process = processes.enter_context(
            seat.process(source.path, artifact=admitted.artifact, code=source.code)
        )
        spare = processes.enter_context(seat.start(named))
        judged = yield from _judged(process, asked, data=at.data, clock=clock)
        data = None if judged.answers is None or at.data is None else at.data.fingerprint
        framed = judged.description.feature_names is not None or process.artifact.frame
        frames = ("pandas",) if framed else ()
        with tempfile.TemporaryDirectory() as folder:
            kept = stored(
                process, report, path=source.path, trust=admitted.trust, folder=Path(folder)
            )
            candidate = Candidate(
                name=asked.name,
                origin=_origin(source, report),
                description=judged.description,
                signature=judged.takes,
                evaluation=judged.evaluation,
                environment=process.environment((*named, *frames), seat.environment),
                data=data,
                code=code.code_version(source.path),
                artifact=kept.artifact,
                verdict=report.verdict,
                trust=admitted.trust,
                sandbox=process.sandbox,
                attempts=process.attempts,
            )
            (opened or background.submit(at.open)).result()
            with rooms.lock():
                rooms.registry.sweep(asked.name)
                history.catch_up(rooms, asked.name)
                known = (
                    None if asked.new_version else rooms.registry.find(asked.name, report.sha256)
                )
                if known is None:
                    staged = rooms.registry.stage(candidate, kept.path, code=source.code)
                    again = _Again(staged, judged.answers, spare, clock)
                    return (yield from _register(rooms, again))
    yield clock.event(Step.REGISTER, f"this file is {known.reference} already")
    if differs := _differences(known, candidate):
        yield clock.event(
            Step.REGISTER,
            f"{known.reference} was imported with another {differs}, and stays as it is: "
            "--new-version registers what was asked now",
            warning=True,
        )
    return known


def _judged(
    process: ModelProcess, asked: Submission, *, data: EvaluationData | None, clock: Clock
) -> Generator[Event, None, _Judged]:
    """Return what a loaded model is and how good it is.

    Raises:
        DataError: the data does not fit it, or it needs some and there is none.
        PredictionRefused: it raised on the data.
    """
    sandbox = process.sandbox
    yield clock.event(Step.LOAD, f"{process.description.outline}")
    yield clock.event(Step.LOAD, progress.sandbox_line(sandbox), warning=not sandbox.complete)
    for warning in process.warnings:
        yield clock.event(Step.LOAD, warning, warning=True)
    if process.description.unscored is not None:
        return (yield from _unscored(process, asked, clock=clock))
    if data is None:
        raise required(asked, asked.model)
    return (yield from _evaluated(process, asked, data=data, clock=clock))


def _unscored(
    process: ModelProcess, asked: Submission, *, clock: Clock
) -> Generator[Event, None, _Judged]:
    """Return what a loaded model is that cannot be asked for predictions.

    Raises:
        TypeMismatch: it was stated to predict something.
    """
    description = process.description
    if asked.type not in (None, PredictionType.OTHER):
        raise TypeMismatch(
            f"{asked.model} is no {asked.type} model: {progress.unscored_line(description)}",
            hint="leave out --type: such a model is other",
        )
    yield clock.event(Step.CHECK, f"other: {progress.unscored_line(description)}", warning=True)
    given = {"--data": asked.data is not None, "--target": asked.target is not None}
    if unused := " and ".join(option for option, is_given in given.items() if is_given):
        said = f"not evaluated: {unused} {'are' if ' ' in unused else 'is'} not used"
        yield clock.event(Step.EVALUATE, said, warning=True)
    for attempt in process.attempts:
        yield clock.event(Step.EVALUATE, progress.attempt_line(attempt), warning=True)
    return _Judged(description=description, takes=Signature(columns=(), example={}))


def _evaluated(
    process: ModelProcess, asked: Submission, *, data: EvaluationData, clock: Clock
) -> Generator[Event, None, _Judged]:
    """Return what a loaded model takes and how good it is."""
    signature.check_columns(process.description, list(data.inputs.columns))
    table = tables.to_arrow(signature.complete(process.description, data.inputs))
    scores = process.score(table)
    if (names := _class_names(process, asked, data=data, scores=scores)) is not None:
        process.settle(classes=names.classes, labels=names.labels)
        scores = naming.given(scores, process.artifact)
        yield clock.event(Step.LOAD, names.said, warning=names.doubtful)
    if called := outputs.of(scores):
        process.settle(outputs=called)
        scores = naming.given(scores, process.artifact)
        yield clock.event(Step.LOAD, progress.outputs_line(called))
    description = _described(process.description, asked, outputs=called)
    if doubt := _doubt(description, scores, asked=asked):
        yield clock.event(Step.LOAD, doubt, warning=True)
    takes = signature.infer(
        description, data.inputs, may_be_missing=process.may_be_missing(table.slice(0, 1))
    )
    takes = msgspec.structs.replace(takes, outputs=outputs.described(scores))
    yield clock.event(Step.CHECK, f"{description.type}; {progress.check_line(takes)}")
    evaluation = target.evaluated(description, data, scores=scores)
    option = target.suggested(description, data, scores=scores)
    line = progress.evaluation_line(evaluation, option)
    yield clock.event(Step.EVALUATE, line, warning=bool(option))
    for attempt in process.attempts:
        yield clock.event(Step.EVALUATE, progress.attempt_line(attempt), warning=True)
    return _Judged(
        description=description,
        takes=takes,
        evaluation=evaluation,
        answers=_Answers(table, scores),
    )


def _differences(known: Version, candidate: Candidate) -> str:
    """Return in what a second import of a file differs from the first; empty if in nothing."""
    before = known.candidate
    if before is None:
        return ""
    pairs = {
        "data": (before.data and before.data.sha256, candidate.data and candidate.data.sha256),
        "target": (before.data and before.data.target, candidate.data and candidate.data.target),
        "type": (before.description.type, candidate.description.type),
        "code": (before.artifact.code_sha256, candidate.artifact.code_sha256),
        "environment": (before.environment.lock, candidate.environment.lock),
    }
    return " and ".join(name for name, (one, other) in pairs.items() if one != other)


@dataclass(frozen=True)
class _Again:
    """A staged model, what the file's own one answered, and a process to ask the stored one in."""

    staged: Staged
    answers: _Answers | None
    spare: ChildProcess
    clock: Clock

    def loaded(self) -> ModelProcess:
        """Return the stored model, loaded: another than what was staged is refused."""
        return ModelProcess(
            self.staged.model_file,
            artifact=self.staged.candidate.artifact,
            code=self.staged.code_folder,
            started=self.spare,
        )


def _register(rooms: Rooms, again: _Again) -> Steps:
    """Compare the stored model with the file's, and only then make it a version."""
    staged, clock = again.staged, again.clock
    try:
        yield clock.event(Step.STORE, f"{staged.candidate.origin.size_bytes / 1e6:.1f} MB stored")
        if again.answers is None:
            version = yield from _same_file(rooms, again)
        else:
            version = yield from _same_answers(rooms, again, answers=again.answers)
    except BaseException:
        rooms.registry.discard(staged)
        raise
    rooms.audit.add(rooms.entry(Change.IMPORT, version.name, after=version.reference))
    yield clock.event(Step.REGISTER, version.reference)
    return version


def _same_file(rooms: Rooms, again: _Again) -> Steps:
    """Register a model that cannot be asked: the stored file is the same bytes, and loads.

    Raises:
        ParityFailed: it loads as something else.
    """
    staged = again.staged
    with again.loaded() as process:
        if process.description.outline != staged.candidate.description.outline:
            raise ParityFailed(
                f"the registered model is {process.description.outline} once it is loaded, and the "
                f"file's is {staged.candidate.description.outline}",
                hint="it is another each time it is loaded: leave out what makes it so",
            )
    said = f"the registered file is the same bytes: sha256 {staged.candidate.artifact.sha256[:16]}…"
    yield again.clock.event(Step.PARITY, said)
    return rooms.registry.commit(staged, None)


def _same_answers(rooms: Rooms, again: _Again, *, answers: _Answers) -> Steps:
    """Register a model once its stored file gives the same answers, with its scorer."""
    clock = again.clock
    with tempfile.TemporaryDirectory() as folder:
        same, compiled = _parity(again, answers, folder=Path(folder))
        yield clock.event(
            Step.PARITY,
            f"the registered model answers as the file on {same.rows:,} of {same.rows:,} rows",
        )
        yield clock.event(Step.PARITY, progress.fast_path_line(compiled.record))
        kept = Path(folder) / SAMPLE_FILE
        sample.write(kept, answers.table, scores=answers.scores)
        return rooms.registry.commit(
            again.staged, same, fast_path=compiled.record, scorer=compiled.path, sample=kept
        )


def _parity(again: _Again, answers: _Answers, *, folder: Path) -> tuple[Parity, Compiled]:
    """Return how the stored model compares with the file's, and its scorer with both."""
    with again.loaded() as registered:
        scores = registered.score(answers.table)
        same = parity.compare(answers.scores, scores, names=("the file", "the registered model"))
        takes = again.staged.candidate.signature
        compiled = compile_and_compare(
            registered, answers.table, scores=scores, takes=takes, into=folder
        )
    return same, compiled


def _described(
    description: Description, asked: Submission, *, outputs: tuple[str, ...]
) -> Description:
    """Return the description with the type that the user stated.

    Raises:
        TypeMismatch: the model cannot predict that.
    """
    stated, classes = asked.type, len(description.classes)
    if stated in (None, description.type):
        return description
    if outputs:
        raise TypeMismatch(
            f"{asked.model} is no {stated} model: it answers each row with {len(outputs)} values",
            hint="leave out --type: such a model is other, and is not evaluated",
        )
    fits = {
        PredictionType.BINARY: classes == 2,  # noqa: PLR2004 - binary is two classes
        PredictionType.MULTICLASS: classes >= 2,  # noqa: PLR2004 - two or more
        PredictionType.REGRESSION: classes == 0,
        PredictionType.OTHER: True,
    }
    if stated is not None and not fits[stated]:
        has = f"{classes} classes" if classes else "no classes"
        by_labels = not classes and asked.target is None and stated is not PredictionType.REGRESSION
        raise TypeMismatch(
            f"{asked.model} is no {stated} model: it has {has}",
            hint="--target names the column whose labels are its classes"
            if by_labels and description.type is PredictionType.OTHER
            else f"leave out --type: it was found to be {description.type}",
        )
    return msgspec.structs.replace(description, type=stated)


def _doubt(description: Description, scores: Scores, *, asked: Submission) -> str:
    """Return what is doubtful about a model's answers; empty where nothing is.

    Raises:
        TypeMismatch: it is a regression and answers text or truth values.
    """
    values = scores.predictions.reshape(-1)
    answered = values[~labels.missing(values)]
    if not answered.size:
        return "the model answers nothing (NaN) for every row of the data"
    if description.type is PredictionType.REGRESSION and answered.dtype.kind not in "iuf":
        raise TypeMismatch(
            f"{asked.model} is no regression model: it answers {answered.tolist()[0]!r}",
            hint="a regression answers with numbers; --type binary or --type multiclass takes "
            "answers for labels of the --target",
        )
    return ""


def _class_names(
    process: ModelProcess, asked: Submission, *, data: EvaluationData, scores: Scores
) -> ClassNames | None:
    """Return what the model's classes are called, where only its answers or the target tell."""
    name = data.fingerprint.target
    if asked.type in (PredictionType.REGRESSION, PredictionType.OTHER) or scores.outputs:
        return None
    actual = None if name is None else data.frame[name].to_numpy()
    if asked.classes:
        told = stated_classes(process.description, scores, actual=actual, order=asked.classes)
        if told is not None or process.description.classes:
            return told
    return class_names(process.description, scores, actual=actual, stated=asked.type)


def _origin(source: ModelSource, report: ScanReport) -> Origin:
    return Origin(
        file=Path(source.name).name or source.name,
        sha256=report.sha256,
        size_bytes=report.size_bytes,
        written_with=report.versions,
    )
