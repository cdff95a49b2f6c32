"""The policy pack in the real engine: what is right passes, what is broken is stopped in the preview."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.binaries import REPOSITORY
from tests.e2e.project import Project

STACK = "gemma4-e4b-l4"
FOLDER = Path(__file__).with_name("programs") / "broken_objects"
PACK = ("--policy-pack", str(REPOSITORY / "policies"))
MISTAKES = {
    "image": ("image-pinned", f"Deployment/{STACK}: containers[vllm].image: tag latest moves"),
    "grace": (
        "grace-period",
        f"Deployment/{STACK}: terminationGracePeriodSeconds: is 5 s; must be at least 15 s pre-stop",
    ),
    "network": ("namespace-closed", f"Namespace/{STACK}: metadata.name: needs a NetworkPolicy over all pods"),
    "pool": (
        "on-its-pool",
        f"Deployment/{STACK}: tolerations[servestack.dev/endpoint]: must tolerate the pool's {STACK}:NoSchedule",
    ),
}


@pytest.fixture(scope="module")
def stack(project: Project) -> Iterator[str]:
    project.pulumi("stack", "select", "-c", STACK, cwd=FOLDER)
    yield STACK
    (FOLDER / f"Pulumi.{STACK}.yaml").unlink(missing_ok=True)


def test_the_program_passes_its_own_policies_in_preview_and_up(project: Project) -> None:
    project.pulumi("stack", "select", "-c", STACK)
    assert "servestack@v0.1.0" in project.pulumi("preview", "--policy-pack", "policies", "-s", STACK)
    project.up(STACK, "--policy-pack", "policies")
    assert "unchanged" in project.pulumi("preview", "--policy-pack", "policies", "-s", STACK)
    project.pulumi("destroy", "--yes", "--skip-preview", "-s", STACK)


def test_a_platform_has_no_objects_to_judge(project: Project) -> None:
    assert "servestack@v0.1.0" in project.pulumi("preview", "--policy-pack", "policies", "-s", "dev")


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_broken_object_is_stopped_in_the_preview(
    mistake: str, project: Project, stack: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule, message = MISTAKES[mistake]
    monkeypatch.setitem(project.environment, "MISTAKE", mistake)
    said = project.pulumi("preview", *PACK, "-s", stack, expect=-1, cwd=FOLDER)
    assert f"]  {rule}  (kubernetes:" in said, said
    assert message in said
    assert said.count("[mandatory]") == 1, said
    assert "error: preview failed" in said


def test_the_same_objects_unbroken_pass(project: Project, stack: str) -> None:
    assert "[mandatory]" not in project.pulumi("preview", *PACK, "-s", stack, cwd=FOLDER)
