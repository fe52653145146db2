from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract import job_yaml_cases as cases

from brinery.errors import InvalidJob
from brinery.pipeline.catalog import Registered, named
from brinery.pipeline.order import needs
from brinery.pipeline.planning import plan, validate_component
from brinery.records.plan import Data, DataType, Joined, Needs, Plan, Produced, Software, Step, Text
from brinery.specs import job_yaml
from brinery.specs.job_yaml import Noun


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files that jobs name; each test writes its own job beside them."""
    return cases.written(tmp_path_factory.mktemp("jobs"))


class Shelf:
    """A catalog with one component, one environment and one data asset."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def component(self, reference: str, /) -> Registered | None:
        """Return the component `plain`, of version 3."""
        if reference not in ("plain", "plain:3", "plain@latest"):
            return None
        declared = {
            "name": "plain",
            "type": "command",
            "code": "./src",
            "command": "echo ${{inputs.text}}",
            "environment": {"image": "python"},
            "inputs": {"text": {"type": "string"}},
        }
        return Registered(declared, self._folder, "3", "plain:3")

    def environment(self, reference: str, /) -> Software | None:
        """Return the environment `own`."""
        return Software(image="own:1") if reference.startswith("own") else None

    def exists(self, kind: str, reference: str, /) -> bool | None:
        """Return whether it is the data asset `wine`; models are not known."""
        return None if kind == "model" else reference.startswith(("wine", "workspaceblobstore"))

    def names(self, kind: str, /) -> Sequence[str]:
        """Return the one name."""
        return ["plain"] if kind == "component" else ["wine"]


def planned(folder: Path, text: str, *sets: str) -> Plan:
    """The plan of a job."""
    file = folder / "job.yml"
    file.write_text(text)
    return plan(job_yaml.read(file, sets=sets), Shelf(folder))


def steps(made: Plan) -> dict[str, Step]:
    """Its steps by name."""
    return {one.name: one for one in made.steps}


def refused(folder: Path, text: str, *sets: str) -> str:
    """What is wrong with a job."""
    with pytest.raises(InvalidJob) as error:
        planned(folder, text, *sets)
    return error.value.message.replace(f"{folder}/", "")


def test_right_jobs_are_planned(folder: Path) -> None:
    """Each has steps that come after all that feed them."""
    for name, text in {**cases.VALID, **cases.THEIRS}.items():
        made = plan(job_yaml.read(_file(folder, text)))
        assert made.steps, name
        before: set[str] = set()
        for one in made.steps:
            assert needs(one) <= before, name
            before.add(one.name)


def _file(folder: Path, text: str) -> Path:
    file = folder / "job.yml"
    file.write_text(text)
    return file


@pytest.mark.parametrize("name", [*cases.INVALID, *cases.OURS])
def test_wrong_jobs_are_refused(folder: Path, name: str) -> None:
    """Each fault is told in words that name it, where it stands."""
    text, said = {**cases.INVALID, **cases.OURS}[name]
    with pytest.raises(InvalidJob) as error:
        plan(job_yaml.read(_file(folder, text)))
    assert said in error.value.message


def test_faults_are_told_at_once(folder: Path) -> None:
    """Those of the file, of its components and of the whole, in the order of the lines."""
    text = """\
type: pipeline
inputs:
  raw: {type: uri_folder, path: ./dataa}
jobs:
  train:
    component: ./parts/train.yml
    inputs:
      trainig_data: ${{parent.inputs.raw}}
      rate: 3
  other: {component: ./bounds.yml, inputs: {n: "${{parent.jobs.train.outputs.log}}"}}
"""
    misspelt = "no such input on component train (did you mean training_data?)"
    assert refused(folder, text).splitlines() == [
        "6 faults",
        "job.yml:3 inputs.raw.path: there is nothing at ./dataa",
        f"job.yml:8 jobs.train.inputs.trainig_data: {misspelt}",
        "job.yml:9 jobs.train.inputs.rate: 3 is more than 1, the most it may be",
        "job.yml:10 jobs.other.inputs.n: files are no integer, which component bounds takes",
        "bounds.yml:4 inputs.n.default: 3 is more than 2, the most it may be",
        "bounds.yml:5 inputs.m.min: 5 is more than max, 1",
    ]


def test_nested_pipelines_are_flat(folder: Path) -> None:
    """Steps have the names of their pipelines before theirs, and their parents' values."""
    made = steps(planned(folder, cases.VALID["nested"]))
    assert list(made) == ["twice.train", "twice.score", "after"]
    train, score, after = made.values()
    assert train.inputs["rate"] == Text(text="0.25")
    assert train.inputs["epochs"] == Text(text="2")
    data = train.inputs["training_data"]
    assert isinstance(data, Data)
    assert data.uri == str(folder / "data")
    assert score.inputs["model"] == Produced(step="twice.train", output="model")
    assert after.inputs["m"] == Produced(step="twice.train", output="model")
    assert after.inputs["s"] == Produced(step="twice.score", output="scores")
    assert after.types["m"] is DataType.MLFLOW_MODEL
    assert not score.deterministic


def test_an_output_of_a_job_is_that_of_the_step_that_leaves_it(folder: Path) -> None:
    """However deep that step lies."""
    made = planned(folder, cases.VALID["nested"])
    assert (made.outputs["model"].step, made.outputs["model"].output) == ("twice.train", "model")
    assert made.outputs["model"].settings.type is DataType.MLFLOW_MODEL
    alone = planned(folder, cases.VALID["instance of a component"])
    assert set(alone.outputs) == {"model", "scores"}


def test_paths_are_relative_to_the_file_that_has_them(folder: Path) -> None:
    """The job's, the component's, and the nested component's own folders; `file:` is optional."""
    made = steps(planned(folder, cases.THEIRS["file: before a pipeline component"]))
    assert made["a.train"].code == str(folder / "src")
    assert made["a.score"].software.context == str(folder)
    assert "tabulate" in made["a.score"].software.conda
    (alone,) = planned(folder, cases.VALID["command with data"]).steps
    assert alone.code == str(folder / "src")


def test_defaults_are_typed_and_literals_are_not(folder: Path) -> None:
    """A component's default has its type's text; a step's own value is told as it is written."""
    given = steps(planned(folder, cases.VALID["component with literals"]))["train"]
    kept = steps(planned(folder, cases.VALID["component"]))["train"]
    texts = {name: one.text for name, one in kept.inputs.items() if isinstance(one, Text)}
    assert texts == {"rate": "0.0", "size": "1000", "how": "fast", "shout": "True"}
    texts = {name: one.text for name, one in given.inputs.items() if isinstance(one, Text)}
    assert texts == {"rate": "1", "size": "1024", "how": "slow", "shout": "False", "epochs": "3"}
    assert kept.optional == ("epochs",)


def test_types_of_outputs_in_place_are_the_pipelines(folder: Path) -> None:
    """A file is no folder that is made beforehand."""
    made = planned(folder, cases.VALID["type of an output from the pipeline"])
    output = made.steps[0].outputs["o"]
    assert (output.type, output.mode) == (DataType.FILE, "upload")
    assert made.outputs["file"].settings.type is DataType.FILE


def test_what_a_datastore_has_is_found_when_the_step_starts(folder: Path) -> None:
    """An address stays one, and nothing is looked for."""
    (made,) = planned(folder, cases.VALID["command with addresses"]).steps
    uris = [one.uri for one in made.inputs.values() if isinstance(one, Data)]
    assert uris == [
        "azureml://datastores/workspaceblobstore/paths/x/",
        "azureml:wine:1",
        "https://example.org/a.csv",
    ]


def test_parts_of_texts_are_joined(folder: Path) -> None:
    """`${{parent.inputs.raw}}/sub` is what the input is, and what stands after it."""
    value = steps(planned(folder, cases.VALID["parts of texts"]))["train"].inputs["training_data"]
    assert isinstance(value, Joined)
    assert value.parts[1] == Text(text="/sub")


def test_a_sample_is_changed_to_all_by_one_set(folder: Path) -> None:
    """The path of an input is set from outside, relative to the file."""
    (made,) = planned(folder, cases.VALID["command with data"], "inputs.folder.path=./src").steps
    data = made.inputs["folder"]
    assert isinstance(data, Data)
    assert data.uri == str(folder / "src")
    text = refused(folder, cases.VALID["command with data"], "inputs.folder.path=./nowhere")
    assert text == "--set inputs.folder.path: there is nothing at ./nowhere"


def test_registered_things_are_asked_of_the_catalog(folder: Path) -> None:
    """Components, environments, data and datastores, with the nearest name for a wrong one."""
    text = """\
type: pipeline
jobs:
  a: {component: "azureml:plain@latest", inputs: {text: hello}, environment: "azureml:own:1"}
"""
    (made,) = planned(folder, text).steps
    assert made.component == "plain:3"
    assert made.code == str(folder / "src")
    assert made.software.image == "own:1"
    wrong = text.replace("plain", "plane")
    assert "no component plane@latest is registered (did you mean plain?)" in refused(folder, wrong)
    data = "command: ls ${{inputs.x}}\nenvironment: {image: python}\ninputs: {x: {path: PATH}}\n"
    assert "there is no data vine:1 (did you mean wine?)" in refused(
        folder, data.replace("PATH", "azureml:vine:1")
    )
    assert "there is no datastore other" in refused(
        folder, data.replace("PATH", "azureml://datastores/other/paths/x")
    )


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("azureml:a:1", "a:1"),
        ("azureml:a@latest", "a@latest"),
        ("azureml:a", "a"),
        ("azureml://registries/r/environments/sklearn-1.5/labels/latest", "sklearn-1.5@latest"),
        ("azureml://registries/r/components/c/versions/0.0.1", "c:0.0.1"),
        ("sklearn", None),
        ("azureml://datastores/d/paths/p", None),
    ],
)
def test_references_have_one_form(text: str, reference: str | None) -> None:
    """What a registry has is named as what the workspace has."""
    assert named(text) == reference


def test_what_means_nothing_here_is_noted(folder: Path) -> None:
    """A line for each kind: compute, services, identity; unknown settings; unused inputs."""
    notes = " ".join(planned(folder, cases.VALID["unknown setting"]).notes)
    assert "settings.default_datestore: is not known here" in notes
    assert "did you mean default_datastore?" in notes
    assert "compute" in notes
    notes = " ".join(planned(folder, cases.VALID["command with services"]).notes)
    assert "services: are not started here" in notes
    notes = " ".join(planned(folder, cases.VALID["undeclared input"]).notes)
    assert "jobs.train.inputs.zzzzzz: no such input on component train: it is dropped" in notes


def test_parallel_and_sweep_steps_are_whole(folder: Path) -> None:
    """What they declare is in the plan, in units of ours."""
    part = planned(folder, cases.VALID["parallel in place"]).steps[0].parallel
    assert part is not None
    assert (part.data, part.append_to, part.batch_size, part.entry) == (
        "rows",
        "all",
        10_240,
        "entry.py",
    )
    made = steps(planned(folder, cases.VALID["parallel component"]))["batches"]
    assert made.parallel is not None
    assert (made.parallel.batch_size, made.spread.instances) == (1, 2)
    sweep = steps(planned(folder, cases.VALID["sweep of a component"]))["search"]
    assert sweep.sweep is not None
    assert sweep.sweep.space["epochs"].values == ("1", "2")
    assert "epochs" not in sweep.inputs


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("component: ./self.yml", "the pipeline is a step of itself"),
        (
            "component: ./parts/train.yml\n    type: parallel",
            "is parallel, and component train is of type command",
        ),
        ("type: spark", "steps of type spark are not run here"),
        ("component: ./job_itself.yml", "declares a job, and no component"),
    ],
)
def test_steps_of_another_kind_are_refused(folder: Path, text: str, said: str) -> None:
    """What is no step here says why."""
    (folder / "self.yml").write_text(
        "name: self\ntype: pipeline\njobs:\n  again: {component: ./self.yml}\n"
    )
    (folder / "job_itself.yml").write_text(
        "type: command\nexperiment_name: x\ncommand: echo\nenvironment: {image: python}\n"
    )
    assert said in refused(folder, f"type: pipeline\njobs:\n  a:\n    {text}\n")


def test_an_optional_input_stands_in_a_block(folder: Path) -> None:
    """Without one its absence would leave a hole in the command."""
    (folder / "hole.yml").write_text(
        "name: hole\ntype: command\ninputs: {x: {type: string, optional: true}}\n"
        "environment: {image: python}\ncommand: echo ${{inputs.x}}\n"
    )
    text = "type: pipeline\njobs:\n  a: {component: ./hole.yml}\n"
    assert "the input x is optional, and ${{inputs.x}} must stand in $[[…]]" in refused(
        folder, text
    )


def test_a_component_is_checked_by_itself(folder: Path) -> None:
    """Its name counts where it is registered, and not where a pipeline names its file."""
    validate_component(job_yaml.read(folder / "parts/train.yml", noun=Noun.COMPONENT))
    validate_component(job_yaml.read(folder / "parts/nested/both.yml", noun=Noun.COMPONENT))
    validate_component(job_yaml.read(folder / "parts/batches.yml", noun=Noun.COMPONENT))
    with pytest.raises(InvalidJob, match="'score-with-a-dash' is no name of a component"):
        validate_component(job_yaml.read(folder / "parts/score.yml", noun=Noun.COMPONENT))
    with pytest.raises(InvalidJob, match="component broken has no input nn"):
        validate_component(job_yaml.read(folder / "broken.yml", noun=Noun.COMPONENT))


def test_an_output_is_left_once(folder: Path) -> None:
    """Two steps cannot leave the same output of the pipeline."""
    step = 'command: echo, environment: {image: python}, outputs: {o: "${{parent.outputs.x}}"}'
    text = f"type: pipeline\noutputs: {{x: }}\njobs:\n  a: {{{step}}}\n  b: {{{step}}}\n"
    assert "${{parent.outputs.x}} is left by a already" in refused(folder, text)


def test_compute_of_a_parent_is_filled_in(folder: Path) -> None:
    """Expressions of a step's settings are looked up in its pipeline."""
    step = "command: echo, environment: {image: python}"
    text = f"""\
type: pipeline
inputs: {{many: 3, where: cpu}}
jobs:
  a: {{{step}, compute: "${{{{parent.inputs.where}}}}",
      resources: {{instance_count: "${{{{parent.inputs.many}}}}"}},
      environment_variables: {{N: "${{{{parent.inputs.many}}}}"}}}}
"""
    (made,) = planned(folder, text).steps
    assert made.spread.instances == 3
    assert made.variables == {"N": "3"}
    assert "the pipeline has no input wher" in refused(folder, text.replace("s.where", "s.wher"))


def test_an_output_that_nobody_leaves_is_told_where_it_is_taken(folder: Path) -> None:
    """A component may declare more than its steps leave; nobody may wait for it."""
    (folder / "hollow.yml").write_text(
        "name: hollow\ntype: pipeline\noutputs: {o: {type: uri_folder}}\n"
        "jobs:\n  a: {command: echo, environment: {image: python}}\n"
    )
    text = "type: pipeline\njobs:\n  a: {component: ./hollow.yml}\n"
    notes = " ".join(planned(folder, text).notes)
    assert "outputs.o: no step leaves it" in notes
    taken = (
        '  b: {command: "ls ${{inputs.x}}", environment: {image: python}, '
        'inputs: {x: "${{parent.jobs.a.outputs.o}}"}}\n'
    )
    assert "jobs.b.inputs.x: no step of a leaves its output o" in refused(folder, text + taken)


def test_an_older_form_is_met_with_the_newer(folder: Path) -> None:
    """`${{jobs.a.outputs.o}}` was meant as `${{parent.jobs.a.outputs.o}}`."""
    text = """\
type: pipeline
jobs:
  a: {command: ls, environment: {image: python}, outputs: {o: }}
  b: {command: "ls ${{inputs.x}}", environment: {image: python},
      inputs: {x: "${{jobs.a.outputs.o}}"}}
"""
    assert "write ${{parent.jobs.a.outputs.o}}" in refused(folder, text)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.sets(st.integers(0, 7), max_size=3), min_size=1, max_size=8), st.randoms())
def test_any_order_of_the_file_makes_a_right_one(
    folder: Path, needed: list[set[int]], chance: Random
) -> None:
    """Steps may stand in any order: each comes after all that feed it, and each comes once."""
    lines = []
    for at, others in enumerate(needed):
        fed = sorted(one for one in others if one < at)
        inputs = ", ".join(f'i{one}: "${{{{parent.jobs.s{one}.outputs.o}}}}"' for one in fed)
        command = " ".join(["echo", *(f"${{{{inputs.i{one}}}}}" for one in fed)])
        lines.append(
            f'  s{at}: {{command: "{command}", environment: {{image: python}}, '
            f"inputs: {{{inputs}}}, outputs: {{o: }}}}\n"
        )
    chance.shuffle(lines)
    made = planned(folder, "type: pipeline\njobs:\n" + "".join(lines)).steps
    assert sorted(one.name for one in made) == sorted(f"s{at}" for at in range(len(needed)))
    before: set[str] = set()
    for one in made:
        assert needs(one) <= before
        before.add(one.name)


def test_an_input_that_resembles_little_is_dropped(folder: Path) -> None:
    """Only what was surely meant for another input is a fault; the rest is dropped, and noted."""
    text = cases.VALID["undeclared input"].replace("zzzzzz", "shoes")
    notes = " ".join(planned(folder, text).notes)
    assert "jobs.train.inputs.shoes: no such input on component train: it is dropped" in notes
    assert "did you mean shout?" in refused(folder, text.replace("shoes", "shoutx"))


def test_a_table_is_known_by_its_mode(folder: Path) -> None:
    """Without a type, what is read by an `eval_` mode is a table."""
    text = (
        "command: ls ${{inputs.x}}\nenvironment: {image: python}\n"
        "inputs: {x: {path: ./table, mode: eval_mount}}\n"
    )
    (made,) = planned(folder, text).steps
    assert made.types["x"] is DataType.TABLE


def test_a_step_without_its_component_is_looked_at(folder: Path) -> None:
    """What it names of its pipeline is checked, though nothing is known of its own inputs."""
    text = """\
type: pipeline
outputs: {left: }
jobs:
  a:
    component: ./unheard_of.yml
    inputs:
      x: ${{parent.inputs.raw}}
      y: {type: uri_folder, path: ./nowhere}
      z: ${{parent.jobs.b.outputs.o}}
    outputs: {o: "${{parent.outputs.lfet}}"}
  b: {component: ./src}
"""
    assert refused(folder, text).splitlines() == [
        "5 faults",
        "job.yml:5 jobs.a.component: there is no file ./unheard_of.yml",
        "job.yml:7 jobs.a.inputs.x: the pipeline has no input raw",
        "job.yml:8 jobs.a.inputs.y.path: there is nothing at ./nowhere",
        "job.yml:10 jobs.a.outputs.o: the pipeline has no output lfet (did you mean left?)",
        "job.yml:11 jobs.b.component: ./src is a folder, and a component is a file",
    ]


def test_what_a_step_needs(folder: Path) -> None:
    """What a cluster is asked for is read from the properties of its resources."""
    asked = "{num_cpus: 2, num_gpus: 0.5, memory: 1.5gb, resources: {fast: 1}}"
    text = (
        "command: echo\nenvironment: {image: python}\n"
        "resources: {instance_count: 2, properties: {ray: NEEDS}}\n"
    )
    made = planned(folder, text.replace("NEEDS", asked))
    assert made.steps[0].needs == Needs(
        cpus=2.0, gpus=0.5, memory_bytes=3 << 29, others={"fast": 1.0}
    )
    assert made.notes == ()
    for wrong, said in {
        "{num_cpu: 2}": "resources.properties.ray: num_cpu: no such need (did you mean num_cpus?)",
        "{num_gpus: many}": "num_gpus: 'many' is no number from 0 on",
        "{memory: much}": "memory: 'much' is no size as 500mb or 4gb is",
        "2": "is no mapping",
    }.items():
        assert said in refused(folder, text.replace("NEEDS", wrong))
