from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from simulator import go_build, go_toolchain
from simulator.binaries import TOOLS, cache_directory, find_in_cache, find_on_path
from simulator.errors import SimulatorError

REPOSITORY = Path(__file__).parents[2]
ETCD = next(tool for tool in TOOLS if tool.name == "etcd")

FAKE_GO = """\
#!/bin/sh
if [ "$1" = env ]; then echo "${FAKE_GO_VERSION:-go1.26.8}"; exit; fi
echo "$$" >> "$FAKE_GO_RUNS"
while [ "$1" != -o ]; do shift; done
case "$FAKE_GO_MODE" in
  fail) for n in $(seq 40); do echo "compile error $n"; done; exit 1;;
  hang) printf half > "$2"; echo started > "$FAKE_GO_RUNS.started"; exec sleep 600;;
  *) printf '#!/bin/sh\\necho built\\n' > "$2"; chmod +x "$2";;
esac
"""


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fake `go` first on PATH and an empty cache; the file lists the process of every build."""
    folder = tmp_path / "fake-bin"
    folder.mkdir()
    (folder / "go").write_text(FAKE_GO)
    (folder / "go").chmod(0o755)
    runs = tmp_path / "runs"
    runs.touch()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("FAKE_GO_RUNS", str(runs))
    return runs


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    copy = tmp_path / "clone" / "tools"
    shutil.copytree(REPOSITORY / "tools", copy)
    return copy


def leftovers() -> list[str]:
    """Names in the cache that are neither logs nor locks."""
    return sorted(one.name for one in cache_directory().iterdir() if one.name not in ("logs", "locks"))


def test_second_clone_builds_nothing(runs, tools, tmp_path):
    first = go_build.build(ETCD, tools)
    other = tmp_path / "other-clone"
    shutil.copytree(tools, other)
    assert find_in_cache(ETCD, other) == first
    assert go_build.build(ETCD, other) == first
    assert len(runs.read_text().split()) == 1
    assert subprocess.check_output([first["etcd"]], text=True) == "built\n"
    assert leftovers() == [ETCD.key(tools)]


@pytest.mark.usefixtures("runs")
def test_failed_build_shows_the_end_of_its_output_and_leaves_nothing(tools, monkeypatch):
    monkeypatch.setenv("FAKE_GO_MODE", "fail")
    with pytest.raises(SimulatorError) as failure:
        go_build.build(ETCD, tools)
    text = str(failure.value)
    assert "etcd v3.6.13 could not be built" in text
    assert "compile error 40" in text
    assert "compile error 10\n" not in text
    log = cache_directory() / "logs" / "etcd-v3.6.13.log"
    assert str(log) in text
    assert "compile error 10\n" in log.read_text()
    assert leftovers() == []


def test_killed_build_leaves_nothing_half_made_and_no_process(runs, tools, until):
    program = textwrap.dedent(f"""
        from pathlib import Path
        from simulator.binaries import TOOLS
        from simulator.go_build import build
        build(next(tool for tool in TOOLS if tool.name == "etcd"), Path({str(tools)!r}))
    """)
    setup = subprocess.Popen(
        [sys.executable, "-c", program], env={**os.environ, "FAKE_GO_MODE": "hang"}, stderr=subprocess.DEVNULL
    )
    until(Path(f"{runs}.started").exists, what="the build runs")
    setup.send_signal(signal.SIGKILL)
    setup.wait()
    builder = int(runs.read_text())
    until(lambda: not Path(f"/proc/{builder}").exists(), what="`go` ends with the set-up")

    assert find_in_cache(ETCD, tools) is None
    built = go_build.build(ETCD, tools)
    assert subprocess.check_output([built["etcd"]], text=True) == "built\n"
    assert leftovers() == [ETCD.key(tools)]


@pytest.mark.usefixtures("runs")
def test_leftover_of_another_version_is_removed_unless_it_is_being_built(tools):
    dead, alive = (cache_directory() / f".pulumi-{name}.building" for name in ("dead", "alive"))
    for folder in (dead, alive):
        folder.mkdir(parents=True)
    with go_toolchain.locked("pulumi-alive"):
        go_build.build(ETCD, tools)
    assert not dead.exists()
    assert alive.exists()


def test_engine_of_the_simulators_own_environment_is_not_taken_for_the_users(runs, tools, monkeypatch):
    home = runs.parent / "home"
    (home / "engine").mkdir(parents=True)
    program = home / "engine" / "pulumi"
    program.write_text("#!/bin/sh\necho v3.259.0\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{home / 'engine'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SERVESTACK_SIMULATOR_HOME", str(home))
    pulumi = next(tool for tool in TOOLS if tool.name == "pulumi")
    assert find_on_path(pulumi, tools) is None


def test_two_setups_at_once_build_once(runs, tools):
    program = textwrap.dedent(f"""
        from pathlib import Path
        from simulator.binaries import TOOLS
        from simulator.go_build import build
        build(next(tool for tool in TOOLS if tool.name == "etcd"), Path({str(tools)!r}))
    """)
    setups = [subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL) for _ in range(3)]
    assert [setup.wait() for setup in setups] == [0, 0, 0]
    assert len(runs.read_text().split()) == 1


@pytest.mark.parametrize("name", ["go.mod", "go.sum"])
def test_any_changed_pin_is_another_key(tools, name):
    before = ETCD.key(tools)
    file = tools / "etcd" / name
    file.write_text(file.read_text() + "\n")
    assert ETCD.key(tools) != before


def test_missing_pin_says_where(tools):
    (tools / "etcd" / "go.mod").write_text("module x\n")
    with pytest.raises(SimulatorError, match=r"etcd/go\.mod: no version of go\.etcd\.io/etcd/server/v3 is pinned"):
        ETCD.version(tools)


@pytest.mark.parametrize(
    ("output", "is_used"),
    [
        ("etcd Version: 3.6.1", True),
        ("etcd Version: 3.5.21", False),
        ("no version here", False),
    ],
)
def test_program_on_path_is_used_only_in_the_pinned_minor_version(runs, tools, output, is_used):
    program = runs.parent / "fake-bin" / "etcd"
    program.write_text(f"#!/bin/sh\necho '{output}'\n")
    program.chmod(0o755)
    assert find_on_path(ETCD, tools) == ({"etcd": program} if is_used else None)


@pytest.mark.parametrize(("output", "is_used"), [("v3.245.0", True), ("v3.272.0", True), ("v3.244.9", False)])
def test_pulumi_on_path_is_used_from_the_oldest_that_will_do(runs, tools, output, is_used):
    program = runs.parent / "fake-bin" / "pulumi"
    program.write_text(f"#!/bin/sh\necho '{output}'\n")
    program.chmod(0o755)
    pulumi = next(tool for tool in TOOLS if tool.name == "pulumi")
    assert find_on_path(pulumi, tools) == ({"pulumi": program} if is_used else None)


def test_kubernetes_on_path_is_used_only_when_all_three_are_there(runs, tools):
    kubernetes = next(tool for tool in TOOLS if tool.name == "kubernetes")
    for name in list(kubernetes.programs)[:2]:
        program = runs.parent / "fake-bin" / name
        program.write_text("#!/bin/sh\necho Kubernetes v1.36.0\n")
        program.chmod(0o755)
    assert find_on_path(kubernetes, tools) is None


@pytest.mark.parametrize(("version", "is_used"), [("go1.26.0", True), ("go1.27.3", True), ("go1.25.9", False)])
def test_go_on_path_is_used_when_new_enough_and_else_installed(runs, monkeypatch, version, is_used):
    installed = go_toolchain.Go(Path("/installed/go"), {})
    monkeypatch.setattr(go_toolchain, "_install", lambda: installed)
    monkeypatch.setenv("FAKE_GO_VERSION", version)
    found = go_toolchain.find()
    assert found.program == (runs.parent / "fake-bin" / "go" if is_used else installed.program)


@pytest.mark.usefixtures("runs")
def test_build_does_not_depend_on_the_users_go_settings(monkeypatch):
    monkeypatch.setenv("GOFLAGS", "-mod=vendor")
    monkeypatch.setenv("GOOS", "plan9")
    environment = go_toolchain.find().environment
    assert environment["GOFLAGS"] == ""
    assert environment["GOTOOLCHAIN"] == "local"
    assert "GOOS" not in environment


@pytest.mark.usefixtures("runs")
def test_full_disk_ends_the_build_and_leaves_nothing(tools, monkeypatch):
    monkeypatch.setenv("FAKE_GO_MODE", "fail")
    log = cache_directory() / "logs" / "etcd-v3.6.13.log"
    log.parent.mkdir(parents=True)
    log.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device"):
        go_build.build(ETCD, tools)
    assert leftovers() == []
