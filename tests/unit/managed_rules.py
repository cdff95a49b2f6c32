"""What holds of every plan of an endpoint that Google runs, recomputed without the code that planned it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.catalog.loader import load_catalog, read_facts
from infra.catalog.records import Model
from infra.fleet_report import fleet_text
from infra.golden import golden_text
from infra.managed_report import endpoint_text
from infra.pipeline import ManagedEndpoint
from infra.plan.managed import ManagedPlan
from infra.plan.quantities import Memory
from tests.conftest import ROOT
from tests.unit.network_rules import Party, admitted
from tests.unit.test_catalog_published import SHAPES

CATALOG = load_catalog()
OFFERS = sorted((one["model"], one["accelerator"], one["machine_type"]) for one in read_facts("managed.yaml")["offers"])


def full_bytes(model: Model, tokens: int, element_bytes: int, block: int) -> int:
    """KV cache of one request, every layer that has one in full, counted layer by layer in whole blocks."""
    total = 0
    for layer in range(model.layers - model.kv_shared_layers):
        everything = (layer + 1) % model.layers_per_global == 0
        heads = model.kv_heads_global if everything else model.kv_heads_sliding
        width = model.head_dim_global if everything else model.head_dim_sliding
        total += -(-tokens // block) * block * heads * width * 2 * element_bytes
    return total


def check_proof(plan: ManagedPlan, memory: Memory) -> None:
    """The proof recomputed: the cache from the layers, weights from a published table, the sum, and what fits."""
    model, context, chosen = CATALOG.models[plan.model.id], plan.context, plan.accelerator
    assert chosen is not None
    assert context.max_model_len is not None
    assert context.concurrency is not None
    element = 1 if memory.kv_cache_dtype == "fp8" else 2
    block = 64 if chosen.type == "h100" and element == 1 else 16
    cache = context.concurrency * full_bytes(model, context.max_model_len, element, block) + full_bytes(
        model, 1, element, block
    )
    (charged,) = [term for term in memory.terms if term.kind == "kv"]
    assert charged.size_gib * 2**30 == pytest.approx(cache, rel=1e-9)
    shape = SHAPES[model.size]
    towers = 0 if plan.inputs == ("text",) else shape.gib - shape.text_parameters * 2 / 2**30
    assert memory.weights_gib == pytest.approx(shape.text_parameters * 2 / 2**30 + towers, rel=0.01)
    assert memory.need_gib == pytest.approx(sum(one.size_gib + one.uncertainty_gib for one in memory.terms))
    assert memory.need_gib <= memory.have_gib <= memory.per_accelerator_gib
    assert memory.have_gib == pytest.approx(memory.per_accelerator_gib * memory.utilization, rel=1e-6)
    room = (memory.have_gib - memory.need_gib) * 2**30 + cache

    def asked(tokens: int) -> int:
        assert context.concurrency is not None
        return context.concurrency * full_bytes(model, tokens, element, block) + full_bytes(model, 1, element, block)

    assert context.max_model_len <= memory.max_context_tokens <= model.max_context_tokens
    assert asked(memory.max_context_tokens) <= room + 1024
    if memory.max_context_tokens < model.max_context_tokens:
        assert asked(memory.max_context_tokens + 1) > room - 1024
    assert context.concurrency <= memory.max_concurrent_requests


def published_usd() -> dict[str, float]:
    """USD per hour of a replica of Vertex AI, by machine type, of the published table."""
    text = (ROOT / "tests" / "facts" / "machines.txt").read_text(encoding="utf-8")
    cells = [line.split() for line in text.splitlines() if not line.startswith("#")]
    return {row[1]: float(row[-1]) for row in cells if row[-1] != "-"}


USD = published_usd()


def check_plan(endpoint: ManagedEndpoint) -> None:
    """What holds of every plan."""
    plan = endpoint.plan
    for text in (endpoint_text(plan, explain=True), golden_text(endpoint).split("---")[0]):
        assert max(len(line.removeprefix("# ")) for line in text.splitlines()) <= 80, text
    assert all(len(line) <= 80 for line in fleet_text([plan]).splitlines())
    assert json.loads(json.dumps(plan.to_json(), allow_nan=False))
    assert len(plan.summary()) <= 200
    if plan.service == "model-garden":
        chosen = plan.accelerator
        assert chosen is not None
        assert (plan.model.id, chosen.type, chosen.machine_type) in OFFERS
        hourly = USD[chosen.machine_type]
        assert plan.cost.hourly_usd == pytest.approx(hourly * plan.replicas)
        assert plan.cost.monthly_usd_min == pytest.approx(hourly * plan.min_replicas * 730)
        assert plan.cost.monthly_usd_max == pytest.approx(hourly * plan.replicas * 730)
        assert plan.cost.exact == (chosen.capacity == "on-demand")
        assert (plan.memory is None) == (endpoint.container is None)
        if plan.memory is not None:
            check_proof(plan, plan.memory)
    else:
        assert (plan.accelerator, plan.memory, plan.garden, endpoint.container) == (None, None, None, None)
        assert plan.base_url.startswith("https://")
    objects = endpoint.objects()
    assert bool(objects) == (endpoint.platform.gke is not None)
    if objects:
        check_callers(endpoint, objects)


def check_callers(endpoint: ManagedEndpoint, objects: list[dict[str, Any]]) -> None:
    """What callers' pods get on a cluster, and what they do not."""
    name, by_kind = endpoint.name, {one["kind"]: one for one in objects}
    assert len(by_kind) == len(objects)
    assert all(one["metadata"].get("namespace", name) == name for one in objects)
    tokens = endpoint.plan.framework.name == "vertex"
    kinds = {"Namespace", "ServiceAccount", "NetworkPolicy", "ConfigMap"}
    assert set(by_kind) == kinds | (set() if tokens else {"SecretProviderClass", "SecretSync"})
    assert by_kind["Namespace"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    account = by_kind["ServiceAccount"]
    assert account["automountServiceAccountToken"] is False
    acts_as = account["metadata"]["annotations"].get("iam.gke.io/gcp-service-account")
    assert acts_as == (endpoint.plan.calling.email if tokens else None)
    assert set(by_kind["ConfigMap"]["data"]) == {"OPENAI_BASE_URL", "OPENAI_MODEL"}
    pod = Party("caller", "10.4.0.9", name, {})
    dns = Party("dns", "10.4.0.2", "kube-system", {"k8s-app": "kube-dns"})
    metadata = Party("metadata", "169.254.169.254")
    policies = [by_kind["NetworkPolicy"]]
    assert set(policies[0]["spec"]["policyTypes"]) == {"Egress", "Ingress"}
    google, inside = Party("google", "142.250.1.95"), Party("inside", "10.128.0.7")
    other = Party("other", "10.4.0.8", "search", {})
    asked = {
        (dns, 53): True,
        (dns, 443): False,
        (metadata, 80): tokens,
        (metadata, 443): False,
        (google, 443): True,
        (google, 80): False,
        (inside, 443): False,
        (other, 443): False,
        (other, 8090): False,
    }
    assert {key: admitted(policies, pod, *key) for key in asked} == asked
    assert not any(admitted(policies, one, pod, 443) for one in (other, google, inside))
