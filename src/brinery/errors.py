"""The error tree: each has a code, a message that names the thing at fault, and a hint.

BrineryError
├── UserError                    the user can mend it; exit status 2
│   ├── SettingsError            brinery.toml, a flag or a variable is wrong
│   ├── InvalidName              a model name that is not allowed
│   ├── InvalidReference         not NAME, NAME@VERSION or NAME@ALIAS
│   ├── InvalidTrust             not a dotted name or `package.*`
│   ├── InvalidFilter            not comparisons of columns joined by `and`
│   ├── InvalidAssertions        assertions.yml is wrong, or does not fit the model
│   ├── InvalidLoop              loop.yml is wrong, or names what is not there
│   ├── InvalidJob               a job file, or a file it names, is wrong; all faults
│   ├── InvalidExpression        an expression ${{…}} has no value
│   ├── AlreadyThere             what is to be made is there, under that name
│   ├── InvalidTable             an MLTable file is wrong, or names what is not there
│   ├── JobBusy                  another process runs the job, or has its name
│   ├── LoopBusy                 another turn of the loop goes on
│   ├── TrainingFailed           the command that trains failed, or left no model
│   ├── InvalidGate              a gate asks for what cannot be, or for nothing
│   ├── NotFound                 no such model, version or alias
│   ├── ModelFileError
│   │   ├── ModelFileMissing     no such file
│   │   ├── ModelFileChanged     its bytes are not those that were scanned
│   │   ├── NotAPickle           empty, truncated or another format
│   │   │   └── FormatNotRead    a known format that is not read, such as 7z
│   │   ├── CodeUnusable         what --code names holds no modules, or hides a library's
│   │   ├── NotTrusted           it asks for names that nobody vouched for
│   │   ├── DangerousModel       it asks for names that run programs
│   │   ├── NotAModel            a pickle of something that cannot predict
│   │   ├── ClassNotImportable   its class lives in a script, or moved
│   │   ├── LibraryMissing       a library it needs is not installed
│   │   ├── LibraryMismatch      another version of a library wrote it
│   │   ├── TypeMismatch         it does not predict what --type says
│   │   ├── ClassesMismatch      its classes are not those that are stated, or in another order
│   │   ├── CorruptModel         its arrays would crash the library that reads them
│   │   └── ModelLoadFailed      unpickling raised something else
│   ├── DataError
│   │   ├── DataRequired         a model that predicts is imported without data
│   │   ├── DataFileMissing      no such file
│   │   ├── DataUnreachable      an address that nothing here leads to
│   │   ├── DataUnreadable       not csv, parquet or json lines
│   │   ├── SeparatorUnclear     the csv separator cannot be told
│   │   ├── TargetMissing        the target is not a column
│   │   ├── ColumnMissing        a column the model needs is not there
│   │   ├── ColumnMismatch       a column is there but is not what the model takes
│   │   ├── UnseenClass          the target has classes the model never saw
│   │   ├── RowMissing           the data has no such row
│   │   ├── InvalidSchema        a schema names no type, or its rows are of another
│   │   ├── OutputUnwritable     the output's format or folder is wrong
│   │   └── OutputTaken          the output's folder holds the scores of another run
│   ├── InvalidNotebook          not a Python notebook, or its cells are no Python
│   ├── NotComparable            there are no two versions to compare
│   ├── PromotionRefused         the gate does not pass the version; exit status 3
│   ├── ChampionChanged          another version became the champion meanwhile
│   ├── ReasonRequired           a promotion is forced without saying why
│   ├── RollbackImpossible       there is no former champion to go back to
│   ├── MetricUnknown            no such metric for what the model predicts
│   ├── EnvironmentUnavailable   what the model was written with cannot be set up here
│   ├── SandboxUnavailable       the kernel lacks what require_sandbox asks for
│   ├── ModelConfined            the model tried what its sandbox forbids
│   ├── PredictionRefused        the model raised on these rows
│   ├── ParityFailed             the registered model answers otherwise than the file
│   ├── NotEvaluated             nobody has evaluated the version yet
│   ├── NotExportable            the model has no such format, or its folder is not free
│   ├── InvalidPackage           what is asked of a package cannot be, or its folder is not free
│   ├── NotPackageable           the model cannot travel: what it needs is not at hand
│   ├── NotProven                a package was altered, answers otherwise, or nothing tells
│   ├── NotServable              it was not imported by Brinery, or cannot be asked
│   ├── AddressInUse             another program listens there
│   └── RequestRefused           a server refuses the rows it is asked about
└── Fault                        ours, or the machine's; exit status 1
    ├── ModelProcessDied         the process that held the model ended
    ├── ModelProcessTimeout      it did not answer in time
    ├── RegistryFault            the registry could not be read or written
    ├── StoreFault               the database of our own records could not be
    │   └── LockLost             what it held in a shared database is held by another
    ├── EndpointUnreachable      no server answers there, or the connection broke
    ├── EndpointTimeout          a server did not answer in time
    └── EndpointFault            a server could not answer
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple, Optional


class BrineryError(Exception):
    """Anything Brinery raises on purpose.

    Attributes:
        code: stable, kebab-case; what programs match on.
        message: one sentence that names the thing at fault.
        hint: the next command to type or the change to make; may be empty.
        exit_status: what the command line exits with.
    """

    code: ClassVar[str] = "brinery-error"
    exit_status: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UserError(BrineryError):
    """Something the user can mend."""

    code = "user-error"
    exit_status = 2


class SettingsError(UserError):
    """A setting in brinery.toml, a flag or a variable is wrong."""

    code = "settings-error"


class InvalidName(UserError):
    """A model name that is not allowed."""

    code = "invalid-name"


class InvalidReference(UserError):
    """Not NAME, NAME@VERSION or NAME@ALIAS."""

    code = "invalid-reference"


class InvalidTrust(UserError):
    """What the user vouches for is no dotted name."""

    code = "invalid-trust"


class InvalidFilter(UserError):
    """A filter of rows that is not comparisons of columns with values, joined by `and`."""

    code = "invalid-filter"


class InvalidAssertions(UserError):
    """What is declared in assertions.yml is wrong, or does not fit the model or the data."""

    code = "invalid-assertions"


class InvalidLoop(UserError):
    """What is declared in loop.yml is wrong, or names what is not there."""

    code = "invalid-loop"


class InvalidJob(UserError):
    """A job file, or a file that it names, is wrong: one line for each fault."""

    code = "invalid-job"


class InvalidExpression(UserError):
    """An expression `${{…}}` has no value where it stands."""

    code = "invalid-expression"


class AlreadyThere(UserError):
    """What is to be made is there already, under that name or version, and stays as it is."""

    code = "already-there"


class InvalidTable(UserError):
    """An MLTable file is wrong, declares what is not read here, or names no files."""

    code = "invalid-table"


class JobBusy(UserError):
    """Another process runs the job, or there is a job of that name."""

    code = "job-busy"


class LoopBusy(UserError):
    """Another turn of the loop goes on."""

    code = "loop-busy"


class TrainingFailed(UserError):
    """The command that trains a model failed, took too long, or left no model."""

    code = "training-failed"


class InvalidGate(UserError):
    """A gate asks for what cannot be, or for nothing."""

    code = "invalid-gate"


class NotFound(UserError):
    """No such model, version or alias."""

    code = "not-found"


class ModelFileError(UserError):
    """The model file cannot be imported."""

    code = "model-file-error"


class ModelFileMissing(ModelFileError):
    """No such model file."""

    code = "model-file-missing"


class ModelFileChanged(ModelFileError):
    """The model file's bytes are not those that were scanned or registered."""

    code = "model-file-changed"


class NotAPickle(ModelFileError):
    """An empty or truncated file, or another format."""

    code = "not-a-pickle"


class FormatNotRead(NotAPickle):
    """A format that is known and not read, such as 7z: what is in it cannot be told."""

    code = "format-not-read"


class CodeUnusable(ModelFileError):
    """What `--code` names holds no modules, or one that would hide a library's."""

    code = "code-unusable"


class NotTrusted(ModelFileError):
    """The model file asks for names that are not known safe and that nobody vouched for."""

    code = "not-trusted"


class DangerousModel(ModelFileError):
    """The model file asks for names that run programs, read files or reach the network."""

    code = "dangerous-model"


class NotAModel(ModelFileError):
    """A pickle of something that cannot predict."""

    code = "not-a-model"


class ClassNotImportable(ModelFileError):
    """The model's class lives in a script, or is not where the pickle says."""

    code = "class-not-importable"


class LibraryMissing(ModelFileError):
    """A library the model needs is not installed."""

    code = "library-missing"


class LibraryMismatch(ModelFileError):
    """Another version of a library wrote the model, and its pickles are not portable."""

    code = "library-mismatch"


class TypeMismatch(ModelFileError):
    """The model does not predict what was stated."""

    code = "type-mismatch"


class ClassesMismatch(ModelFileError):
    """The model's classes are not those that are stated, or are in another order."""

    code = "classes-mismatch"


class CorruptModel(ModelFileError):
    """The model's arrays contradict each other, so that the library that reads them may crash."""

    code = "corrupt-model"


class ModelLoadFailed(ModelFileError):
    """Unpickling raised something that has no class of its own."""

    code = "model-load-failed"


class DataError(UserError):
    """The data cannot be used with this model."""

    code = "data-error"


class DataRequired(DataError):
    """A model that can be asked for predictions is imported without data to ask it about."""

    code = "data-required"


class DataFileMissing(DataError):
    """No such data file."""

    code = "data-file-missing"


class DataUnreachable(DataError):
    """Data at an address that cannot be read here, and for which nothing else is named."""

    code = "data-unreachable"


class DataUnreadable(DataError):
    """The file is not csv, parquet or json lines, or is damaged."""

    code = "data-unreadable"


class SeparatorUnclear(DataError):
    """The separator of a csv file cannot be told."""

    code = "separator-unclear"


class TargetMissing(DataError):
    """The target is not a column of the data."""

    code = "target-missing"


class ColumnMissing(DataError):
    """A column the model needs is not in the data."""

    code = "column-missing"


class ColumnMismatch(DataError):
    """A column is there but is not what the model takes."""

    code = "column-mismatch"


class UnseenClass(DataError):
    """The target has classes the model never saw."""

    code = "unseen-class"


class RowMissing(DataError):
    """The data has no such row."""

    code = "row-missing"


class InvalidSchema(DataError):
    """The schema of a dataset has a type that there is not, or rows of another."""

    code = "invalid-schema"


class OutputUnwritable(DataError):
    """The output's format is unknown or its folder cannot be written."""

    code = "output-unwritable"


class OutputTaken(DataError):
    """The output's folder holds the scores of another run, or files of others."""

    code = "output-taken"


class InvalidNotebook(UserError):
    """It is no notebook of Python, its cells are no Python, or its script would be lost."""

    code = "invalid-notebook"


class NotComparable(UserError):
    """There are no two versions to compare."""

    code = "not-comparable"


class PromotionRefused(UserError):
    """The gate does not pass the version: nothing was changed."""

    code = "promotion-refused"
    exit_status = 3


class ChampionChanged(UserError):
    """Another version became the champion meanwhile: nothing else was changed."""

    code = "champion-changed"


class ReasonRequired(UserError):
    """A promotion is forced without saying why."""

    code = "reason-required"


class RollbackImpossible(UserError):
    """There is no former champion to go back to, or what is named is none."""

    code = "rollback-impossible"


class MetricUnknown(UserError):
    """No such metric for what the model predicts."""

    code = "metric-unknown"


class EnvironmentUnavailable(UserError):
    """The packages or the Python that the model was written with cannot be set up here."""

    code = "environment-unavailable"


class SandboxUnavailable(UserError):
    """This machine lacks a layer of the sandbox, and `require_sandbox` asks for all of them."""

    code = "sandbox-unavailable"


class ModelConfined(UserError):
    """The model tried what its sandbox forbids, and was stopped."""

    code = "model-confined"


class PredictionRefused(UserError):
    """The model raised on these rows.

    Attributes:
        reason: what it raised.
        row: the first row, from 0, on which it raises alone; None where that cannot be told.
    """

    code = "prediction-refused"

    def __init__(self, reason: str, *, hint: str = "", row: int | None = None) -> None:
        super().__init__(reason if row is None else f"row {row + 1}: {reason}", hint=hint)
        self.reason = reason
        self.row = row


class ParityFailed(UserError):
    """The registered model answers otherwise than the file."""

    code = "parity-failed"


class NotEvaluated(UserError):
    """Nobody has evaluated the version yet."""

    code = "not-evaluated"


class NotExportable(UserError):
    """The model cannot be written in that format, or the folder to write it to is not free."""

    code = "not-exportable"


class InvalidPackage(UserError):
    """What is asked of a package cannot be: a name, its size, or a folder that is not free."""

    code = "invalid-package"


class NotPackageable(UserError):
    """The model cannot travel: a module that it needs is not at hand, or it has no engine."""

    code = "not-packageable"


class NotProven(UserError):
    """A package was altered, does not answer as the model does, or there are no rows to ask it."""

    code = "not-proven"


class NotServable(UserError):
    """The version was not imported by Brinery, or it cannot be asked for predictions."""

    code = "not-servable"


class AddressInUse(UserError):
    """Another program listens on that address."""

    code = "address-in-use"


class FieldFault(NamedTuple):
    """One fault of rows that a server was asked about; None for a row (from 0) it is not about."""

    code: str
    message: str
    row: Optional[int]
    column: Optional[str]


class RequestRefused(UserError):
    """A server refuses the rows it is asked about.

    Attributes:
        problem: the code of its answer, such as invalid-rows.
        faults: every fault it names, up to 100.
    """

    code = "request-refused"

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        problem: str = "",
        faults: tuple[FieldFault, ...] = (),
    ) -> None:
        super().__init__(message, hint=hint)
        self.problem = problem
        self.faults = faults


class Fault(BrineryError):
    """Ours, or the machine's."""

    code = "fault"
    exit_status = 1


class ModelProcessDied(Fault):
    """The process that held the model ended before it answered."""

    code = "model-process-died"


class ModelProcessTimeout(Fault):
    """The process that held the model did not answer in time."""

    code = "model-process-timeout"


class RegistryFault(Fault):
    """The registry could not be read or written."""

    code = "registry-fault"


class StoreFault(Fault):
    """The database of our own records could not be read or written."""

    code = "store-fault"


class LockLost(StoreFault):
    """What was held in a shared database is held by another: nothing was changed after that."""

    code = "lock-lost"


class EndpointUnreachable(Fault):
    """No server answers there, or the connection to it broke."""

    code = "endpoint-unreachable"


class EndpointTimeout(Fault):
    """A server did not answer in time."""

    code = "endpoint-timeout"


class EndpointFault(Fault):
    """A server could not answer, or its answer is none of ours."""

    code = "endpoint-fault"
