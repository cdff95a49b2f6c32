"""Committed renderings of every endpoint in stacks/, and what must hold whatever they say."""

from __future__ import annotations

import difflib
import re
import shlex
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from infra.batch_job import BatchJob
from infra.frameworks import llamacpp_flags, sglang_flags, vllm_flags
from infra.frameworks.autoscaling import INTERCEPTOR_PORT
from infra.frameworks.proxy import METRICS_PORT, PORT
from infra.golden import golden_text
from infra.objects import CALLER_OBJECTS, JOB_OBJECTS, OBJECTS, templates
from infra.pipeline import Endpoint, ManagedEndpoint, build
from infra.render import render
from infra.report import explain_text, plan_text
from infra.stack_folder import StackFolder
from tests.conftest import ROOT

GOLDEN = ROOT / "tests" / "golden"
FOLDER = StackFolder(ROOT / "stacks")
BUILT = {name: build(name, FOLDER) for name in FOLDER.names()}
ENDPOINTS = {name: one for name, one in BUILT.items() if isinstance(one, Endpoint) and not one.on_a_machine}
SERVICES = {name: one for name, one in BUILT.items() if isinstance(one, Endpoint) and one.on_a_machine}
JOBS = {name: one for name, one in BUILT.items() if isinstance(one, BatchJob)}
MANAGED = {name: one for name, one in BUILT.items() if isinstance(one, ManagedEndpoint)}
EXAMPLES = StackFolder(ROOT / "tests" / "examples" / "valid")
MORE = {n: one for n in EXAMPLES.names() if isinstance(one := build(n, EXAMPLES), Endpoint) and not one.on_a_machine}
# One example of each feature that no stack shows.
FEATURES = {
    "gemma4-12b-l4-llamacpp-disk",
    "gemma4-31b-nvfp4-rtxpro6000",
    "gemma4-e2b-l4-textonly",
    "gemma4-e4b-l4-asleep",
    "gemma4-e4b-l4-audio",
    "gemma4-e4b-l4-front",
    "gemma4-e4b-l4-image",
    "gemma4-e4b-l4-internal",
    "gemma4-e4b-l4-open",
    "gemma4-e4b-l4-shared",
    "gemma4-e4b-l4-token",
    "gemma4-e4b-l4-watched",
}
SHOWN: dict[str, BatchJob | Endpoint | ManagedEndpoint] = ENDPOINTS | JOBS | MANAGED | SERVICES
SHOWN |= {name: MORE[name] for name in sorted(FEATURES)}
ALL = pytest.mark.parametrize("endpoint", [*ENDPOINTS.values(), *MORE.values()], ids=[*ENDPOINTS, *MORE])


def find(endpoint: Endpoint, kind: str) -> dict[str, Any]:
    return next(one for one in endpoint.objects() if one["kind"] == kind)


def server(endpoint: Endpoint) -> dict[str, Any]:
    """Spec of the Deployment, or of the groups where a replica is several machines."""
    kind = "Deployment" if endpoint.plan.accelerator.nodes == 1 else "LeaderWorkerSet"
    spec: dict[str, Any] = find(endpoint, kind)["spec"]
    return spec


def template(endpoint: Endpoint) -> dict[str, Any]:
    """The pod that takes calls, with its metadata."""
    spec = server(endpoint)
    found: dict[str, Any] = spec.get("template") or spec["leaderWorkerTemplate"]["leaderTemplate"]
    return found


def pod(endpoint: Endpoint) -> dict[str, Any]:
    spec: dict[str, Any] = template(endpoint)["spec"]
    return spec


@pytest.mark.parametrize("name", SHOWN)
def test_golden_is_what_the_renderer_says_now(name: str, request: pytest.FixtureRequest) -> None:
    file, now = GOLDEN / f"{name}.yaml", golden_text(SHOWN[name])
    if request.config.getoption("--update-golden"):
        file.write_text(now, encoding="utf-8")
    then = file.read_text(encoding="utf-8") if file.exists() else ""
    diff = "".join(difflib.unified_diff(then.splitlines(True), now.splitlines(True), "committed", "now"))
    assert not diff, f"{diff}\nRead it, then: pytest tests/unit/test_golden.py --update-golden"


# A created Standard platform, an adopted one, one without a cluster, an Autopilot one with everything, one in a network
# that is there.
PLATFORMS = {name: BUILT[name] for name in ("cloud", "dev", "prod")} | {
    name: build(name, EXAMPLES) for name in ("autopilot", "there")
}


@pytest.mark.parametrize("name", PLATFORMS)
def test_a_platforms_golden_is_what_would_be_made_now(name: str, request: pytest.FixtureRequest) -> None:
    file, now = GOLDEN / "cloud" / f"{name}.yaml", golden_text(PLATFORMS[name])
    if request.config.getoption("--update-golden"):
        file.write_text(now, encoding="utf-8")
    then = file.read_text(encoding="utf-8") if file.exists() else ""
    diff = "".join(difflib.unified_diff(then.splitlines(True), now.splitlines(True), "committed", "now"))
    assert not diff, f"{diff}\nRead it, then: pytest tests/unit/test_golden.py --update-golden"
    assert {path.stem for path in file.parent.glob("*.yaml")} == set(PLATFORMS)
    assert max(len(line) for line in now.splitlines() if line.startswith("#")) <= 82


def test_there_is_a_golden_for_every_endpoint_and_none_too_many() -> None:
    assert {path.stem for path in GOLDEN.glob("*.yaml")} == set(SHOWN)


@ALL
def test_rendering_is_deterministic_and_complete(endpoint: Endpoint) -> None:
    assert endpoint.objects() == render(endpoint.workload)
    assert [one["kind"].lower() for one in endpoint.objects()] == [
        name.partition("-")[0] for name in templates(endpoint.workload)
    ]


@ALL
def test_pods_run_without_rights(endpoint: Endpoint) -> None:
    spec = pod(endpoint)
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0
    annotations = template(endpoint)["metadata"]["annotations"]
    for container in spec["containers"]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is ("servestack.dev/writable-root" not in annotations)
        assert context["capabilities"] == {"drop": ["ALL"]}


@ALL
def test_the_proxy_runs_without_rights_but_the_one_that_its_image_needs(endpoint: Endpoint) -> None:
    proxy, *_ = pod(endpoint)["initContainers"]
    context = proxy["securityContext"]
    assert (context["runAsUser"], context["allowPrivilegeEscalation"]) == (65534, False)
    assert context["readOnlyRootFilesystem"] is True
    assert context["capabilities"] == {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}
    assert set(proxy["resources"]["requests"]) == {"cpu", "memory", "ephemeral-storage"}
    assert set(proxy["resources"]["limits"]) == {"memory", "ephemeral-storage"}


@ALL
def test_the_engine_is_reached_through_the_proxy_alone(endpoint: Endpoint) -> None:
    (engine,) = pod(endpoint)["containers"]
    words = [word for argument in engine_words(endpoint) for word in argument.split("=", 1)]
    hosts = [words[place + 1] for place, word in enumerate(words) if word == "--host"]
    open_port = endpoint.workload.open_port
    assert hosts == ([] if open_port else ["127.0.0.1"])
    assert not open_port or open_port in endpoint.plan.cautions
    assert "ports" not in engine
    (port,) = find(endpoint, "Service")["spec"]["ports"]
    assert port["port"] == port["targetPort"] == PORT
    rules = find(endpoint, "NetworkPolicy")["spec"]["ingress"]
    (callers, *readers) = [[one["port"] for one in rule["ports"]] for rule in rules]
    watched = endpoint.plan.watch.kind != "none"
    others = {(METRICS_PORT,)} if watched else set()
    others |= {(1024,)} if endpoint.plan.accelerator.nodes > 1 else set()
    assert (callers, {tuple(ports) for ports in readers}) == ([PORT], others)
    probes = [engine[f"{kind}Probe"]["httpGet"] for kind in ("startup", "readiness", "liveness")]
    assert probes == [{"path": "/health", "port": PORT}] * 3
    assert endpoint.workload.port not in {PORT, METRICS_PORT}
    called = INTERCEPTOR_PORT if endpoint.workload.waking else PORT
    assert dict(endpoint.workload.client_environment)["OPENAI_BASE_URL"].endswith(f":{called}/v1")


@ALL
def test_the_proxy_is_a_sidecar_that_starts_first_ends_last_and_waits_for_no_key(endpoint: Endpoint) -> None:
    spec = pod(endpoint)
    (proxy, *_), secrets = spec["initContainers"], [one["secret"] for one in spec["volumes"] if "secret" in one]
    assert proxy["restartPolicy"] == "Always"
    assert all("tcpSocket" in proxy[f"{kind}Probe"] for kind in ("startup", "liveness"))
    assert "lifecycle" not in proxy
    asks = endpoint.plan.access.authentication == "key"
    expected = {"secretName": endpoint.plan.access.secret, "optional": True, "defaultMode": 0o440}
    assert secrets == ([expected] if asks else [])
    assert ("header_regexp" in endpoint.workload.proxy.config) is asks
    assert f"grace_period {endpoint.plan.timing.drain_seconds}s" in endpoint.workload.proxy.config


@ALL
def test_a_roll_out_never_needs_an_accelerator_that_the_pool_does_not_have(endpoint: Endpoint) -> None:
    spec = server(endpoint)
    strategy = spec.get("strategy") or {"rollingUpdate": spec["rolloutStrategy"]["rollingUpdateConfiguration"]}
    if endpoint.plan.weights.exclusive:
        assert strategy == {"type": "Recreate"}
    else:
        assert strategy["rollingUpdate"]["maxSurge"] == endpoint.spec.replicas.spare


@ALL
def test_the_roll_outs_deadline_waits_for_the_probe_and_the_probe_for_the_plan(endpoint: Endpoint) -> None:
    deployment, budget = server(endpoint), endpoint.plan.timing.timeout_seconds
    probe, grace = pod(endpoint)["containers"][0]["startupProbe"], pod(endpoint)["terminationGracePeriodSeconds"]
    if "template" in deployment:  # groups have no deadline
        assert deployment["progressDeadlineSeconds"] >= budget + grace + deployment["minReadySeconds"]
    assert budget <= probe["periodSeconds"] * probe["failureThreshold"] < budget + probe["periodSeconds"]


@ALL
def test_the_graceful_stop_fits_the_grace_period_and_the_spot_notice(endpoint: Endpoint) -> None:
    timing, grace = endpoint.plan.timing, pod(endpoint)["terminationGracePeriodSeconds"]
    assert timing.pre_stop_seconds + timing.drain_seconds < grace
    if all(rung.capacity == "spot" for rung in endpoint.plan.ladder):
        assert grace <= 15, "GKE gives ordinary pods 15 s of the 30 s notice"


@ALL
def test_no_latest_tag_no_remote_code_no_secret(endpoint: Endpoint) -> None:
    text = golden_text(endpoint)
    assert ":latest" not in text
    assert "trust-remote-code" not in text
    assert not {"hf_", "api-key"} & set(text.split())
    assert "Secret" not in {one["kind"] for one in endpoint.objects()}


@ALL
def test_volumes_hold_the_weights_and_stay_within_the_requests(endpoint: Endpoint) -> None:
    plan = endpoint.plan
    disk = sum(volume.size_gib for volume in endpoint.workload.volumes if not volume.medium)
    assert plan.timing.weights_bytes / 2**30 < disk <= plan.host.ephemeral_storage_gib
    memory = sum(volume.size_gib for volume in endpoint.workload.volumes if volume.medium)
    assert memory < plan.host.memory_gib


def engine_words(endpoint: Endpoint) -> list[str]:
    """What the engine is told: its arguments, or those that NIM hands on."""
    return [*endpoint.workload.args, *shlex.split(dict(endpoint.workload.env).get("NIM_PASSTHROUGH_ARGS", ""))]


def flags(framework: str, vllm: str = "0.33.0") -> set[str]:
    lists = {
        "llamacpp": "llama-server-b11434-options.txt",
        "nim": "vllm-0.32.0-options.txt",
        "sglang": "sglang-0.5.23-options.txt",
        "trtllm": "trtllm-serve-options.txt",
        "vllm": f"vllm-{vllm}-options.txt",
    }
    text = (ROOT / "tests" / "facts" / lists[framework]).read_text(encoding="utf-8")
    return {line.strip() for line in text.splitlines() if line.startswith("--")}


@pytest.mark.parametrize(
    ("name", "framework"), [("llamacpp", llamacpp_flags), ("sglang", sglang_flags), ("vllm", vllm_flags)]
)
def test_every_refused_flag_is_one_that_the_engine_knows(name: str, framework: ModuleType) -> None:
    known = flags(name)
    for flag in (*framework.OWNED, *framework.DENIED):
        found = any(one.startswith(flag[:-1]) for one in known) if flag.endswith("*") else flag in known
        assert found, flag


@ALL
def test_every_engine_flag_is_one_that_the_engine_knows(endpoint: Endpoint) -> None:
    used = {word.split("=", 1)[0] for word in engine_words(endpoint) if word.startswith("--")}
    assert used
    for version in ("0.32.0", "0.33.0"):
        known = flags(endpoint.plan.framework.name, version)
        assert used - known - {argument.split("=")[0] for argument in endpoint.plan.engine_args} == set()


@ALL
def test_manifest_reads_back_as_the_same_objects(endpoint: Endpoint) -> None:
    assert list(yaml.safe_load_all(golden_text(endpoint))) == endpoint.objects()


@ALL
def test_no_number_is_torn_from_its_unit(endpoint: Endpoint) -> None:
    assert not re.search(r"\d\n *(s|h|GiB)\b", plan_text(endpoint.plan) + explain_text(endpoint.plan))


@ALL
def test_text_of_a_plan_fits_eighty_columns(endpoint: Endpoint) -> None:
    comment = [line for line in golden_text(endpoint).splitlines() if line.startswith("#")]
    assert max(map(len, comment)) <= 82


TEMPLATES = sorted((ROOT / "manifests" / "templates").rglob("*.j2"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_are_one_per_kind_and_every_value_goes_through_tojson(path: Path) -> None:
    assert path.parent.name == "parts" or path.name.removesuffix(".yaml.j2") in {
        *dict(OBJECTS),
        *CALLER_OBJECTS,
        *JOB_OBJECTS,
    }
    text = path.read_text(encoding="utf-8")
    values = [piece.split("}}")[0] for piece in text.split("{{")[1:]]
    assert values or "include" in text
    assert all("tojson" in value for value in values)
    assert "{% if" not in text
