"""Images are pulled through the platform's repositories, and are the same images."""

from __future__ import annotations

import json
import re

import pytest

from infra.catalog.loader import load_catalog
from infra.golden import golden_text
from infra.plan.registry import UPSTREAMS, pulled_from
from infra.spec import Gke
from tests.unit.platform_samples import ADOPTED, CREATED, platform
from tests.unit.test_golden import ENDPOINTS, MORE

GKE = platform().gke
DIGEST = "sha256:" + "0123456789abcdef" * 4
HUB = "us-central1-docker.pkg.dev/servestack-dev/dev-docker-hub"
EVERY = {name: one for name, one in {**ENDPOINTS, **MORE}.items() if one.platform.gke}


@pytest.mark.parametrize(
    ("reference", "pulled"),
    [
        ("caddy:2.11.7-alpine", f"{HUB}/library/caddy:2.11.7-alpine"),
        ("vllm/vllm-openai:v0.33.0", f"{HUB}/vllm/vllm-openai:v0.33.0"),
        ("docker.io/library/caddy:2", f"{HUB}/library/caddy:2"),
        ("docker.io/caddy:2", f"{HUB}/library/caddy:2"),
        (f"vllm/vllm-openai:v1@{DIGEST}", f"{HUB}/vllm/vllm-openai:v1@{DIGEST}"),
        (f"ghcr.io/a/b@{DIGEST}", f"us-central1-docker.pkg.dev/servestack-dev/dev-ghcr/a/b@{DIGEST}"),
        ("nvcr.io/nvidia/x:1", "us-central1-docker.pkg.dev/servestack-dev/dev-nvcr/nvidia/x:1"),
        ("nvcr.io/nim/google/gemma:1", "nvcr.io/nim/google/gemma:1"),
        ("registry.example.com/a/b:1", "registry.example.com/a/b:1"),
        ("localhost/a:1", "localhost/a:1"),
        ("registry:5000/a:1", "registry:5000/a:1"),
        ("europe-docker.pkg.dev/p/r/a:1", "europe-docker.pkg.dev/p/r/a:1"),
        ("", ""),
    ],
)
def test_a_reference_becomes_that_of_the_repository_with_the_same_tag_and_digest(reference: str, pulled: str) -> None:
    assert pulled_from(reference, GKE) == pulled
    assert pulled_from(pulled, GKE) == pulled, "twice is once"


def test_without_repositories_a_reference_stays() -> None:
    for gke in (None, ADOPTED.gke, CREATED["no registry"].gke):
        assert pulled_from("caddy:2", gke) == "caddy:2"


def test_the_repository_is_in_the_region_of_a_zone_and_has_its_own_name_there() -> None:
    zonal = CREATED["zonal"].gke
    assert pulled_from("caddy:2", zonal) == (
        "us-central1-docker.pkg.dev/servestack-dev/dev-us-central1-a-docker-hub/library/caddy:2"
    )


def test_every_public_image_of_the_catalogue_has_a_repository() -> None:
    catalog = load_catalog()
    images = [image.reference for one in catalog.frameworks.values() for image in one.images]
    for reference in [*images, catalog.proxy.reference, catalog.picker.reference]:
        moved = pulled_from(reference, GKE) != reference
        assert moved or reference.startswith("nvcr.io/nim/"), reference


@pytest.mark.parametrize("name", EVERY)
def test_pods_of_a_created_platform_pull_from_it_alone_unless_the_file_names_the_image(name: str) -> None:
    endpoint = EVERY[name]
    gke = endpoint.platform.gke
    assert isinstance(gke, Gke)
    images = set(re.findall(r"^ +image: (\S+)$", golden_text(endpoint), re.MULTILINE))
    assert images
    for image in images - {endpoint.spec.engine.image}:
        assert ("-docker.pkg.dev/" in image) is (gke.own_registry and not image.startswith("nvcr.io/nim/")), image
    assert endpoint.spec.engine.image in {None, *images}
    assert json.dumps(endpoint.plan.to_json()).count("docker.pkg.dev") >= (1 if gke.own_registry else 0)


def test_repositories_are_those_whose_references_are_rewritten() -> None:
    assert set(UPSTREAMS) == {"docker.io", "ghcr.io", "nvcr.io"}
