"""A plan as a service of Macs: what the engine gets is what the memory proof rests on."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from infra.errors import PlanError
from infra.frameworks.mlx_service import LOCKED, PORTS, MlxService
from infra.host import locks
from infra.host.service import FIELDS, IN_PLACE, changed, from_inputs, restarts, to_inputs
from infra.pipeline import Endpoint, build
from tests.conftest import ROOT
from tests.unit.files import Files

PLATFORM = "apiVersion: servestack/v1\nkind: Platform\nhost: {address: me@mac}\n"


def service(more: str = "", platform: str = PLATFORM, name: str = "gemma4-e4b-apple-64gb-mlx") -> MlxService:
    text = (
        "apiVersion: servestack/v1\nkind: Endpoint\nplatform: studio\nmodel: gemma-4-e4b-it\n"
        f"accelerator: apple-64gb\nframework: mlx\n{more}\n"
    )
    built = build(name, Files(**{name.replace("-", "_"): text, "studio": platform}))
    assert isinstance(built, Endpoint)
    assert built.mac is not None
    return built.mac


def test_the_engine_listens_on_loopback_and_has_no_key_in_its_arguments() -> None:
    one = service()
    assert "--host=127.0.0.1" in one.arguments
    assert not [word for word in one.arguments if "key" in word]
    assert "--trust-remote-code" not in one.arguments


def test_context_and_requests_are_those_of_the_proof() -> None:
    one = service("contextLength: 16384\nconcurrency: 3\ninputs: [text]")
    assert "--max-kv-size=16384" in one.arguments
    (most,) = (int(word.partition("=")[2]) for word in one.arguments if word.startswith("--max-num-seqs="))
    assert most >= 3
    assert one.inputs == ()


def test_a_quantised_cache_and_a_drafter_are_asked_for() -> None:
    assert "--kv-bits=8" in service("engine: {kvCacheDtype: int8}").arguments
    assert not [word for word in service().arguments if word.startswith("--kv-bits")]
    drafted = service("speculativeDecoding: true")
    assert "--draft-model=drafter" in drafted.arguments
    assert [name for _, _, name in drafted.weights] == ["gemma-4-e4b-it", "drafter"]


def test_ports_are_below_what_systems_lend_and_the_same_every_time() -> None:
    one = service()
    first, many = PORTS
    assert first <= one.port < first + many <= one.engine_port < first + 2 * many <= 32768
    assert service().port == one.port
    assert service(name="gemma4-e4b-apple-64gb-mlx-b").port != one.port


def test_replicas_take_the_first_machines() -> None:
    platform = PLATFORM.replace("address: me@mac", "addresses: [a, b, c]")
    assert service("replicas: {min: 2}", platform).addresses == ("a", "b")
    with pytest.raises(PlanError, match="4 replicas need as many machines; platform studio names 3"):
        service("replicas: {min: 4}", platform)


def test_every_version_that_is_served_has_its_packages_with_hashes() -> None:
    for version in LOCKED:
        lines = [line for line in locks.text(version).splitlines() if not line.startswith("#")]
        packages = re.findall(r"(?m)^([a-z0-9._-]+)==[0-9][^ ]* \\$", "\n".join(lines))
        assert {"mlx", "mlx-metal", "mlx-vlm"} <= set(packages)
        assert f"mlx-vlm=={version} \\" in lines
        text = "\n".join(lines)
        blocks = re.split(r"(?m)^(?=[a-z0-9])", text)[1:]
        assert len(blocks) == len(packages)
        assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", one) for one in blocks)


def test_a_service_is_the_same_after_its_way_through_the_state() -> None:
    from infra.components.host import service_of

    one = service_of("s", service(), "me@mac")
    floats: dict[str, Any] = {
        name: float(value) if isinstance(value, int) and not isinstance(value, bool) else value
        for name, value in to_inputs(one).items()
    }
    assert from_inputs(floats) == one
    assert set(floats) == set(FIELDS)
    assert not changed(one, one)
    assert {name for name in FIELDS if not restarts({name})} == IN_PLACE


@pytest.mark.parametrize("file", sorted((ROOT / "infra" / "host" / "remote").glob("*.py")), ids=lambda one: one.stem)
def test_what_runs_on_the_mac_imports_the_standard_library_alone(file: Path) -> None:
    import sys

    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            assert name.startswith("infra.host.remote") or name.split(".")[0] in sys.stdlib_module_names, name
