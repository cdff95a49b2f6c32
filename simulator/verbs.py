"""What `python -m simulator` can do: each verb is one function that returns an exit code."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path

from simulator import llama_server, supervisor
from simulator.binaries import REPOSITORY, Binaries, locate
from simulator.engine import Engine
from simulator.environment import simulator_variables
from simulator.home import Home
from simulator.progress import duration
from simulator.stack_contents import StackContents
from simulator.summary import print_local_summary, print_summary
from simulator.workspace import ensure_workspace

DEFAULT_STACKS = REPOSITORY / "stacks"
_IN_USE = "in-use"
_SERVESTACK = REPOSITORY / ".venv" / "bin" / "servestack"


def _bare_engine(home: Home, stacks: Path) -> Engine:
    """Return an engine for a stack of this machine, which needs no simulator."""
    home.backend.mkdir(parents=True, exist_ok=True)
    cloud = ("KUBECONFIG", "PULUMI_DEBUG_PROVIDERS", "SSL_CERT_FILE")
    variables = {one: value for one, value in simulator_variables(home, locate(), {}).items() if one not in cloud}
    return Engine(home, ensure_workspace(home, stacks), variables)


def _engine(home: Home, stacks: Path) -> Engine:
    """Start the simulator where it is down, and return an engine that is attached to it."""
    binaries = locate()
    running = supervisor.start(home, binaries)
    variables = simulator_variables(home, binaries, running.ports, managed_port=running.managed_port)
    return Engine(home, ensure_workspace(home, stacks), variables)


def _in_use(home: Home) -> AbstractContextManager[None]:
    """Keep `down` from stopping the simulator below a run, and a run from starting while it does."""
    return home.locked(_IN_USE, "`make down`, which stops the simulator", shared=True)


def _stacks_option(stacks: Path) -> list[str]:
    return [] if stacks.resolve() == DEFAULT_STACKS else ["--stacks", str(stacks.resolve())]


def _check(stack: str, stacks: Path) -> int:
    """Refuse a bad stack file before anything starts; return the exit code, 2 for a bad file.

    Policies are not judged: here, what breaks one may be tried.
    """
    command = [str(_SERVESTACK), "validate", stack, "--no-policies", *_stacks_option(stacks)]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False)
    if run.returncode:
        print(run.stdout, end="", file=sys.stderr)
    return run.returncode


def _platform_of(stack: str, stacks: Path) -> str | None:
    """Return the platform that a valid stack file names; None for a platform's own file."""
    return StackContents(stacks).platform(stack) or None


def up(home: Home, stack: str, stacks: Path) -> int:
    """Bring up a stack and the platform that it runs on, and say what came of it."""
    began = time.monotonic()
    code = _check(stack, stacks)
    if code:
        return code
    with _in_use(home):
        return _up(home, stack, stacks, began)


def _up(home: Home, stack: str, stacks: Path, began: float) -> int:
    platform = _platform_of(stack, stacks)
    if not StackContents(stacks).needs_cloud(stack):
        return _up_here(_bare_engine(home, stacks), stack, stacks, began)
    engine = _engine(home, stacks)
    _adopt(home, platform or stack, stacks)
    code = _update(engine, platform, stacks) if platform else 0
    code = code or _update(engine, stack, stacks)
    elapsed_seconds = time.monotonic() - began
    if code == 0 and platform:
        print_summary(engine, stack, _stacks_option(stacks), elapsed_seconds)
    elif code == 0:
        print(f"\nThe platform {stack} is up, on a simulated Google Cloud: {duration(elapsed_seconds)}.")
    return code


def _up_here(engine: Engine, stack: str, stacks: Path, began: float) -> int:
    """Bring up a service of a machine that is there, or its platform's file, of which nothing is made."""
    if StackContents(stacks).content(stack).get("framework") == "llamacpp":
        llama_server.ensure()
    code = _update(engine, stack, stacks)
    platform = _platform_of(stack, stacks)
    if code == 0 and platform:
        local = "local" in StackContents(stacks).content(platform)
        told = print_local_summary if local else print_summary
        told(engine, stack, _stacks_option(stacks), time.monotonic() - began)
    return code


def _adopt(home: Home, platform: str, stacks: Path) -> None:
    """See that the cluster is there that a platform does not make itself."""
    for said in StackContents(stacks).adopt(home, platform):
        print(said)


def _update(engine: Engine, stack: str, stacks: Path) -> int:
    with engine.home.locked(f"stack-{stack}", f"another run that brings up '{stack}'"):
        return _update_alone(engine, stack, stacks)


def _update_alone(engine: Engine, stack: str, stacks: Path) -> int:
    code = engine.ensure_stack(stack)
    if code == 0 and engine.was_interrupted(stack):
        print(f"\nAn earlier run on '{stack}' was killed; what it left behind is put right first.")
        code = engine.run("pulumi", "cancel", "--yes", "-s", stack)
        code = code or engine.run("servestack", "recover", stack, *_stacks_option(stacks))
    code = code or engine.run("pulumi", "up", "--yes", "-s", stack)
    if code and StackContents(stacks).has_pods(stack):
        engine.run("servestack", "status", stack, *_stacks_option(stacks))
    return code


def preview(home: Home, stack: str, stacks: Path) -> int:
    """Show what `up` would do; the platform's part too where that is not up yet."""
    code = _check(stack, stacks)
    if code:
        return code
    with _in_use(home):
        if not StackContents(stacks).needs_cloud(stack):
            engine = _bare_engine(home, stacks)
            return engine.ensure_stack(stack) or engine.run("pulumi", "preview", "-s", stack)
        return _preview(_engine(home, stacks), stack, stacks)


def _preview(engine: Engine, stack: str, stacks: Path) -> int:
    platform = _platform_of(stack, stacks)
    _adopt(engine.home, platform or stack, stacks)
    for name in [platform, stack] if platform and not engine.has_cluster(platform) else [stack]:
        code = engine.ensure_stack(name) or engine.run("pulumi", "preview", "-s", name)
        if code:
            return code
    return 0


def down(home: Home, stacks: Path) -> int:
    """Destroy every stack in the backend, endpoints before the platforms they run on, and stop the simulator."""
    with home.locked(_IN_USE, "`make up` or `make preview`, which use the simulator"):
        return _down(home, stacks)


def _down(home: Home, stacks: Path) -> int:
    if not Engine(home, home.root, {}).stacks():
        supervisor.stop(home)
        print("Nothing is up.")
        return 0
    engine = _bare_engine(home, stacks)
    if not all(map(engine.is_local, engine.stacks())):
        engine = _engine(home, stacks)
    for stack in sorted(engine.stacks(), key=engine.has_cluster):
        code = 0
        if engine.was_interrupted(stack):
            print(f"\nAn earlier run on '{stack}' was killed and has left its lock behind.")
            code = engine.run("pulumi", "cancel", "--yes", "-s", stack)
        code = code or engine.run("pulumi", "destroy", "--yes", "--remove", "-s", stack)
        if code:
            print(
                f"\n'{stack}' could not be destroyed, so the simulator still runs. Run `make down` again;\n"
                "`make clean` forgets all simulated resources without asking.",
                file=sys.stderr,
            )
            return code
    supervisor.stop(home)
    print("\nAll stacks are destroyed, and the simulator is stopped.")
    return 0


def start(home: Home) -> int:
    """Start the simulator where it is down."""
    running = supervisor.start(home, locate())
    print(f"The simulator runs as process {running.pid}.")
    return 0


def stop(home: Home) -> int:
    """Stop the simulator; its clusters come back with the next start."""
    print("The simulator is stopped." if supervisor.stop(home) else "The simulator was not running.")
    return 0


def env(home: Home, stacks: Path) -> int:
    """Print `export` lines, so that a shell's own `pulumi`, `servestack` and `kubectl` meet the simulator."""
    for name, value in _engine(home, stacks).variables.items():
        print(f"export {name}={shlex.quote(value)}")
    print(f"# Run `pulumi` in {shlex.quote(str(ensure_workspace(home, stacks)))}")
    return 0


def status(home: Home) -> int:
    """Say whether the simulator runs, and which stacks and clusters it has."""
    running = supervisor.find(home)
    print(f"simulator  {f'process {running.pid}' if running else 'not running'}")
    print(f"home       {home.root}")
    clusters = sorted(folder.name for folder in (home.root / "clusters").glob("*/"))
    print(f"clusters   {', '.join(f'gke_{name}' for name in clusters) or 'none'}")
    stacks = Engine(home, home.root, {}).stacks()
    print(f"stacks     {', '.join(stacks) or 'none'}")
    return 0


def simulate(
    _home: Home, names: list[str], stacks: Path, json: Path, timeout_seconds: float, sold_out: list[str]
) -> int:
    """Bring stacks up in a simulator of their own, which is gone afterwards; `servestack simulate` tells of it."""
    from simulator.simulation import simulate as run

    return run(names, stacks, json, timeout_seconds, sold_out)


def serve(home: Home, binaries: Binaries | None = None) -> int:
    """Be the simulator, in the foreground."""
    supervisor.serve(home, binaries or locate())
    return 0
