"""Scripts for another client of job YAML, as they are, with `alias az='brinery az'`."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.conftest import BRINERY

from brinery.cli.az import rewritten

_JOB = """\
type: pipeline
experiment_name: words
inputs:
  text: hello
  table: {type: uri_folder, path: azureml:table@latest}
outputs:
  said: {type: uri_file}
jobs:
  say:
    type: command
    component: azureml:say@latest
    inputs: {text: "${{parent.inputs.text}}", table: "${{parent.inputs.table}}"}
    outputs: {said: "${{parent.outputs.said}}"}
  hear:
    type: command
    command: mkdir -p outputs; cp ${{inputs.said}} outputs/heard.txt; cat ${{inputs.said}}
    environment: {image: python}
    inputs: {said: "${{parent.jobs.say.outputs.said}}"}
"""
_COMPONENT = """\
name: say
type: command
inputs:
  text: {type: string}
  table: {type: uri_folder}
outputs:
  said: {type: uri_file}
environment: {image: python}
command: echo ${{inputs.text}} $(ls ${{inputs.table}}) > ${{outputs.said}}
"""
_SCRIPT = """\
set -e
shopt -s expand_aliases
alias az='BRINERY az'
az login --use-device-code
az account set -s 0000
az configure --defaults group=g workspace=w location=l
az extension add -n ml -y
az ml compute create -n cpu --type amlcompute
az ml data create -n table --path table --type uri_folder --query provisioning_state -o tsv
az ml component create --file say.yml -g g -w w --only-show-errors \\
  --query '{n:name,v:version}' -o tsv
run_id=$(az ml job create -f job.yml --set inputs.text=hullo settings.force_rerun=True \\
  --resource-group g --query name -o tsv)
echo "$run_id" > name.txt
status=$(az ml job show -n $run_id --query status -o tsv)
while [[ $status == "Running" || $status == "Queued" ]]; do sleep 1; done
echo "status $status"
az ml job stream -n $run_id
az ml job download -n $run_id --all -p left
az ml job download --name $run_id --output-name said --download-path one
az ml job update -n $run_id --set tags.team=a --query tags.team
az ml job list --parent-job-name $run_id --query '[].status' -o tsv
az ml job archive -n $run_id
az ml job list --query 'length(@)'
az ml component list --query '[].name' -o tsv
az ml job show -n $run_id --query services.Studio.endpoint -o tsv
az ml online-endpoint create -n e --file e.yml || echo "refused $?"
az ml jbo list || echo "refused $?"
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str], str]:
    """Return the folder in which a script ran, the lines that it printed, and its other ones."""
    folder = tmp_path_factory.mktemp("az")
    (folder / "table").mkdir()
    (folder / "table" / "rows.csv").write_text("1\n")
    (folder / "job.yml").write_text(_JOB)
    (folder / "say.yml").write_text(_COMPONENT)
    (folder / "brinery.toml").touch()
    text = _SCRIPT.replace("BRINERY", str(BRINERY))
    done = subprocess.run(
        ["bash", "-c", text], cwd=folder, capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, done.stderr
    return folder, done.stdout.splitlines(), done.stderr


@pytest.mark.slow
def test_a_script_runs_as_it_is(script: tuple[Path, list[str], str]) -> None:
    """What it reads into variables is what it expects, and nothing else is on its output."""
    folder, said, _ = script
    name = (folder / "name.txt").read_text().strip()
    assert said[:3] == ["Succeeded", "say\t1", "status Completed"]
    assert "hear | hullo rows.csv" in said
    assert said[-8:] == [
        '"a"',
        "Completed",
        "Completed",
        "0",
        "say",
        f"{(folder / '.brinery' / 'jobs' / name).as_uri()}",
        "refused 2",
        "refused 2",
    ]


@pytest.mark.slow
def test_what_is_downloaded_lies_where_scripts_look(
    script: tuple[Path, list[str], str],
) -> None:
    """Outputs by their names, artifacts and logs of each step."""
    folder, _, _ = script
    [output] = (folder / "left" / "named-outputs" / "said").iterdir()
    assert output.read_text() == "hullo rows.csv\n"
    output.write_text("it is the user's")
    heard = folder / "left" / "artifacts" / "hear"
    assert (heard / "outputs" / "heard.txt").read_text() == "hullo rows.csv\n"
    assert (heard / "user_logs" / "std_log.txt").read_text() == "hullo rows.csv\n"
    [other] = (folder / "one" / "named-outputs" / "said").iterdir()
    assert other.read_text() == "hullo rows.csv\n"
    assert not (folder / "one" / "artifacts").exists()


@pytest.mark.slow
def test_what_means_nothing_here_is_told(script: tuple[Path, list[str], str]) -> None:
    """One line for each command that is ignored, and one for the options of another."""
    _, _, told = script
    for line in (
        "az login is ignored: there is nobody to log in to",
        "az ml compute is ignored: there is no compute to manage",
        "--resource-group, --workspace-name, --only-show-errors mean nothing here",
        "brinery serve NAME@champion serves a model over HTTP",
        "did you mean az ml job?",
    ):
        assert line in told
    assert "Traceback" not in told


def test_options_are_rewritten_one_by_one() -> None:
    """Pairs after one --set, values after =, and a form where none is said."""
    said = rewritten(
        ["job", "create", "-f", "j.yml", "--set", "a=1", "b.c=2", "--workspace-name=w", "--debug"]
    )
    assert said.arguments == [
        *("job", "create", "-f", "j.yml", "--set", "a=1", "--set", "b.c=2", "-o", "json")
    ]
    assert said.ignored == ["--workspace-name", "--debug"]
    labelled = rewritten(["data", "show", "-n", "d", "-l", "latest", "-g", "g", "-o", "tsv"])
    assert labelled.arguments == ["data", "show", "-n", "d", "-l", "latest", "-o", "tsv"]
    assert rewritten(["job", "stream", "-n", "j"]).arguments == ["job", "stream", "-n", "j"]
