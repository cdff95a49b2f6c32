"""Every rule passes on what is rendered, and fails on the mistake that it is made for, alone."""

from __future__ import annotations

import copy
import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra import cli, judgement
from infra.judgement import subject
from infra.pipeline import Endpoint
from infra.policy import RULES, Subject, violations
from tests.conftest import ROOT
from tests.unit.policy_case import Case
from tests.unit.policy_mistakes import ALLOWED, MUTATIONS
from tests.unit.test_golden import ALL

SECURITY = ("no-privilege", "not-root", "seccomp")


@ALL
def test_every_rule_passes_on_everything_that_is_rendered(endpoint: Endpoint) -> None:
    assert violations(subject(endpoint)) == []


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mistake_breaks_the_rule_made_for_it_and_no_other(name: str) -> None:
    rule, change = MUTATIONS[name]
    case = Case()
    change(case)
    assert list(case.found()) == [rule], case.found()


@pytest.mark.parametrize("name", ALLOWED)
def test_what_is_right_breaks_no_rule(name: str) -> None:
    case = Case()
    ALLOWED[name](case)
    assert case.found() == {}


def test_every_rule_has_a_mistake_that_breaks_it() -> None:
    assert {rule for rule, _ in MUTATIONS.values()} == {rule.name for rule in RULES}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_message_is_one_line_that_names_object_and_field_and_no_secret(name: str) -> None:
    case = Case("gemma4-26b-a4b-rtxpro6000")
    MUTATIONS[name][1](case)
    for line in (line for lines in case.found().values() for line in lines):
        assert len(line) <= 120
        assert not line.endswith("…"), "a path may be cut, a message not"
        assert re.fullmatch(r"[A-Z]\w+/[\w-]+: \S+: \S.*", line), line
        assert not re.search(r"\babc\b|a{16}|me:pass|eyJ|MII", line), line


def removable(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of every field of every security context."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    found = []
    for key, value in items:
        here = (*path, key)
        if "securityContext" in here:
            found.append(here)
        found += removable(value, here)
    return found


HARMLESS = {"privileged", "readOnlyRootFilesystem", "fsGroup", "runAsUser", "runAsGroup"}  # their absence is allowed
FIELDS = [path for path in removable(Case().pod) if path[-1] not in HARMLESS]


@given(st.sets(st.sampled_from(FIELDS), min_size=1))
def test_no_removal_of_security_fields_passes_silently(paths: set[tuple[Any, ...]]) -> None:
    case = Case()
    for path in sorted(paths, key=len, reverse=True):
        where = case.pod
        for step in path[:-1]:
            where = where[step]
        del where[path[-1]]
    assert set(case.found()) & set(SECURITY)


def test_a_group_of_leader_and_workers_is_counted_together() -> None:
    case = Case()
    template = {"metadata": case.deployment["template"]["metadata"], "spec": case.pod}
    case.drop("Deployment")
    group = {"size": 2, "leaderTemplate": template, "workerTemplate": copy.deepcopy(template)}
    case.add("LeaderWorkerSet", spec={"replicas": 1, "leaderWorkerTemplate": group})
    assert "a replica asks for 2 x nvidia.com/gpu; the plan uses 1" in str(case.found())
    case.replan("accelerator", count=2)
    case.replan("parallelism", pipeline=2)
    assert case.found() == {}


def test_a_long_path_loses_its_first_parts() -> None:
    case = Case()
    case.engine["name"] = "c" * 63
    del case.engine["securityContext"]["allowPrivilegeEscalation"]
    (line,) = case.found()["no-privilege"]
    assert len(line) == 120
    assert line.endswith("securityContext.allowPrivilegeEscalation: must be false")


def test_validate_refuses_what_breaks_a_rule_with_file_rule_and_object(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case = Case("gemma4-e4b-l4")
    case.pod["hostNetwork"] = True
    monkeypatch.setattr(judgement, "subject", lambda _: Subject(case.objects, (case.pool,), case.plan))
    assert cli.main(["validate", "gemma4-e4b-l4", "--stacks", str(ROOT / "stacks")]) == 3
    line = "gemma4-e4b-l4.yaml: policy no-host: Deployment/gemma4-e4b-l4: hostNetwork: must be false\n"
    assert capsys.readouterr().err.endswith(line)


def test_planning_loads_no_rule_and_validating_no_pulumi() -> None:
    stacks = str(ROOT / "stacks")
    for verb, absent in ((["plan", "gemma4-e4b-l4"], "infra.policy"), (["validate"], "pulumi")):
        run = f"main({[*verb, '--stacks', stacks]}); print({absent!r} in sys.modules)"
        code = f"import sys; from infra.cli import main; {run}"
        said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        assert said.endswith("False\n"), said


def test_the_documents_have_every_rule_in_its_own_words() -> None:
    text = (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")
    rows = [f"| `{rule.name}` | {rule.meaning} | {rule.severity} |" for rule in RULES]
    assert "\n".join(rows) + "\n" in text
