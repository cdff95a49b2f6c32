"""How custom resource definitions come into the cache: pinned, checked, whole or not at all."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from simulator import custom_resources, go_toolchain
from simulator.binaries import REPOSITORY, cache_directory
from simulator.custom_resources import Source, has_add_ons, key, locate, pins
from simulator.errors import SimulatorError

MODULE = "example.com/kinds"
DEFINITION = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: a.example.com\n"


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pins of one small module, a folder that serves it as a module proxy does, an empty cache."""
    served = tmp_path / "proxy" / MODULE / "@v"
    served.mkdir(parents=True)
    (served / "v1.2.3.info").write_text(json.dumps({"Version": "v1.2.3"}))
    (served / "v1.2.3.mod").write_text(f"module {MODULE}\n")
    with zipfile.ZipFile(served / "v1.2.3.zip", "w") as archive:
        for name, text in {"go.mod": f"module {MODULE}\n", "crds/a.yaml": DEFINITION, "LICENSE": "Apache"}.items():
            archive.writestr(f"{MODULE}@v1.2.3/{name}", text)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "users-modules"))
    monkeypatch.setenv("GOPROXY", (tmp_path / "proxy").as_uri())
    monkeypatch.setenv("GOSUMDB", "off")
    monkeypatch.setenv("GOFLAGS", "-modcacherw")
    monkeypatch.setattr(custom_resources, "SOURCES", (Source(module=MODULE, files=("crds/a.yaml",)),))
    folder = tmp_path / "tools" / "crds"
    folder.mkdir(parents=True)
    (folder / "go.mod").write_text(f"module servestack.dev/tools/crds\n\ngo 1.26\n\nrequire {MODULE} v1.2.3\n")
    go = go_toolchain.find()
    arguments = [str(go.program), "mod", "download", f"{MODULE}@v1.2.3"]
    subprocess.run(arguments, cwd=folder, env={**go.environment, "GOFLAGS": "-modcacherw"}, check=True)
    shutil.rmtree(tmp_path / "users-modules")
    assert MODULE in (folder / "go.sum").read_text()
    return tmp_path / "tools"


def kept() -> list[str]:
    """Names in the cache that are neither logs nor locks."""
    return sorted(one.name for one in cache_directory().iterdir() if one.name not in ("logs", "locks"))


def test_only_the_definitions_and_the_licence_are_kept(tools: Path, tmp_path: Path) -> None:
    (file,) = locate(tools)
    assert file.read_text() == DEFINITION
    folder = cache_directory() / key(tools)
    assert kept() == [folder.name]
    assert sorted(one.name for one in folder.rglob("*") if one.is_file()) == ["LICENSE", "a.yaml"]
    assert not (tmp_path / "users-modules").exists()


def test_what_is_in_the_cache_needs_no_network_and_no_go(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = locate(tools)
    monkeypatch.setenv("GOPROXY", "off")
    monkeypatch.setattr(go_toolchain, "find", lambda: pytest.fail("Go is looked for"))
    assert locate(tools) == first


def test_without_a_network_the_set_up_says_what_to_do_and_leaves_nothing(
    tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOPROXY", "off")
    with pytest.raises(SimulatorError) as failure:
        locate(tools)
    assert str(failure.value).splitlines()[0] == (
        f"The custom resource definitions of {MODULE} v1.2.3 could not be downloaded:"
    )
    assert "module lookup disabled by GOPROXY=off" in str(failure.value)
    assert str(failure.value).endswith("Run the same command again when the Go module proxy can be reached.")
    assert kept() == []


def test_a_module_that_was_changed_behind_its_version_is_refused(tools: Path) -> None:
    go_sum = tools / "crds" / "go.sum"
    pinned = re.sub(r"(v1\.2\.3 h1:)\S{8}", r"\1AAAAAAAA", go_sum.read_text())
    go_sum.write_text(pinned)
    with pytest.raises(SimulatorError, match="checksum mismatch"):
        locate(tools)
    assert go_sum.read_text() == pinned
    assert kept() == []


def test_a_file_that_the_module_has_no_more_is_named(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(custom_resources, "SOURCES", (Source(module=MODULE, files=("crds/b.yaml",)),))
    with pytest.raises(SimulatorError, match=r"example\.com/kinds v1\.2\.3 has no crds/b\.yaml"):
        locate(tools)
    assert kept() == []


@pytest.mark.parametrize(("file", "said"), [("go.mod", "no version of"), ("go.sum", "no checksum of")])
def test_a_module_without_a_pin_is_not_downloaded(tools: Path, file: str, said: str) -> None:
    (tools / "crds" / file).write_text("")
    with pytest.raises(SimulatorError, match=said):
        locate(tools)


def test_the_repository_pins_every_module_by_version_and_checksum() -> None:
    assert set(pins()) == {source.module for source in custom_resources.SOURCES if source.module}
    required = re.findall(r"^\t(\S+) v\S+$", (REPOSITORY / "tools" / "crds" / "go.mod").read_text(), re.M)
    assert set(required) == set(pins())


def test_any_changed_pin_is_another_key(tools: Path) -> None:
    go_mod, go_sum = (tools / "crds" / name for name in ("go.mod", "go.sum"))
    keys = {key(tools)}
    go_sum.write_text(re.sub(r"(v1\.2\.3 h1:)\S{8}", r"\1AAAAAAAA", go_sum.read_text()))
    keys.add(key(tools))
    for file in (go_mod, go_sum):
        file.write_text(file.read_text().replace("v1.2.3", "v1.2.4"))
    keys.add(key(tools))
    assert len(keys) == 3


def test_everything_from_a_module_is_under_the_apache_licence() -> None:
    locate()
    for module in pins():
        licence = (cache_directory() / key() / module / "LICENSE").read_text()
        assert "Apache License" in licence, module
        assert "Version 2.0" in licence, module


def test_add_ons_can_be_left_out() -> None:
    left_out = {file.name for file in locate()} - {file.name for file in locate(add_ons=False)}
    assert "keda.sh_scaledobjects.yaml" in left_out
    assert not any("gke" in name or "googleapis" in name for name in left_out)
    assert has_add_ons({})
    assert not has_add_ons({"SERVESTACK_SIMULATOR_ADD_ONS": "none"})
    with pytest.raises(SimulatorError, match="say all or none"):
        has_add_ons({"SERVESTACK_SIMULATOR_ADD_ONS": "no"})
