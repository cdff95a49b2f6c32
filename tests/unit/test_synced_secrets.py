"""Secrets of Secret Manager reach pods under the names they use already, and no value passes through here."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.errors import PlanError
from infra.frameworks.proxy import KEY_NAMES
from infra.golden import golden_text
from infra.pipeline import Endpoint, build
from infra.plan.needed_secrets import key_command, needed_secrets
from infra.report import explain_text
from tests.conftest import ROOT
from tests.unit.files import Files, endpoint
from tests.unit.registered import registered
from tests.unit.test_golden import ENDPOINTS, MORE, pod, template

NIM = MORE["gemma4-31b-h100-nim-managed"]
KEYS = ENDPOINTS["gemma4-e4b-l4-secrets"]
SYNCED = [NIM, KEYS, MORE["gemma4-e4b-l4-identity"]]


def of_kind(one: Endpoint, kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each["spec"] for each in one.objects() if each["kind"] == kind}


def used(spec: dict[str, Any]) -> dict[str, set[str]]:
    """Names of Secrets that a pod uses, with the keys that it takes from each."""
    found: dict[str, set[str]] = {one["name"]: {".dockerconfigjson"} for one in spec.get("imagePullSecrets", ())}
    for container in [*spec.get("initContainers", ()), *spec["containers"]]:
        for entry in container.get("env", ()):
            reference = entry.get("valueFrom", {}).get("secretKeyRef")
            if reference:
                found.setdefault(reference["name"], set()).add(reference["key"])
    for volume in spec["volumes"]:
        if "secret" in volume:
            found.setdefault(volume["secret"]["secretName"], set()).update(KEY_NAMES)
    return found


@pytest.mark.parametrize("one", SYNCED, ids=lambda one: one.name)
def test_what_gke_fills_is_what_the_pods_use(one: Endpoint) -> None:
    wanted = used(pod(one))
    syncs = of_kind(one, "SecretSync")
    assert syncs
    for name, spec in syncs.items():
        keys = {entry["targetKey"] for entry in spec["secretObject"]["data"]}
        assert keys <= wanted[name]
        assert keys == wanted[name] or keys == {"current"}
        registry = ".dockerconfigjson" in keys
        assert spec["secretObject"]["type"] == ("kubernetes.io/dockerconfigjson" if registry else "Opaque")


@pytest.mark.parametrize("one", SYNCED, ids=lambda one: one.name)
def test_every_source_of_a_synced_secret_is_a_path_of_its_class(one: Endpoint) -> None:
    classes = of_kind(one, "SecretProviderClass")
    for spec in of_kind(one, "SecretSync").values():
        entries = yaml.safe_load(classes[spec["secretProviderClassName"]]["parameters"]["secrets"])
        paths = [entry["path"] for entry in entries]
        assert [entry["sourcePath"] for entry in spec["secretObject"]["data"]] == paths
        assert len(set(paths)) == len(paths)


def test_an_endpoint_that_names_secrets_alone_gets_no_object_for_them() -> None:
    for one in (ENDPOINTS["gemma4-31b-h100-nim"], MORE["gemma4-e4b-l4-token"], MORE["gemma4-e4b-l4-ownkeys"]):
        assert one.plan.synced_secrets == ()
        assert not of_kind(one, "SecretSync")
        assert not of_kind(one, "SecretProviderClass")


def nim(version: str, keys: str) -> Endpoint:
    engine = (
        f"engine: {{registrySecret: {{secretManager: r, {version}}}, apiKeySecret: {{secretManager: k, {version}}}}}"
    )
    lines = (engine, f"expose: {{keySecret: {keys}}}")
    name = "gemma4-31b-h100-nim"
    one = build(name, Files(**{name: endpoint("gemma-4-31b-it", "{type: h100, count: 4}", "nim", *lines)}))
    assert isinstance(one, Endpoint)
    return one


def hub(version: str, keys: str) -> Endpoint:
    lines = (f"weights: {{tokenSecret: {{secretManager: hub, {version}}}}}", f"expose: {{keySecret: {keys}}}")
    one = build("gemma4-e4b-l4", Files(**{"gemma4-e4b-l4": endpoint("gemma-4-e4b-it", "l4", "vllm", *lines)}))
    assert isinstance(one, Endpoint)
    return one


OLD, BOTH, NEW = (
    "{current: {secretManager: keys, version: 1}}",
    "{current: {secretManager: keys, version: 1}, next: {secretManager: keys, version: 2}}",
    "{current: {secretManager: keys, version: 2}}",
)


@pytest.mark.parametrize("made", [nim, hub])
def test_a_rotation_changes_what_gke_reads_and_restarts_no_pod(made: Any) -> None:
    steps = [made("version: 1", OLD), made("version: 1", BOTH), made("version: 2", NEW), made("version: latest", NEW)]
    rendered = [{(each["kind"], each["metadata"]["name"]): each for each in one.objects()} for one in steps]
    for before, after in itertools.pairwise(rendered):
        assert before.keys() == after.keys()
        changed = {kind for (kind, name) in before if before[(kind, name)] != after[(kind, name)]}
        assert changed
        assert changed <= {"SecretProviderClass", "SecretSync"}
    assert [template(one) for one in steps] == [template(steps[0])] * len(steps)


def test_two_keys_are_open_during_a_rotation_and_one_before_and_after() -> None:
    for keys, names in ((OLD, ["current"]), (BOTH, ["current", "next"]), (NEW, ["current"])):
        (sync,) = (
            spec for name, spec in of_kind(hub("version: 1", keys), "SecretSync").items() if name.endswith("-keys")
        )
        assert [entry["targetKey"] for entry in sync["secretObject"]["data"]] == names
    assert set(KEY_NAMES) == {"current", "next"}


@pytest.mark.parametrize("one", SYNCED, ids=lambda one: one.name)
def test_commands_that_make_secrets_are_shell_without_a_value(one: Endpoint) -> None:
    for secret in one.plan.synced_secrets:
        for key in secret.keys:
            assert f" {key.secret} --project={key.project} " in key.command
            assert key.command.endswith("--data-file=-")
            assert f"    {key.command}" in explain_text(one.plan).splitlines()
            subprocess.run(["bash", "-n", "-c", key.command], check=True)


def run(command: str, tmp_path: Path, **environment: str) -> tuple[str, str]:
    """Run a command with stand-ins for what is not here; give gcloud's arguments, and what it read."""
    (tmp_path / "gcloud").write_text(
        f'#!/bin/sh\necho "$@" > {tmp_path}/arguments\ncat > {tmp_path}/read\n', encoding="utf-8"
    )
    (tmp_path / "kubectl").write_text(
        '#!/bin/sh\nprintf \'{"auths":{"nvcr.io":"%s"}}\' "$7" | base64\n', encoding="utf-8"
    )
    for name in ("gcloud", "kubectl"):
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:/usr/local/bin:/usr/bin:/bin"
    subprocess.run(["bash", "-c", command], env={"PATH": path, **environment}, check=True)
    return (tmp_path / "arguments").read_text(encoding="utf-8").strip(), (tmp_path / "read").read_text(encoding="utf-8")


def test_commands_hand_values_to_gcloud_by_standard_input_alone(tmp_path: Path) -> None:
    commands = {
        key.key: key.command for secret in (*NIM.plan.synced_secrets, *KEYS.plan.synced_secrets) for key in secret.keys
    }
    said, read = run(commands["token"], tmp_path, HF_TOKEN="planted-hub")
    assert (said.split()[:3], read) == (["secrets", "create", "hub-token"], "planted-hub")
    said, read = run(commands["NGC_API_KEY"], tmp_path, NGC_API_KEY="planted-ngc")
    assert (said.split()[:4], read) == (["secrets", "versions", "add", "ngc_key"], "planted-ngc")
    said, read = run(commands[".dockerconfigjson"], tmp_path, NGC_API_KEY="planted-ngc")
    assert json.loads(read)["auths"]["nvcr.io"] == "--docker-password=planted-ngc"
    assert "planted" not in said
    said, read = run(commands["current"], tmp_path)
    assert len(read) == 64
    assert bytes.fromhex(read)


PLANTED = {
    "HF_TOKEN": "hf_PlantedPlantedPlantedPlanted",
    "NGC_API_KEY": "nvapi-PlantedPlantedPlantedPlanted",
    "VLLM_API_KEY": "sk-PlantedPlantedPlantedPlanted",
    "HUGGING_FACE_HUB_TOKEN": "hf_OtherOtherOtherOtherOther",
    "GOOGLE_OAUTH_ACCESS_TOKEN": "ya29.PlantedPlantedPlantedPlanted",
}


@pytest.mark.parametrize(
    ("folder", "name"),
    [("stacks", "gemma4-e4b-l4-secrets"), ("tests/examples/valid", "gemma4-31b-h100-nim-managed")],
)
def test_a_secret_in_the_environment_reaches_no_plan_no_object_and_no_state(folder: str, name: str) -> None:
    program = registered(ROOT / folder, name, **PLANTED)
    assert program.resources
    texts = [program.text]
    for verb in (["plan", name, "--explain"], ["plan", name, "--json"], ["render", name], ["validate", name]):
        done = subprocess.run(
            [sys.executable, "-m", "infra.cli", *verb, "--stacks", folder],
            cwd=ROOT,
            env={**os.environ, **PLANTED},
            capture_output=True,
            text=True,
            check=True,
        )
        texts.append(done.stdout + done.stderr)
    for value in PLANTED.values():
        assert not [text for text in texts if value in text]
    types = {one["type"] for one in program.resources}
    assert not [one for one in types if one.endswith((":SecretVersion", ":Secret"))]


def test_every_synced_key_and_every_right_has_a_decision() -> None:
    for one in SYNCED:
        data = one.plan.to_json()
        said = [(row.field, row.value) for row in one.plan.decisions if row.field in ("syncedSecrets", "grants")]
        keys = [
            ("syncedSecrets", f"{each['name']}, key {key['key']}: projects/{key['project']}/secrets/{key['secret']}")
            for each in data["syncedSecrets"]
            for key in each["keys"]
        ]
        assert [(field, value.partition("/versions/")[0]) for field, value in said if field == "syncedSecrets"] == keys
        assert len([field for field, _ in said if field == "grants"]) == len(data["grants"]) > 0


def test_pods_need_no_way_out_for_what_gke_fills() -> None:
    plain, synced = hub("version: 1", "by-name"), hub("version: 1", BOTH)
    assert of_kind(plain, "NetworkPolicy") == of_kind(synced, "NetworkPolicy")


def test_status_looks_at_every_secret_that_pods_use() -> None:
    for one in [*ENDPOINTS.values(), *MORE.values()]:
        assert {needed.name for needed in needed_secrets(one.plan)} == set(used(pod(one)))
        synced = {needed.name for needed in needed_secrets(one.plan) if needed.synced}
        assert synced == set(of_kind(one, "SecretSync"))


def test_the_command_for_a_key_fits_where_the_key_is() -> None:
    assert key_command(ENDPOINTS["gemma4-e4b-l4"].plan).startswith("kubectl -n gemma4-e4b-l4 create secret generic")
    assert key_command(KEYS.plan).count("gcloud secrets") == 2
    assert key_command(MORE["gemma4-e4b-l4-open"].plan) == ""


def test_secrets_of_secret_manager_are_refused_where_no_gke_is() -> None:
    host = "apiVersion: servestack/v1\nkind: Platform\nhost: {address: me@box, memoryGiB: 32}\n"
    text = endpoint("gemma-4-e4b-it", "cpu", "llamacpp", "expose: {keySecret: {current: {secretManager: keys}}}")
    with pytest.raises(PlanError, match="secrets of Secret Manager reach pods on GKE alone"):
        build("gemma4-e4b-cpu-llamacpp", Files(dev=host, **{"gemma4-e4b-cpu-llamacpp": text}))


def test_the_whole_text_of_an_endpoint_names_secrets_and_holds_none() -> None:
    for one in SYNCED:
        assert "kind: Secret\n" not in golden_text(one)
