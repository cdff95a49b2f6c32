"""What Google serves without a cluster: machines against the other tables, names against Google's own SDK, figures
against what was published, written here by hand."""

from __future__ import annotations

import re

import pytest
from google.cloud.aiplatform_v1beta1.types import AcceleratorType

from infra.catalog.loader import load_catalog
from infra.catalog.managed import GardenOffer
from tests.conftest import ROOT

CATALOG = load_catalog()
MANAGED = CATALOG.managed
MACHINES = {
    row[1]: row
    for row in map(str.split, (ROOT / "tests" / "facts" / "machines.txt").read_text(encoding="utf-8").splitlines())
    if row[0] != "#"
}


@pytest.mark.parametrize("offer", MANAGED.offers, ids=lambda one: f"{one.model} {one.machine_type}")
def test_an_offer_is_a_machine_that_is_sold_with_that_accelerator_and_has_a_price_there(offer: GardenOffer) -> None:
    accelerator, _, count, *_, vertex = (MACHINES[offer.machine_type][index] for index in range(7))
    assert (accelerator, count) == (offer.accelerator, str(offer.count))
    (machine,) = [
        one for one in CATALOG.accelerators[offer.accelerator].machines if one.machine_type == offer.machine_type
    ]
    assert machine.accelerators == offer.count
    assert CATALOG.prices[offer.machine_type].vertex_usd_per_hour == float(vertex)
    assert offer.model in MANAGED.garden_models


def test_every_name_of_an_accelerator_at_vertex_is_one_of_the_sdk_s() -> None:
    known = {one.name for one in AcceleratorType} - {"ACCELERATOR_TYPE_UNSPECIFIED"}
    named = {one.id: one.vertex_type for one in CATALOG.accelerators.values() if one.vertex_type}
    assert set(named.values()) <= known
    assert len(set(named.values())) == len(named)
    assert all(CATALOG.accelerators[one.accelerator].vertex_type in known for one in MANAGED.offers)


def test_offers_are_those_that_were_seen() -> None:
    seen = {
        ("12b", "h100"),
        ("12b", "rtxpro6000"),
        ("26b-a4b", "a100-80gb"),
        ("26b-a4b", "rtxpro6000"),
        ("31b", "h100"),
        ("e4b", "h100"),
        ("e4b", "rtxpro6000"),
    }
    assert {(CATALOG.models[one.model].size, one.accelerator) for one in MANAGED.offers} == seen


def test_models_of_model_garden_are_the_instruct_models_under_its_names() -> None:
    assert set(MANAGED.garden_models) == {one.id for one in CATALOG.models.values() if one.instruct}
    for name, one in MANAGED.garden_models.items():
        assert one.publisher_model == f"google/gemma4@{name}"
        assert one.weights is None or re.fullmatch(r"gs://[a-z0-9-]+/gemma4/gemma-4-[A-Za-z0-9-]+-it", one.weights)
    folders = [one.weights for one in MANAGED.garden_models.values() if one.weights]
    assert len(set(folders)) == len(folders)
    assert MANAGED.garden_models["gemma-4-31b-it"].weights == (
        "gs://vertex-model-garden-restricted-us/gemma4/gemma-4-31B-it"
    )


def test_what_is_served_without_a_deployment_has_the_published_limits() -> None:
    published = {
        ("serverless", "gemma-4-26b-a4b-it"): ("google/gemma-4-26b-a4b-it-maas", "global", 262_144, 128_000, False),
        ("gemini", "gemma-4-26b-a4b-it"): ("gemma-4-26b-a4b-it", None, 262_144, None, True),
        ("gemini", "gemma-4-31b-it"): ("gemma-4-31b-it", None, 262_144, None, True),
    }
    served = {
        (one.service, one.model): (
            one.request_model,
            one.location,
            one.context_tokens,
            one.output_tokens,
            one.reasoning,
        )
        for one in MANAGED.served
    }
    assert served == published
    assert all(one.tools and one.inputs == ("image", "text") for one in MANAGED.served)


def test_a_price_by_the_token_is_for_both_ways_or_for_none() -> None:
    prices = {
        (one.service, one.model): (one.input_usd_per_million_tokens, one.output_usd_per_million_tokens)
        for one in MANAGED.served
    }
    assert prices == {
        ("serverless", "gemma-4-26b-a4b-it"): (0.15, 0.60),
        ("gemini", "gemma-4-26b-a4b-it"): (None, None),
        ("gemini", "gemma-4-31b-it"): (None, None),
    }
    assert all(one.price for one in MANAGED.served)


def test_frameworks_and_services_agree_about_models_and_inputs() -> None:
    for framework, service in (("gemini", "gemini"), ("vertex", "serverless")):
        by_size = dict(CATALOG.frameworks[framework].inputs_by_size)
        for name, one in MANAGED.served_by(service).items():
            assert set(one.inputs) <= set(by_size[CATALOG.models[name].size])
    assert {CATALOG.models[name].size for name in MANAGED.served_by("gemini")} == set(
        dict(CATALOG.frameworks["gemini"].inputs_by_size)
    )


def test_the_container_s_engine_is_charged_as_that_version_of_vllm() -> None:
    vertex, vllm = CATALOG.frameworks["vertex"], CATALOG.frameworks["vllm"]
    assert vertex.hybrid_kv_since == vllm.hybrid_kv_since
    container = MANAGED.container
    assert re.fullmatch(r"\d+\.\d+\.\d+", container.engine_version)
    assert container.image.startswith("us-docker.pkg.dev/vertex-ai/")
    assert not container.image.endswith(":latest")
    assert container.health_route.startswith("/")
    assert container.predict_route.startswith("/")
    assert 0 < container.port < 65_536
