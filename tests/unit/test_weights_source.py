"""Where weights come from: what a source needs and no more, in the plan, in the pod and on the network."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.batch_job import BatchJob
from infra.catalog.loader import load_catalog
from infra.diagnosis_report import diagnosis_text
from infra.operate.diagnosis import diagnose
from infra.pipeline import Endpoint, ManagedEndpoint, build
from infra.plan.refusal import RefusedError
from infra.plan.weights_source import weights_choice
from infra.policy import violations
from infra.policy.subject import Subject
from infra.render import render
from infra.spec import EndpointSpec
from infra.spec.weights import Weights
from infra.stack_folder import StackFolder
from tests.conftest import ROOT
from tests.unit.files import Files, endpoint

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CLAIM = "weights: {source: pvc, claim: models, path: gemma, accessMode: ReadOnlyMany}"
BUCKET = "weights: {source: gcs, bucket: acme-models, path: a/b}"
PRIVATE = "weights: {source: gcs, bucket: acme-models, path: a/b, privateGoogleAccess: true}"
ACCOUNT = (
    "weights: {source: gcs, bucket: acme-models, path: a, serviceAccount: models@acme-prod.iam.gserviceaccount.com}"
)


def built(*lines: str, framework: str = "vllm") -> Endpoint:
    precision = "-fp8" if "precision: fp8" in lines else ""
    name = f"gemma4-e4b{precision}-l4{'' if framework == 'vllm' else f'-{framework}'}"
    one = build(name, Files(**{name.replace("-", "_"): endpoint("gemma-4-e4b-it", "l4", framework, *lines)}))
    assert isinstance(one, Endpoint)
    return one


def objects(one: Endpoint) -> dict[str, dict[str, Any]]:
    return {found["kind"]: found for found in render(one.workload)}


def pod(one: Endpoint) -> dict[str, Any]:
    spec: dict[str, Any] = objects(one)["Deployment"]["spec"]["template"]["spec"]
    return spec


def ways_out(one: Endpoint) -> list[tuple[str, int]]:
    """Addresses and ports to which pods may connect, without those of name servers."""
    rules = objects(one)["NetworkPolicy"]["spec"]["egress"]
    return [
        (peer["ipBlock"]["cidr"], port["port"])
        for rule in rules
        for peer in rule["to"]
        for port in rule["ports"]
        if port["port"] != 53
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", [("0.0.0.0/0", 443)]),
        (CLAIM, []),
        (f"{CLAIM}\nmedia: {{domains: [images.example.com]}}", [("0.0.0.0/0", 443)]),
        (BUCKET, [("169.254.169.254/32", 80), ("169.254.169.252/32", 988), ("0.0.0.0/0", 443)]),
        (PRIVATE, [("169.254.169.254/32", 80), ("169.254.169.252/32", 988), ("199.36.153.8/30", 443)]),
    ],
)
def test_pods_reach_what_their_source_needs_and_nothing_else(line: str, expected: list[tuple[str, int]]) -> None:
    assert ways_out(built(line)) == expected


def test_adapters_are_fetched_at_their_commits_to_where_the_engine_reads_them() -> None:
    adapter = f"adapters: [{{name: support, repository: example/support, revision: {COMMIT}, rank: 8}}]"
    one = built(adapter)
    assert ("example/support", COMMIT, "/cache/weights/adapters/support") in {
        (found.repository, found.revision, found.folder) for found in one.plan.weights.downloads
    }
    assert "support=/cache/weights/adapters/support" in pod(one)["containers"][0]["args"]
    read = built(adapter, CLAIM)
    assert "support=/models/gemma/adapters/support" in pod(read)["containers"][0]["args"]


def test_a_volume_for_one_node_makes_the_old_pod_go_first() -> None:
    one = built("weights: {source: pvc, claim: models, path: gemma, accessMode: ReadWriteOnce}")
    assert objects(one)["Deployment"]["spec"]["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize("line", ["", CLAIM, BUCKET, PRIVATE, ACCOUNT])
@pytest.mark.parametrize("framework", ["vllm", "sglang", "llamacpp"])
def test_every_source_keeps_every_policy(line: str, framework: str) -> None:
    one = built(line, framework=framework)
    assert not violations(Subject(render(one.workload), plan=one.plan))
    assert not one.plan.only_planned


@pytest.mark.parametrize("framework", ["vllm", "sglang"])
def test_engines_that_know_the_hub_are_told_to_stay_off_it_and_read_a_path(framework: str) -> None:
    (engine,) = pod(built("speculativeDecoding: true", framework=framework))["containers"]
    words = [*engine["command"], *engine["args"]]
    assert {"name": "HF_HUB_OFFLINE", "value": "1"} in engine["env"]
    assert any("/cache/weights/model" in word for word in words)
    assert any("/cache/weights/drafter" in word for word in words)
    assert not [word for word in words if "google/" in word or word.startswith("--revision")]


def test_llama_server_reads_its_files_and_stays_off_the_hub() -> None:
    one = built("speculativeDecoding: false", framework="llamacpp")
    (engine,) = pod(one)["containers"]
    words = " ".join(engine["args"])
    folder = "/cache/weights/model"
    assert f"--model {folder}/gemma-4-E4B_q4_0-it.gguf --offline" in words
    assert f"--mmproj {folder}/gemma-4-E4B-it-mmproj.gguf" in words
    assert "--hf" not in words


def test_a_projector_is_neither_fetched_nor_loaded_for_text_alone() -> None:
    one = built("inputs: [text]", framework="llamacpp")
    assert one.plan.weights.downloads[0].files == ("gemma-4-E4B_q4_0-it.gguf",)
    assert "--no-mmproj" in pod(one)["containers"][0]["args"]


def test_the_fetching_container_has_no_accelerator_no_rights_and_no_token() -> None:
    (_, fetching) = pod(built())["initContainers"]
    assert fetching["securityContext"] == pod(built())["containers"][0]["securityContext"]
    assert not [name for amounts in fetching["resources"].values() for name in amounts if "/" in name]
    assert not [one for one in fetching["env"] if "valueFrom" in one]
    assert "restartPolicy" not in fetching


def test_the_hub_token_is_a_reference_of_the_fetching_container_alone() -> None:
    spec = pod(built("weights: {tokenSecret: hub}"))
    (proxy, fetching), (engine,) = spec["initContainers"], spec["containers"]
    held = [one for one in fetching["env"] if "valueFrom" in one]
    assert held == [{"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": "hub", "key": "token"}}}]
    assert not [one for container in (proxy, engine) for one in container.get("env", []) if "valueFrom" in one]


def test_a_claim_is_read_only_and_nothing_is_fetched() -> None:
    spec = pod(built(CLAIM, "replicas: {min: 2}"))
    assert [one["name"] for one in spec["initContainers"]] == ["proxy"]
    claim = {"claimName": "models", "readOnly": True}
    assert {"name": "weights", "persistentVolumeClaim": claim} in spec["volumes"]
    (engine,) = spec["containers"]
    assert {"name": "weights", "mountPath": "/models", "readOnly": True} in engine["volumeMounts"]
    assert engine["command"] == ["vllm", "serve", "/models/gemma"]


@pytest.mark.parametrize(
    ("mode", "exclusive"), [("ReadOnlyMany", False), ("ReadWriteMany", False), ("ReadWriteOnce", True)]
)
def test_a_volume_for_one_node_is_known_to_be(mode: str, exclusive: bool) -> None:
    line = f"weights: {{source: pvc, claim: models, path: gemma, accessMode: {mode}}}"
    assert built(line).plan.weights.exclusive is exclusive


def test_a_bucket_is_mounted_by_gkes_driver_for_the_engines_user_and_only_to_read() -> None:
    every = objects(built(ACCOUNT))
    template = every["Deployment"]["spec"]["template"]
    (mount,) = [one for one in template["spec"]["volumes"] if "csi" in one]
    csi = mount["csi"]
    options = csi["volumeAttributes"]["mountOptions"].split(",")
    assert (csi["driver"], csi["readOnly"]) == ("gcsfuse.csi.storage.gke.io", True)
    assert csi["volumeAttributes"]["bucketName"] == "acme-models"
    assert {"only-dir=a", "uid=2000", "gid=2000"} <= set(options)
    assert template["metadata"]["annotations"]["gke-gcsfuse/volumes"] == "true"
    assert template["spec"]["automountServiceAccountToken"] is False
    account = every["ServiceAccount"]["metadata"]["annotations"]
    assert account["iam.gke.io/gcp-service-account"] == "models@acme-prod.iam.gserviceaccount.com"
    assert "iam.gke.io/gcp-service-account" not in objects(built(BUCKET))["ServiceAccount"]["metadata"]["annotations"]


def test_a_download_is_timed_with_its_check_and_a_volume_without_either() -> None:
    names = {line: {one.name for one in built(line).plan.timing.startup_terms if one.seconds} for line in ("", CLAIM)}
    assert names[""] - names[CLAIM] == {"weights download", "weights check"}


def test_what_is_not_pinned_is_said_and_what_is_is_not() -> None:
    loose = built("precision: fp8").plan
    assert loose.weights.revision == "main"
    assert [one for one in loose.cautions if one.startswith("not pinned: RedHatAI/gemma-4-E4B-it-FP8-dynamic at")]
    pinned = built("precision: fp8", f"weights: {{revision: {COMMIT}}}").plan
    assert pinned.weights.revision == pinned.model.revision == COMMIT
    assert not [one for one in pinned.cautions if "not pinned" in one]


def test_a_gated_checkpoint_needs_a_token_and_the_refusal_says_how_to_give_one() -> None:
    spec = built().spec
    assert isinstance(spec, EndpointSpec)
    gated = dataclasses.replace(load_catalog().models["gemma-4-e4b-it"].checkpoints[0], gated=True)
    with pytest.raises(RefusedError) as refused:
        weights_choice("x", spec, gated, None, ("text",), own_fetch=False)
    assert refused.value.field == ("weights",)
    assert "kubectl -n x create secret generic x-hub --from-literal=token=$HF_TOKEN" in str(refused.value)
    named = spec.model_copy(update={"weights": Weights(tokenSecret="hub")})
    assert weights_choice("x", named, gated, None, ("text",), own_fetch=False).token_secret == "hub"


def test_every_gguf_checkpoint_names_its_files_and_no_other_does() -> None:
    for model in load_catalog().models.values():
        for one in model.checkpoints:
            named = (one.file, one.projector_file)
            assert all(named) if one.format == "gguf" else named == (None, None), one.repository
            assert all(re.fullmatch(r"[A-Za-z0-9._-]+\.gguf", name) for name in named if name)


def test_a_volume_for_one_node_is_refused_where_a_replica_is_several() -> None:
    spec = built("weights: {source: pvc, claim: models, path: gemma, accessMode: ReadWriteOnce}").spec
    assert isinstance(spec, EndpointSpec)
    checkpoint = load_catalog().models["gemma-4-e4b-it"].checkpoints[0]
    with pytest.raises(RefusedError, match="a replica is 2 machines"):
        weights_choice("x", spec, checkpoint, None, ("text",), own_fetch=False, nodes=2)


def texts(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict | list):
        for item in (*node, *node.values()) if isinstance(node, dict) else node:
            yield from texts(item)


FOLDERS = st.from_regex(r"[a-z][a-z0-9._-]{0,8}(/[a-z][a-z0-9._-]{0,8}){0,2}", fullmatch=True)
NAMES = st.from_regex(r"[a-f][a-f0-9-]{1,8}[a-f0-9]", fullmatch=True)


@settings(max_examples=60, deadline=None)
@given(folder=FOLDERS, name=NAMES, source=st.sampled_from(["pvc", "gcs", "hugging-face"]))
def test_what_a_stack_file_names_is_a_whole_value_and_never_part_of_a_script(
    folder: str, name: str, source: str
) -> None:
    line = {
        "pvc": f"weights: {{source: pvc, claim: {name}x, path: {folder}, accessMode: ReadOnlyMany}}",
        "gcs": f"weights: {{source: gcs, bucket: {name}x, path: {folder}}}",
        "hugging-face": f"weights: {{tokenSecret: {name}x}}",
    }[source]
    one = built(line)
    said = list(texts(render(one.workload)))
    assert f"{name}x" in said
    plain = {word for word in texts(render(built().workload)) if "\n" in word}
    assert {word for word in said if "\n" in word} <= plain
    assert not [word for word in said if ".." in word.split("/")]


@pytest.mark.parametrize(
    ("words", "step"),
    [
        ("access refused (HTTP 401) to a/b: no licence", "weights.tokenSecret"),
        ("not found (HTTP 404): x.gguf at main of a/b", "weights.revision"),
        ("no disk space: x.gguf needs 9 MiB more, 1 MiB are free", "source: pvc"),
        ("checksum differs: x.gguf is 1, the hub states 2", "fetched again"),
        ("network: no answer from the hub, 6 times in a row", "Cloud NAT"),
    ],
)
@pytest.mark.parametrize("crashing", [False, True])
def test_status_says_why_weights_do_not_come_and_what_to_do(words: str, step: str, crashing: bool) -> None:
    ended = {"terminated": {"exitCode": 1, "reason": "Error", "message": f"weights: trying\nweights: {words}"}}
    waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}}
    container = {"name": "weights", "state": waiting if crashing else ended, "lastState": ended if crashing else {}}
    deployment = {"metadata": {"name": "x"}, "spec": {"replicas": 1}, "status": {}}
    starting = {"name": "vllm", "state": {"waiting": {"reason": "PodInitializing"}}}
    status = {"initContainerStatuses": [container], "containerStatuses": [starting]}
    found = diagnose(deployment, [{"metadata": {"name": "x-1"}, "status": status}], [])
    assert found.state == "stuck"
    text = " ".join(diagnosis_text("x", found, "").split())
    assert f"pod x-1: weights: {words}" in text
    assert step in text
    assert "CrashLoopBackOff" not in text


def test_status_is_silent_about_weights_that_came_at_last() -> None:
    once = {"terminated": {"exitCode": 1, "message": "weights: network: x"}}
    container = {"name": "weights", "state": {"terminated": {"exitCode": 0}}, "lastState": once}
    deployment = {"metadata": {"name": "x"}, "spec": {"replicas": 1}, "status": {}}
    pods = [{"metadata": {"name": "x-1"}, "status": {"initContainerStatuses": [container]}}]
    assert not [one for one in diagnose(deployment, pods, []).findings if one.reason == "weights"]


def test_the_shipped_stacks_fetch_what_their_plans_say() -> None:
    for path in sorted((ROOT / "stacks").glob("gemma4-*.yaml")):
        one = build(path.stem, StackFolder(ROOT / "stacks"))
        if isinstance(one, BatchJob | ManagedEndpoint):
            continue  # Google fetches them, and a job has presets
        assert isinstance(one, Endpoint)
        if one.mac is not None:
            continue  # no pods
        if one.service is not None:
            fetched_here = {file.address for file in one.service.files if file.origin == "hub"}
            downloads = one.plan.weights.downloads
            assert fetched_here == {f"{d.repository}/resolve/{d.revision}/{n}" for d in downloads for n in d.files}
            continue
        for serving, _ in Subject(render(one.workload), plan=one.plan).serving:
            words = [word for found in serving.spec["initContainers"] for word in found["command"]]
            for fetched in one.plan.weights.downloads:
                assert {fetched.repository, fetched.revision, fetched.folder, *fetched.files} <= set(words)
