from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from infra.vertex.calls import Pace
from infra.vertex.clients import ADDRESS_VARIABLE, loopback
from infra.vertex.session import PACE_VARIABLES
from simulator.binaries import REPOSITORY, Binaries
from simulator.environment import has_official_kubernetes, simulator_variables
from simulator.home import Home
from simulator.workspace import ensure_workspace


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.ensure()
    return made


def test_token_is_random_private_and_kept(tmp_path: Path) -> None:
    first, other = Home(tmp_path / "a"), Home(tmp_path / "b")
    first.ensure()
    other.ensure()
    token = first.token
    assert len(token) == 64
    assert token != other.token
    assert oct(first.token_file.stat().st_mode & 0o777) == "0o600"
    first.ensure()
    assert first.token == token


def test_auth_plugin_prints_a_credential_as_gcloud_does(home: Home) -> None:
    plugin = REPOSITORY / "simulator" / "bin" / "gke-gcloud-auth-plugin"
    environment = {"SERVESTACK_SIMULATOR_HOME": str(home.root), "PATH": os.environ["PATH"]}
    credential = json.loads(subprocess.check_output([plugin], env=environment))
    assert credential["kind"] == "ExecCredential"
    assert credential["apiVersion"] == "client.authentication.k8s.io/v1beta1"
    assert credential["status"]["token"] == home.token


def test_auth_plugin_fails_without_a_simulator(tmp_path: Path) -> None:
    plugin = REPOSITORY / "simulator" / "bin" / "gke-gcloud-auth-plugin"
    environment = {"SERVESTACK_SIMULATOR_HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    run = subprocess.run([plugin], env=environment, capture_output=True, check=False)
    assert run.returncode != 0
    assert run.stdout == b""


def test_official_programs_on_path_win_over_our_fallbacks(home: Home, binaries: Binaries, tmp_path: Path) -> None:
    official = tmp_path / "official"
    official.mkdir()
    (official / "pulumi-language-python").write_text("#!/bin/sh\n")
    (official / "pulumi-language-python").chmod(0o755)
    pulumi = official / "pulumi"
    pulumi.symlink_to("/bin/true")
    used = Binaries(**{**vars(binaries), "pulumi": pulumi})
    path = simulator_variables(home, used, {}, {"PATH": f"{official}:/usr/bin:/bin"})["PATH"]
    assert shutil.which("pulumi-language-python", path=path) == str(official / "pulumi-language-python")
    assert shutil.which("gke-gcloud-auth-plugin", path=path) == str(
        REPOSITORY / "simulator" / "bin" / "gke-gcloud-auth-plugin"
    )
    assert path.split(":")[-1].endswith("bin-fallback")


def test_environment_inside_itself_is_the_same(home: Home, binaries: Binaries) -> None:
    once = simulator_variables(home, binaries, {"gcp": 1}, {"PATH": "/usr/bin:/bin"})
    twice = simulator_variables(home, binaries, {"gcp": 1}, {"PATH": once["PATH"]})
    assert twice["PATH"] == once["PATH"]


def test_managed_endpoints_are_reached_by_the_program_and_are_no_provider(home: Home, binaries: Binaries) -> None:
    variables = simulator_variables(home, binaries, {"gcp": 11}, {"PATH": "/usr/bin:/bin"}, managed_port=14)
    assert loopback(variables[ADDRESS_VARIABLE]) == "http://127.0.0.1:14"
    assert float(variables[PACE_VARIABLES["poll_seconds"]]) < Pace().poll_seconds
    assert variables["PULUMI_DEBUG_PROVIDERS"] == "gcp:11"


@pytest.mark.parametrize(
    ("folder", "is_official"),
    [
        ("resource-kubernetes-v4.99.0", True),
        ("resource-kubernetes-v4.1.0", False),
        ("resource-kubernetes-v5.0.0", False),
        ("resource-gcp-v10.2.0", False),
    ],
)
def test_official_kubernetes_plugin_is_used_where_the_sdk_can_use_it(
    home: Home, binaries: Binaries, tmp_path: Path, folder: str, is_official: bool
) -> None:
    plugins = tmp_path / "user" / "plugins"
    (plugins / folder).mkdir(parents=True)
    outer = {"PATH": "/usr/bin:/bin", "PULUMI_HOME": str(tmp_path / "user")}
    assert has_official_kubernetes(outer) is is_official
    variables = simulator_variables(home, binaries, {"gcp": 11, "kubernetes": 12}, outer)
    assert variables["PULUMI_DEBUG_PROVIDERS"] == ("gcp:11" if is_official else "gcp:11,kubernetes:12")
    assert (home.pulumi_home / "plugins" / folder).is_dir()


def test_workspace_shows_the_project_and_keeps_what_the_engine_writes_outside(home: Home, tmp_path: Path) -> None:
    workspace = ensure_workspace(home, REPOSITORY / "stacks")
    assert (workspace / "Pulumi.yaml").samefile(REPOSITORY / "Pulumi.yaml")
    assert (workspace / "infra" / "__main__.py").exists()
    assert (workspace / "stacks").samefile(REPOSITORY / "stacks")
    (workspace / "Pulumi.x.yaml").write_text("encryptionsalt: x\n")
    assert not (REPOSITORY / "Pulumi.x.yaml").exists()

    other = ensure_workspace(home, tmp_path)
    assert other != workspace
    assert (other / "stacks").samefile(tmp_path)
    assert (ensure_workspace(home, REPOSITORY / "stacks") / "stacks").samefile(REPOSITORY / "stacks")
