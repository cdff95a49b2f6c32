"""Templates as structures with holes: what is put in, what is refused, what is shared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from infra import render as module
from infra.objects import templates
from infra.pipeline import Endpoint, build
from infra.render import render
from tests.unit.files import Files, endpoint


def built() -> Endpoint:
    one = build("gemma4-e4b-l4", Files(gemma4_e4b_l4=endpoint("gemma-4-e4b-it", "l4")))
    assert isinstance(one, Endpoint)
    return one


def containers(value: Any) -> Iterator[int]:
    if isinstance(value, dict | list):
        yield id(value)
        for item in value.values() if isinstance(value, dict) else value:
            yield from containers(item)


def use_template(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_template", lambda folder, _: module._environment(folder).from_string(text))


def test_no_two_objects_share_a_part_so_that_changing_one_changes_no_other() -> None:
    one = built()
    objects = [render(one.workload), render(one.workload)]
    found = list(containers(objects))
    assert objects[0] == objects[1]
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    "text", ['kind: "a {{ name | tojson }}"', "kind: a # {{ name | tojson }}", "kind: a-{{ name | tojson }}"]
)
def test_a_value_inside_a_string_or_a_comment_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    use_template(text, monkeypatch)
    with pytest.raises(ValueError, match="must stand for a whole value"):
        render(built().workload)


def test_a_value_that_is_no_plain_data_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    use_template("kind: {{ plan | tojson }}", monkeypatch)
    with pytest.raises(TypeError, match="no plain data"):
        render(built().workload)


def test_a_template_may_use_a_value_as_key_and_in_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    use_template(
        "{% for one in plan.inputs %}\n{{ one | tojson }}: [{{ loop.index | tojson }}]\n{% endfor %}", monkeypatch
    )
    inputs = built().plan.inputs
    assert render(built().workload) == [{one: [index] for index, one in enumerate(inputs, start=1)}] * len(
        templates(built().workload)
    )
