"""What a user does with `make`: the verbs behind it, on the real engine and a real control plane."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.resources import resources
from simulator.home import Home

STACKS = ("gemma4-e4b-l4", "gemma4-31b-h100")


def processes_of(home: Path) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
            variables = (entry / "environ").read_bytes()
        except OSError:
            continue
        if entry.name != str(os.getpid()) and (str(home).encode() in command or str(home).encode() in variables):
            found.append(f"{entry.name} {command.decode(errors='replace')}")
    return found


class Simulator:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.environment = {**os.environ, "SERVESTACK_SIMULATOR_HOME": str(home)}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "simulator", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=180)
        return process.returncode, output

    @property
    def supervisor(self) -> int:
        return int(json.loads((self.home / "supervisor.json").read_text())["pid"])


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    made = Simulator(tmp_path_factory.mktemp("simulator") / "a home")
    yield made
    made.run("stop")


@pytest.fixture(scope="module")
def both_up(simulator: Simulator) -> dict[str, str]:
    """The output of two `up` of different stacks at the same time, with nothing there before."""
    running = {stack: simulator.start("up", stack) for stack in STACKS}
    outputs = {stack: process.communicate(timeout=240)[0] for stack, process in running.items()}
    for stack, process in running.items():
        assert process.returncode == 0, outputs[stack]
    return outputs


def test_bad_stack_is_refused_before_anything_starts(tmp_path: Path) -> None:
    simulator = Simulator(tmp_path / "home")
    code, output = simulator.run("up", "gemma4-31b-h1oo")
    assert code == 2
    assert "gemma4-31b-h1oo" in output
    assert "Traceback" not in output
    assert not simulator.home.exists()


@pytest.mark.parametrize("stack", STACKS)
def test_up_runs_the_literal_commands_and_ends_with_the_plan_and_next_steps(
    both_up: dict[str, str], stack: str
) -> None:
    output = both_up[stack]
    assert "$ pulumi up --yes -s dev\n" in output
    assert f"$ pulumi up --yes -s {stack}\n" in output
    end = output.partition(f"{stack} is up, on a simulated GKE: ")[2]
    for name in ("model", "checkpoint", "accelerator", "parallelism", "context", "memory", "cost", "endpoint"):
        assert f"\n  {name} " in end
    assert " created" in end
    assert "GiB of " in end
    assert end.count("\n  ", end.index("Next:")) == 3


def test_nothing_is_written_into_the_repository(both_up: dict[str, str]) -> None:
    assert both_up
    root = Path(__file__).parents[2]
    assert not list(root.glob("Pulumi.*.yaml"))


def test_second_up_waits_for_its_turn_and_changes_nothing(simulator: Simulator, both_up: dict[str, str]) -> None:
    assert both_up
    with Home(simulator.home).locked("stack-dev", "nobody"):
        run = simulator.start("up", STACKS[0])
        assert run.stdout is not None
        assert run.stdout.readline().startswith("Waiting for another run that brings up 'dev'")
    output, _ = run.communicate(timeout=180)
    assert run.returncode == 0, output
    assert "changes      none" in output


def test_kubeconfig_names_the_cluster_as_gcloud_does_and_works_outside(
    simulator: Simulator, both_up: dict[str, str]
) -> None:
    from kubernetes import client, config

    assert both_up
    context = "gke_servestack-dev_us-central1_dev"
    with config.new_client_from_config(str(simulator.home / "kubeconfig"), context=context) as api:
        names = {item.metadata.name for item in client.CoreV1Api(api).list_namespace().items}
    assert set(STACKS) <= names


def test_killed_supervisor_leaves_no_process_and_the_next_command_resumes(
    simulator: Simulator, both_up: dict[str, str], until: Callable[..., object]
) -> None:
    assert both_up
    os.kill(simulator.supervisor, signal.SIGKILL)
    until(lambda: not processes_of(simulator.home), what="all parts end with their supervisor")
    # A process that ends has no name any more a moment before its locks are free.
    until(lambda: "not running" in simulator.run("status")[1], what="its lock is free")
    code, output = simulator.run("preview", STACKS[1])
    assert code == 0, output
    assert f"{resources(STACKS[1])} unchanged" in output


def test_down_destroys_everything_also_after_a_killed_run_and_leaves_no_process(
    simulator: Simulator, both_up: dict[str, str], until: Callable[..., object]
) -> None:
    assert both_up
    locks = simulator.home / "backend" / ".pulumi" / "locks" / "organization" / "servestack" / STACKS[1]
    run = simulator.start("down")

    def engine() -> list[str]:
        return [
            one for one in processes_of(simulator.home) if "destroy" in one and one.split(" ")[1].startswith("pulumi")
        ]

    until(lambda: list(locks.glob("*.json")) and engine(), what="a stack is being destroyed")
    for process in engine():
        os.kill(int(process.split(" ")[0]), signal.SIGKILL)
    output, _ = run.communicate(timeout=30)
    assert run.returncode != 0
    assert "Run `make down` again" in output

    code, output = simulator.run("down")
    assert code == 0, output
    assert f"$ pulumi cancel --yes -s {STACKS[1]}\n" in output
    assert processes_of(simulator.home) == []
    assert not list((simulator.home / "backend" / ".pulumi" / "locks").rglob("*.json"))
    assert not list((simulator.home / "backend" / ".pulumi" / "stacks").rglob("*.json"))
    assert not list((simulator.home / "clusters").iterdir())
    assert simulator.run("down") == (0, "Nothing is up.\n")
