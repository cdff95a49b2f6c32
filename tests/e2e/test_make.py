"""The two commands of the README, as a user types them, in a simulator of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.resources import resources
from simulator.binaries import REPOSITORY
from simulator.home import VARIABLE

STACK = "gemma4-e2b-l4-llamacpp"
OTHER = "gemma4-12b-l4-llamacpp"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("make") / "home"


def make(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ) | {VARIABLE: str(home), "NO_COLOR": "1"}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=REPOSITORY,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
    )


def processes_of(home: Path) -> list[str]:
    """Command lines of processes that name the simulator's folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            environment = (folder / "environ").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if str(home) in command + environment and int(folder.name) != os.getpid():
            found.append(command)
    return found


def test_a_bad_stack_file_is_refused_with_exit_code_two_and_nothing_is_started(home: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("kind: Endpont\n")
    said = make(home, "up", "STACK=bad", f"STACKS={tmp_path}")
    assert "Did you mean 'Endpoint'?" in said.stdout
    assert said.returncode == 2
    assert not home.exists()


def test_a_name_that_is_a_path_starts_nothing(home: Path) -> None:
    said = make(home, "up", "STACK=../dev; touch owned")
    assert said.returncode != 0
    assert "is not a stack name" in said.stdout
    assert not (REPOSITORY / "owned").exists()
    assert not home.exists()


def test_make_up_ends_with_the_plan_the_address_and_what_to_do_next(home: Path) -> None:
    said = make(home, "up", f"STACK={STACK}")
    assert said.returncode == 0, said.stdout
    assert "$ pulumi up --yes -s dev" in said.stdout
    assert f"$ pulumi up --yes -s {STACK}" in said.stdout
    end = said.stdout[said.stdout.rindex(f"{STACK} is up") :]
    for words in (
        "gemma-4-e2b-it",
        "google/gemma-4-E2B-it-qat-q4_0-gguf",
        "1 x l4",
        "32,768 tokens",
        "USD per hour",
        f"{resources(STACK)} created",
        f"in Secret {STACK}-keys;",
        f"http://{STACK}.{STACK}.svc.cluster.local:8090/v1",
    ):
        assert words in end
    assert len(end.split("Next:")[1].strip().splitlines()) == 3
    assert max(len(line) for line in end.splitlines() if "http" not in line and "kubectl" not in line) <= 80
    assert not re.search(r"\x1b\[", said.stdout)


def test_a_second_make_up_says_no_changes(home: Path) -> None:
    said = make(home, "up", f"STACK={STACK}")
    assert said.returncode == 0, said.stdout
    assert f"{resources(STACK)} unchanged" in said.stdout
    assert f"none, {resources(STACK)} resources are as they should be" in said.stdout


def test_make_preview_shows_no_change(home: Path) -> None:
    said = make(home, "preview", f"STACK={STACK}")
    assert said.returncode == 0
    assert f"{resources(STACK)} unchanged" in said.stdout


def test_an_up_that_fails_tells_the_schedulers_words_and_the_next_step(home: Path, tmp_path: Path) -> None:
    for name in ("dev", OTHER):
        text = (REPOSITORY / "stacks" / f"{name}.yaml").read_text()
        (tmp_path / f"{name}.yaml").write_text(text + ("startupTimeoutSeconds: 10\n" if name == OTHER else ""))
    environment = dict(os.environ) | {VARIABLE: str(home)}
    fault = [sys.executable, "-m", "simulator.google", "stockout", "*", "g2-standard-4"]
    subprocess.run(fault, cwd=REPOSITORY, env=environment, check=True, timeout=30)
    said = make(home, "up", f"STACK={OTHER}", f"STACKS={tmp_path}")
    assert said.returncode != 0
    end = " ".join(said.stdout[said.stdout.index(f"$ servestack status {OTHER}") :].split())
    assert "stuck, 0 of 1 replica ready" in end
    assert "nodes are available" in end
    assert "GCE out of resources" in end
    assert "Next: no capacity in these zones now" in end


def test_the_repository_is_left_as_it_was(home: Path) -> None:
    assert home.exists()
    assert not list(REPOSITORY.glob("Pulumi.*.yaml"))


def test_make_down_destroys_both_stacks_and_leaves_no_process_and_no_lock(home: Path) -> None:
    assert processes_of(home)
    said = make(home, "down")
    assert said.returncode == 0, said.stdout
    assert "All stacks are destroyed" in said.stdout
    assert processes_of(home) == []
    assert not list((home / "backend").rglob("locks/**/*.json"))
    assert not list((home / "backend").rglob("stacks/**/*.json"))
    assert not list((home / "clusters").glob("*"))


def test_a_second_make_down_says_that_nothing_is_up(home: Path) -> None:
    said = make(home, "down")
    assert said.returncode == 0, said.stdout
    assert processes_of(home) == []
