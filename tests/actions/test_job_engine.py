"""The engine of jobs: what runs, what is reused and why, what steps are given and leave."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.actions.job_plans import by_name, chained, plan, reopened, run, shell, told, workspace

from brinery.actions.job import How, resume
from brinery.actions.job_rooms import open_job_rooms
from brinery.records.job import JobRun, Status
from brinery.records.job_event import Happening
from brinery.records.plan import (
    Data,
    DataType,
    Joined,
    Kept,
    Output,
    Produced,
    Spread,
    Text,
)
from brinery.store.fingerprints import Fingerprints
from brinery.store.jobs import log_lines, log_of
from brinery.store.outputs import Outputs

WORDS = ("one ", "two ", "three ", "four ", "five")


def said(job: JobRun, rooms_path: Path, step: str) -> list[str]:
    """Return what a step of a job wrote."""
    return [text for _, text in log_lines(log_of(rooms_path / ".brinery/jobs" / job.name, step))]


def ran(job: JobRun) -> list[str]:
    """Return the steps of a job that were run, not reused."""
    return [step.name for step in job.steps if not step.reused]


def test_five_steps(tmp_path: Path) -> None:
    """Five steps run once; then what changed runs and says why, and the rest is reused."""
    rooms = workspace(tmp_path)
    first = run(rooms, chained(tmp_path, WORDS))
    assert first.status is Status.COMPLETED
    final = tmp_path / ".brinery/jobs" / first.name / "named-outputs/final/text"
    assert final.read_text() == "begin one two three four five"
    assert all(step.why == "it never ran before" for step in first.steps)
    assert all(step.usage is not None and step.usage.wall_s > 0 for step in first.steps)

    again = run(reopened(tmp_path), chained(tmp_path, WORDS))
    assert ran(again) == []
    assert {step.reused for step in again.steps} == {first.name}
    assert {step.why for step in again.steps} == {f"nothing changed since {first.name}"}
    assert again.steps[4].outputs == first.steps[4].outputs

    other = run(reopened(tmp_path), chained(tmp_path, (*WORDS[:2], "3 ", *WORDS[3:])))
    assert ran(other) == ["s2", "s3", "s4"]
    assert other.steps[2].why == f"since {again.name}: parameter word was ''three '', is ''3 ''"
    assert other.steps[3].why == f"since {again.name}: input a: text changed"

    back = run(reopened(tmp_path), chained(tmp_path, WORDS))
    assert ran(back) == []

    (tmp_path / "data" / "text").write_text("start ")
    data = run(reopened(tmp_path), chained(tmp_path, WORDS))
    assert ran(data) == ["s0", "s1", "s2", "s3", "s4"]
    assert data.steps[0].why == f"since {back.name}: input a: text changed"


def test_code_changes(tmp_path: Path) -> None:
    """A comment is a change unless it is to be ignored; equal outputs cut off what follows."""
    workspace(tmp_path)
    made = chained(tmp_path, WORDS[:3])
    other = tmp_path / "other"
    other.mkdir()
    script = tmp_path / "code" / "step.py"
    (other / "step.py").write_text(script.read_text())
    made = replace(
        made, steps=(made.steps[0], replace(made.steps[1], code=str(other)), made.steps[2])
    )
    first = run(reopened(tmp_path), made)
    (other / "step.py").write_text(script.read_text() + "# the end\n")
    ignored = run(reopened(tmp_path), made, How(ignore_comments=True))
    assert ran(ignored) == []
    assert ignored.steps[1].why == f"only comments changed since {first.name}"
    cut = run(reopened(tmp_path), made)
    assert ran(cut) == ["s1"]
    assert cut.steps[2].reused == first.name
    (other / "step.py").write_text(script.read_text().replace("text + word", "word + text"))
    real = run(reopened(tmp_path), made, How(ignore_comments=True))
    assert ran(real) == ["s1", "s2"]
    assert "code: step.py changed at line 4" in real.steps[1].why
    assert "became" in real.steps[1].why


def test_what_is_never_reused(tmp_path: Path) -> None:
    """force_rerun, is_deterministic: false and a job of one command run each time, and say so."""
    rooms = workspace(tmp_path)
    step = shell("a", "echo a > ${{outputs.o}}/a", outputs={"o": Output()})
    run(rooms, plan(step))
    for made, why in (
        (plan(step, force_rerun=True), "force_rerun is set"),
        (plan(replace(step, deterministic=False)), "is_deterministic is false"),
        (plan(step, pipeline=False), "a job of one command is never reused"),
    ):
        job = run(reopened(tmp_path), made)
        assert (ran(job), job.steps[0].why) == (["a"], why)
    assert ran(run(reopened(tmp_path), plan(step))) == []


def test_altered_outputs_are_made_again(tmp_path: Path) -> None:
    """A cached output that somebody wrote to all the same is not given to anybody."""
    rooms = workspace(tmp_path)
    step = shell("a", "echo a > ${{outputs.o}}/a", outputs={"o": Output()})
    first = run(rooms, plan(step, file="p.yml"))
    path = Path(first.steps[0].outputs["o"].path, "a")
    path.chmod(0o644)
    path.write_text("altered\n")
    job = run(reopened(tmp_path), plan(step, file="p.yml"))
    assert ran(job) == ["a"]
    assert "altered" in job.steps[0].why
    assert path.read_text() == "a\n"


def test_a_reused_step_has_the_folder_of_the_run_that_stands_for_it(tmp_path: Path) -> None:
    """Logs and outputs are found under both jobs; a step that must run again has its own."""
    steps = (
        shell("a", "echo said; echo a > ${{outputs.o}}/a", outputs={"o": Output()}),
        shell("b", "exit 1", inputs={"after": Produced(step="a", output="o")}),
    )
    first = run(workspace(tmp_path), plan(*steps, file="p.yml"))
    second = run(reopened(tmp_path), plan(*steps, file="p.yml", name="second"))
    folders = [tmp_path / ".brinery/jobs" / job.name / "steps/a" for job in (first, second)]
    assert by_name(second)["a"].reused == first.name
    for folder in folders:
        assert (folder / "outputs/o/a").read_text() == "a\n"
        assert (folder / "logs/std_log.txt").read_text().endswith("said\n")

    made = Path(by_name(first)["a"].outputs["o"].path)
    Outputs(made.parents[2], Fingerprints(None)).discard(str(made))
    before = (folders[0] / "logs/std_log.txt").stat()
    rooms = reopened(tmp_path)
    list(resume(rooms, "second"))
    assert by_name(rooms.jobs.read("second"))["a"].reused == ""
    assert not folders[1].is_symlink()
    assert (folders[0] / "logs/std_log.txt").stat() == before


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, JobRun]:
    """Return a workspace and a job whose steps read and leave in every way."""
    folder = tmp_path_factory.mktemp("ways")
    rooms = workspace(folder)
    store = "azureml://datastores/workspaceblobstore/paths"
    job = run(
        rooms,
        plan(
            shell(
                "kinds",
                "test ! -e ${{outputs.file}} && echo 12345 > ${{outputs.file}}; "
                "ls -A ${{outputs.folder}}; mkdir ${{outputs.folder}}/deep; "
                "echo hi > outputs/hi; echo log > logs/log; ls",
                outputs={
                    "file": Output(type=DataType.FILE, path=f"{store}/${{{{name}}}}/hello.txt"),
                    "folder": Output(path=f"{store}/all/${{{{output_name}}}}"),
                },
            ),
            shell(
                "reads",
                "cat ${{inputs.file}}; ls ${{inputs.folder}} ${{inputs.artifacts}}; "
                "cat ${{inputs.sub}}; echo ${{inputs.n}} $[[--o ${{inputs.o}}]] $[[--n "
                "${{inputs.n}}]]; echo x > ${{inputs.file}} || echo refused",
                inputs={
                    "file": Produced(step="kinds", output="file"),
                    "folder": Produced(step="kinds", output="folder"),
                    "artifacts": Produced(step="kinds", output="artifacts"),
                    "sub": Joined(parts=(Data(uri=str(folder / "data")), Text(text="/text"))),
                    "n": Text(text="1024.0"),
                },
                optional=("o",),
            ),
            shell(
                "variables",
                "echo $AZUREML_RUN_ID; echo $MINE; echo $MLFLOW_RUN_ID; echo $RANK of $WORLD_SIZE",
                variables={"MINE": "salt water"},
                spread=Spread(instances=2, distribution="pytorch", processes=1),
            ),
            name="ways",
            outputs={"named": Kept(step="kinds", output="file")},
        ),
        How(limit=4),
    )
    return folder, job


def test_outputs(ways: tuple[Path, JobRun]) -> None:
    """A file is yet to be made, a folder is there, empty; both are found afterwards."""
    folder, job = ways
    assert job.status is Status.COMPLETED, job.error
    step = by_name(job)["kinds"]
    assert said(job, folder, "kinds") == ["logs", "outputs"]
    assert step.outputs["file"].file
    assert not step.outputs["folder"].file
    place = folder / ".brinery/jobs/ways"
    assert (place / "steps/kinds/outputs/file").read_text() == "12345\n"
    assert (place / "named-outputs/named").read_text() == "12345\n"
    assert (place / "steps/kinds/outputs/artifacts/outputs/hi").read_text() == "hi\n"
    assert (place / "steps/kinds/outputs/artifacts/logs/log").read_text() == "log\n"
    assert not (place / "steps/kinds/work").exists()


def test_places_of_outputs(ways: tuple[Path, JobRun]) -> None:
    """An output with a place of its own lies there too, as a file that people may write to."""
    folder, _ = ways
    store = folder / ".brinery/datastores/workspaceblobstore"
    assert not (store / "ways/hello.txt").is_symlink()
    assert (store / "ways/hello.txt").read_text() == "12345\n"
    assert (store / "all/folder").is_dir()


def test_inputs(ways: tuple[Path, JobRun]) -> None:
    """Inputs are paths and texts as they are declared; what another step left is read-only."""
    folder, job = ways
    lines = said(job, folder, "reads")
    assert lines[0] == "12345"
    assert "deep" in lines
    assert "begin 1024.0 --n 1024.0" in lines
    assert lines[-1] == "refused"


def test_variables(ways: tuple[Path, JobRun]) -> None:
    """Steps have their own variables, those that scripts for such jobs read, and their rank."""
    folder, job = ways
    lines = said(job, folder, "variables")
    assert lines.count("salt water") == 2
    assert "ways_variables" in lines
    assert sorted(line for line in lines if " of " in line) == ["0 of 2", "1 of 2"]
    step = by_name(job)["variables"]
    assert step.run_id
    assert lines.count(step.run_id) == 2


def test_failure_stops_the_job(tmp_path: Path) -> None:
    """Where a step fails nothing more is begun, what runs is ended, and a resume goes on there."""
    rooms = workspace(tmp_path)
    flag = tmp_path / "flag"
    job = run(
        rooms,
        plan(
            shell("good", "echo x > ${{outputs.o}}/x", outputs={"o": Output()}),
            shell(
                "bad",
                f"test -e {flag} && ls ${{{{inputs.i}}}}",
                inputs={"i": Produced(step="good", output="o")},
            ),
            shell("long", f"test -e {flag} || sleep 300"),
            shell("after", "true", inputs={"i": Produced(step="bad", output="artifacts")}),
            name="fails",
        ),
        How(limit=3),
    )
    steps = by_name(job)
    assert job.status is Status.FAILED
    assert job.error == "the step bad failed: its command ended with status 1"
    assert steps["good"].status is Status.COMPLETED
    assert [steps[name].status for name in ("long", "after")] == [Status.CANCELED] * 2
    flag.touch()
    running = resume(reopened(tmp_path), "fails")
    events = []
    try:
        while True:
            events.append(next(running))
    except StopIteration as end:
        job = end.value
    begun = [each.step for each in events if each.happening is Happening.STEP_STARTED]
    assert begun == ["bad", "long", "after"] or sorted(begun) == ["bad", "long"]
    assert by_name(job)["bad"].attempts == 2


def test_continue_on_failure(tmp_path: Path) -> None:
    """Independent steps go on; who needs what failed does not run, who can do without it does."""
    rooms = workspace(tmp_path)
    failed = Produced(step="bad", output="o")
    job = run(
        rooms,
        plan(
            shell("bad", "exit 3", outputs={"o": Output()}),
            shell("needs", "true", inputs={"i": failed}),
            shell(
                "does", "echo $[[--i ${{inputs.i}}]] done", inputs={"i": failed}, optional=("i",)
            ),
            shell("other", "sleep 0.2"),
            shell("last", "true", inputs={"i": Produced(step="needs", output="o")}),
            continue_on_failure=True,
        ),
    )
    steps = by_name(job)
    assert job.status is Status.FAILED
    assert [steps[name].status.value for name in ("bad", "needs", "does", "other", "last")] == [
        "Failed",
        "Canceled",
        "Completed",
        "Completed",
        "Canceled",
    ]
    assert said(job, tmp_path, "does") == ["done"]
    assert steps["needs"].why == "the step bad, which feeds it, failed"


def test_what_was_not_left(tmp_path: Path) -> None:
    """A step that needs a file which another did not leave fails, and says which."""
    job = run(
        workspace(tmp_path),
        plan(
            shell("none", "true", outputs={"o": Output(type=DataType.FILE)}),
            shell("needs", "true", inputs={"i": Produced(step="none", output="o")}),
        ),
    )
    assert "the step none left nothing at its output o" in job.error


def test_time_limits_and_cancel(tmp_path: Path) -> None:
    """A step and a job end at their limits; a job ends when somebody asks for it."""
    rooms = workspace(tmp_path)
    late = run(rooms, plan(shell("a", "sleep 300", timeout_s=0.2)))
    assert late.error == "the step a failed: ended after 0.2 s, its time limit"
    whole = run(reopened(tmp_path), plan(shell("a", "sleep 300"), timeout_s=0.2))
    assert (whole.status, whole.steps[0].status) == (Status.FAILED, Status.CANCELED)
    assert "0.2 s, its time limit" in whole.error

    def ask() -> None:
        while not (rooms.jobs.path("asked") / "steps/a/logs/std_log.txt").exists():
            time.sleep(0.02)
        rooms.jobs.cancel("asked")

    asking = threading.Thread(target=ask)
    asking.start()
    asked = run(reopened(tmp_path), plan(shell("a", "sleep 300"), name="asked"))
    asking.join()
    assert (asked.status, asked.steps[0].status) == (Status.CANCELED, Status.CANCELED)


def test_a_step_cannot_write_to_its_code(tmp_path: Path) -> None:
    """A step runs in a copy of its code, and what it writes there stays there."""
    rooms = workspace(tmp_path)
    step = shell("a", "echo altered > step.py; ls", code=str(tmp_path / "code"))
    job = run(rooms, plan(step))
    assert job.status is Status.COMPLETED
    assert "altered" not in (tmp_path / "code" / "step.py").read_text()


def test_room_for_so_many(tmp_path: Path) -> None:
    """No more than so many steps run at once, and all that can run do."""
    rooms = workspace(tmp_path)
    count = f"n=$(ls {tmp_path}/now | wc -l)"
    # The first two wait for each other, however late the second is.
    meet = f"until [ -e {tmp_path}/met ]; do {count}; [ $n -lt 2 ] || touch {tmp_path}/met; done"
    command = f"mkdir -p {tmp_path}/now/$AZUREML_RUN_ID; {meet}; {count}; echo $n; test $n -le 2; "
    command += f"s=$?; sleep 0.1; rmdir {tmp_path}/now/$AZUREML_RUN_ID; exit $s"
    steps = [shell(f"s{number}", command) for number in range(6)]
    job, events = told(rooms, plan(*steps), How(limit=2, told=True))
    assert job.status is Status.COMPLETED
    assert "2" in [event.message for event in events if event.happening is Happening.LINE]


def test_the_folder_that_outputs_were_made_in_holds_the_links_to_them(tmp_path: Path) -> None:
    """No other one is made, but where more was left in it, or a step closed it to others."""
    rooms = workspace(tmp_path)
    command = "d=$(dirname ${{outputs.o}}); stat -c %i $d; echo 1 > ${{outputs.o}}"
    made = {"o": Output(type=DataType.FILE)}
    steps = [
        shell("plain", command, outputs=made),
        shell("littered", f"{command}; echo 2 > $d/more", outputs=made),
        shell("closed", f"{command}; chmod 500 $d", outputs=made),
    ]
    job = run(rooms, plan(*steps))
    assert job.status is Status.COMPLETED
    above = tmp_path / ".brinery/jobs" / job.name / "steps"
    places = {step.name: above / step.name / "outputs" for step in job.steps}
    same = {
        name: said(job, tmp_path, name) == [str(place.stat().st_ino)]
        for name, place in places.items()
    }
    assert same == {"plain": True, "littered": False, "closed": False}
    for name, place in places.items():
        assert [each.name for each in place.iterdir()] == ["o"]
        assert (place / "o").is_symlink()
        assert (place / "o").read_text() == "1\n"
        assert sorted(each.name for each in (above / name).iterdir()) == ["logs", "outputs"]
        assert place.stat().st_mode & 0o700 == 0o700


def test_the_rooms_of_jobs_tell_no_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Among what steps are told by variables are secrets, which no log is to have."""
    monkeypatch.setenv("COUNTERSIGN", "open sesame")
    rooms = open_job_rooms(tmp_path)
    assert rooms.variables["COUNTERSIGN"] == "open sesame"
    assert repr(rooms) == f"JobRooms({tmp_path})"
    assert "open sesame" not in str(list(rooms.__rich_repr__()))
