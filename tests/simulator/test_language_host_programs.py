from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.binaries import Binaries
from simulator.environment import simulator_variables
from simulator.home import Home

REPOSITORY = Path(__file__).parents[2]
PROJECT = """
name: example
main: program/
runtime: {name: python, options: {toolchain: pip, virtualenv: .venv}}
"""


class Project:
    """A Pulumi project with one stack on the real engine, with our language host and no providers."""

    def __init__(self, folder: Path, binaries: Binaries) -> None:
        self.folder = folder / "a projäct"
        (self.folder / "program").mkdir(parents=True)
        (self.folder / "Pulumi.yaml").write_text(PROJECT)
        (self.folder / ".venv").symlink_to(REPOSITORY / ".venv")
        home = Home(folder / "home")
        home.ensure()
        self.environment = {**os.environ, **simulator_variables(home, binaries, {})}
        self.run("stack", "select", "-c", "s")

    def write(self, program: str, name: str = "__main__.py") -> None:
        (self.folder / "program" / name).write_text(program)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["pulumi", "--non-interactive", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            timeout=60,
        )


@pytest.fixture
def project(tmp_path: Path, binaries: Binaries) -> Project:
    return Project(tmp_path, binaries)


def test_run_error_is_one_error_line_without_traceback(project: Project) -> None:
    project.write("import pulumi\nraise pulumi.RunError('stacks/x.yaml:5: no such model')\n")
    run = project.run("preview", "-s", "s")
    diagnostics = run.stdout.partition("Diagnostics:")[2]
    assert run.returncode != 0
    assert diagnostics.count("error: ") == 1
    assert "error: stacks/x.yaml:5: no such model" in diagnostics
    assert "Traceback" not in run.stdout
    assert "warning" not in run.stdout


def test_other_exceptions_show_the_programs_own_frames(project: Project) -> None:
    project.write("from broken import fail\nfail()\n")
    project.write("def fail():\n    raise ValueError('boom')\n", "broken.py")
    run = project.run("preview", "-s", "s")
    assert run.returncode != 0
    assert "error: Program failed with an unhandled exception:" in run.stdout
    assert 'program/__main__.py", line 2' in run.stdout
    assert "ValueError: boom" in run.stdout
    assert "language_host" not in run.stdout
    assert "runpy" not in run.stdout


def test_an_exception_that_is_no_exception_ends_the_run_too(project: Project) -> None:
    project.write("class Odd(BaseException): pass\nraise Odd('of its own kind')\n")
    run = project.run("preview", "-s", "s")
    assert run.returncode != 0
    assert "Odd: of its own kind" in run.stdout


def test_program_that_closes_its_output_has_succeeded(project: Project) -> None:
    project.write("import sys\nsys.stdout.close()\n")
    run = project.run("preview", "-s", "s")
    assert run.returncode == 0, run.stdout


def test_exit_code_of_the_program_is_reported(project: Project) -> None:
    project.write("import sys\nsys.exit(3)\n")
    run = project.run("preview", "-s", "s")
    assert run.returncode != 0
    assert "Program exited with non-zero exit code: 3" in run.stdout


def test_missing_main_is_said(project: Project) -> None:
    run = project.run("preview", "-s", "s")
    assert run.returncode != 0
    assert "unable to find main python program `__main__.py`" in run.stdout


def test_program_sees_its_stack_root_and_configuration_and_its_output_reaches_the_user(project: Project) -> None:
    project.write(
        "import sys, os, pulumi\n"
        "print('said', pulumi.get_stack(), pulumi.get_project(), pulumi.get_root_directory(), os.getcwd())\n"
        "print('to stderr', file=sys.stderr)\n"
        "pulumi.export('value', pulumi.Config().require_secret('key').apply(str.upper))\n"
    )
    project.run("config", "set", "--secret", "key", "abc", "-s", "s")
    run = project.run("up", "--yes", "-s", "s")
    assert run.returncode == 0, run.stdout
    assert f"said s example {project.folder} {project.folder}/program" in run.stdout
    assert "to stderr" in run.stdout
    assert "ABC" not in run.stdout
    assert project.run("stack", "output", "value", "--show-secrets", "-s", "s").stdout.strip() == "ABC"


def test_huge_and_odd_output_reaches_the_user(project: Project) -> None:
    project.write(
        "import sys\n"
        "print('Ünïcode 日本 🚀')\n"
        "print('x' * 3_000_000 + 'end-of-line')\n"
        "for number in range(2000):\n    print('row', number)\n"
        "sys.stdout.flush()\n"
        "sys.stdout.buffer.write(b'\\xff\\xfe not text\\n')\n"
        "print('to stderr', file=sys.stderr)\n"
    )
    run = project.run("preview", "-s", "s")
    assert run.returncode == 0, run.stdout[-2000:]
    for words in ("Ünïcode 日本 🚀", "xxx", "end-of-line", "row 1999", "not text", "to stderr"):
        assert words in run.stdout


def test_each_run_imports_the_programs_modules_anew(project: Project) -> None:
    """An update runs the program twice, for its preview and itself, in one host."""
    project.write("import pulumi, memory\nmemory.runs.append(1)\npulumi.export('runs', len(memory.runs))\n")
    project.write("runs = []\n", "memory.py")
    run = project.run("up", "--yes", "-s", "s")
    assert run.returncode == 0, run.stdout
    assert "runs: 1" in run.stdout
    assert "runs: 2" not in run.stdout


def test_dynamic_provider_creates_and_destroys(project: Project) -> None:
    project.write(
        "from pulumi.dynamic import CreateResult, Resource, ResourceProvider\n"
        "class Provider(ResourceProvider):\n"
        "    def create(self, props):\n"
        "        return CreateResult('id-1', props)\n"
        "Resource.__init__\n"
        "class Thing(Resource):\n"
        "    def __init__(self, name):\n"
        "        super().__init__(Provider(), name, {'x': 1})\n"
        "Thing('thing')\n"
    )
    up = project.run("up", "--yes", "-s", "s")
    assert up.returncode == 0, up.stdout
    assert "+ 2 created" in up.stdout
    down = project.run("destroy", "--yes", "-s", "s")
    assert "- 2 deleted" in down.stdout, down.stdout


def test_host_ends_with_an_engine_that_is_killed(
    project: Project, tmp_path: Path, until: Callable[..., object]
) -> None:
    marker = tmp_path / "host"
    project.write(
        f"import os, threading\nopen({str(marker)!r}, 'w').write(str(os.getpid()))\nthreading.Event().wait()\n"
    )
    engine = subprocess.Popen(
        ["pulumi", "preview", "-s", "s"],
        cwd=project.folder,
        env=project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until(lambda: marker.exists() and marker.read_text(), what="the program runs")
    host = Path("/proc") / marker.read_text()
    assert host.exists()
    engine.send_signal(signal.SIGKILL)
    engine.wait()
    until(lambda: not host.exists(), what="the host ends")


def test_nothing_is_printed_when_the_engine_is_interrupted(
    project: Project, tmp_path: Path, until: Callable[..., object]
) -> None:
    marker = tmp_path / "host"
    project.write(f"import threading\nopen({str(marker)!r}, 'w').close()\nthreading.Event().wait()\n")
    engine = subprocess.Popen(
        ["pulumi", "preview", "-s", "s"],
        cwd=project.folder,
        env=project.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    until(marker.exists, what="the program runs")
    engine.send_signal(signal.SIGINT)
    output, _ = engine.communicate(timeout=30)
    assert "Traceback" not in output
    assert "KeyboardInterrupt" not in output


def test_plugin_written_in_python_runs_with_both_streams_and_its_exit_code(tmp_path: Path) -> None:
    from pulumi.runtime.proto import language_pb2

    from simulator.language_host import LanguageHost

    class Context:
        def add_callback(self, callback: Callable[[], None]) -> None:
            self.callback = callback

    (tmp_path / "__main__.py").write_text(
        "import os, sys\nprint('4711', sys.argv[1], os.environ['X'], os.getcwd())\n"
        "print('trouble', file=sys.stderr)\nsys.exit(7)\n"
    )
    info = language_pb2.ProgramInfo(program_directory=str(tmp_path))
    request = language_pb2.RunPluginRequest(pwd=str(tmp_path), kind="resource", args=["engine"], env=["X=y"], info=info)
    answers = list(LanguageHost().RunPlugin(request, Context()))
    assert b"".join(answer.stdout for answer in answers) == f"4711 engine y {tmp_path}\n".encode()
    assert b"".join(answer.stderr for answer in answers) == b"trouble\n"
    assert answers[-1].exitcode == 7
