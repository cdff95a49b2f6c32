"""Text that tries to be something else, pushed through parser and renderer."""

from __future__ import annotations

import dataclasses
import json
import string
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.document import parse_document
from infra.errors import SpecError, StackError
from infra.pipeline import Endpoint, build
from infra.render import render
from tests.unit.files import Files, endpoint

TEXT = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=60)
NASTY = st.sampled_from(
    [
        '"',
        "'",
        "\n",
        "{{ 7*7 }}",
        "{% raw %}",
        "$(HOME)",
        "${HOME}",
        ": ",
        "- ",
        "# ",
        "&a",
        "*a",
        "!!x",
        "\\",
        "|",
        ">",
    ]
)


def built() -> Endpoint:
    one = build(
        "gemma4-31b-h100", Files(gemma4_31b_h100=endpoint("gemma-4-31b-it", "h100", "vllm", "capacity: [spot]"))
    )
    assert isinstance(one, Endpoint)
    return one


ENDPOINT = built()


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    return [shape(item) for item in value] if isinstance(value, list) else type(value).__name__


def assert_clean(refused: StackError) -> None:
    """One line per problem, each with its file, nothing in it that moves a cursor or fills a screen."""
    lines = str(refused).split("\n")
    assert len(lines) == len(refused.problems)
    for line in lines:
        assert line.startswith("stacks/")
        assert line.isprintable()
        assert len(line) < 500


@settings(max_examples=100, deadline=None)
@given(st.lists(TEXT | NASTY, min_size=1, max_size=4).map("".join))
def test_no_value_can_change_the_structure_of_a_rendered_object(text: str) -> None:
    plan = dataclasses.replace(
        ENDPOINT.plan, model=dataclasses.replace(ENDPOINT.plan.model, id=text), labels=(("team", text),)
    )
    workload = dataclasses.replace(
        ENDPOINT.workload, plan=plan, args=(text, text), env=(("A", text),), client_environment=(("U", text),)
    )
    plain = dataclasses.replace(workload, plan=dataclasses.replace(plan, labels=(("team", "x"),)))
    objects = render(workload)
    assert shape(objects) == shape(render(plain))
    deployment = next(one for one in objects if one["kind"] == "Deployment")
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert container["args"] == [text, text]
    assert container["env"] == [{"name": "A", "value": text}]
    assert deployment["metadata"]["labels"]["servestack.dev/team"] == text


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=string.printable, max_size=200) | st.lists(NASTY | TEXT, max_size=12).map("".join))
def test_any_text_is_parsed_or_refused_with_its_file_named(text: str) -> None:
    try:
        parse_document(text, "stacks/x.yaml")
    except SpecError as refused:
        assert str(refused).startswith("stacks/x.yaml")
        assert_clean(refused)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            TEXT | NASTY | st.sampled_from(["[key]", "labels", "engine", "kind", "<<", "!%1b%5bc"]), TEXT | NASTY
        ),
        min_size=1,
        max_size=4,
    )
)
def test_a_refusal_is_one_clean_line_per_problem_whatever_the_keys_and_values_are(pairs: list[tuple[str, str]]) -> None:
    base = endpoint("gemma-4-31b-it", "h100", "vllm", "capacity: [spot]")
    for quote in (json.dumps, str):
        more = "".join(f"{quote(key)}: {quote(value)}\n" for key, value in pairs)
        nested = "".join(f"  {quote(key)}: {quote(value)}\n" for key, value in pairs)
        for text in (base + more, f"{base}engine:\n{nested}", f"{base}labels:\n{nested}"):
            try:
                build("gemma4-31b-h100", Files(gemma4_31b_h100=text))
            except StackError as refused:
                assert_clean(refused)


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            ["model", "accelerator", "framework", "engine", "labels", "replicas", "kind", "contextLength", "x"]
        ),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
            lambda one: st.lists(one, max_size=3) | st.dictionaries(TEXT, one, max_size=3),
            max_leaves=6,
        ),
    )
)
def test_any_values_in_a_stack_file_are_planned_or_refused_never_a_crash(values: dict[str, Any]) -> None:
    import yaml

    base = yaml.safe_load(endpoint("gemma-4-31b-it", "h100", "vllm", "capacity: [spot]"))
    text = yaml.safe_dump(base | values, allow_unicode=True)
    try:
        build("gemma4-31b-h100", Files(gemma4_31b_h100=text))
    except StackError as refused:
        assert "stacks/" in str(refused)
