from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brinery.errors import InvalidExpression
from brinery.specs.expressions import Scope, references, render, whole

SCOPE: Scope = {
    "inputs": {"data": "/a b", "rate": "0.5"},
    "outputs": {"model": "/m"},
    "name": "job",
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("ls ${{inputs.data}}", "ls /a b"),
        ("ls ${{ inputs.data }} ${{name}}", "ls /a b job"),
        ("--rate=${{inputs.rate}}${{outputs.model}}", "--rate=0.5/m"),
        ("a $[[--rate ${{inputs.rate}}]] b", "a --rate 0.5 b"),
        ("a $[[--epochs ${{inputs.epochs}}]] b", "a  b"),
        ("a $[[--rate ${{inputs.rate}} --epochs ${{inputs.epochs}}]]", "a "),
        ("$[[inputs.rate]]", "inputs.rate"),
        ("$RANK ${HOME} $(pwd) $((1 + 2)) $$", "$RANK ${HOME} $(pwd) $((1 + 2)) $$"),
        ("two\nlines ${{inputs.rate}}\n", "two\nlines 0.5\n"),
        ("", ""),
    ],
)
def test_templates_are_filled_in(template: str, text: str) -> None:
    """Expressions have their values, blocks go or lose their marks, and bash's own stay."""
    assert render(template, SCOPE) == text


def test_a_value_is_not_read_again() -> None:
    """What is filled in is a value, whatever it looks like."""
    scope: Scope = {"inputs": {"x": "$[[${{inputs.y}}]]", "y": "no"}}
    assert render("echo ${{inputs.x}}", scope) == "echo $[[${{inputs.y}}]]"


@pytest.mark.parametrize("template", ["${{inputs.nope}}", "${{foo}}", "${{inputs}}", "${{name.x}}"])
def test_what_has_no_value_is_refused(template: str) -> None:
    """Outside of a block an expression needs a value; the message has it as it is written."""
    with pytest.raises(InvalidExpression) as refused:
        render(f"echo {template}", SCOPE)
    assert template in refused.value.message


def test_references_say_where_they_stand() -> None:
    """Each has its names, its position, and whether it stands in a block."""
    found = references("ls ${{inputs.a}} $[[${{ parent.jobs.b.outputs.c }}]]")
    assert [(one.path, one.at, one.optional) for one in found] == [
        (("inputs", "a"), 3, False),
        (("parent", "jobs", "b", "outputs", "c"), 20, True),
    ]
    assert whole(" ${{inputs.a}} ") is not None
    assert whole("x${{inputs.a}}") is None


@given(st.text())
def test_any_text_without_marks_stays(text: str) -> None:
    """What has neither expressions nor blocks is left as it is."""
    plain = text.replace("$", "")
    assert render(plain, {}) == plain
