"""Image, media hosts and adapters of an engine: closed by default, strict in what they take, and told in the plan."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from infra.catalog.loader import load_catalog
from infra.frameworks import FRAMEWORKS
from infra.plan.refusal import RefusedError
from infra.plan.resolve import resolve
from infra.plan.serving_plan import ServingPlan
from infra.spec import EndpointSpec, PlatformSpec
from infra.spec.fields import DomainName, ImageReference

CATALOG = load_catalog()
CAPABILITIES = {name: one.capabilities for name, one in FRAMEWORKS.items()}
PLATFORM = PlatformSpec.model_validate(
    {
        "apiVersion": "servestack/v1",
        "kind": "Platform",
        "gke": {"project": "servestack-dev", "location": "us-central1", "cluster": {"name": "dev"}},
    }
)
DIGEST = "sha256:" + "0123456789abcdef" * 4
ADAPTER = {"name": "support", "repository": "example/support", "revision": "a" * 40, "rank": 16}


def plan(**more: Any) -> ServingPlan:
    values = {
        "apiVersion": "servestack/v1",
        "kind": "Endpoint",
        "platform": "dev",
        "model": "gemma-4-e4b-it",
        "accelerator": "l4",
        "framework": "vllm",
    }
    spec = EndpointSpec.model_validate(values | more)
    return resolve("gemma4-e4b-l4", spec, PLATFORM, CATALOG, CAPABILITIES).plan


def args(planned: ServingPlan) -> tuple[str, ...]:
    make = FRAMEWORKS[planned.framework.name].workload
    assert make is not None
    return make(planned).args


def listed(words: tuple[str, ...], flag: str) -> list[str]:
    """Values of a flag that takes a list."""
    rest = words[words.index(flag) + 1 :]
    end = next((place for place, word in enumerate(rest) if word.startswith("--")), len(rest))
    return list(rest[:end])


@pytest.mark.parametrize("inputs", [["text"], ["image", "text"], ["text", "video"]])
def test_vllm_fetches_from_no_host_unless_asked_and_never_gets_an_empty_list(inputs: list[str]) -> None:
    """An empty list would mean every host (vllm 0.33.0 multimodal/media/connector.py)."""
    (only,) = listed(args(plan(inputs=inputs)), "--allowed-media-domains")
    assert only.endswith(".invalid"), "RFC 6761: no such name has an address"


def test_vllm_fetches_from_the_named_hosts_alone_and_reads_no_file() -> None:
    words = args(plan(media={"domains": ["b.example.com", "a.example.com", "b.example.com"]}))
    assert listed(words, "--allowed-media-domains") == ["a.example.com", "b.example.com"]
    assert not [word for word in words if "local-media-path" in word]


@pytest.mark.parametrize("domain", ["example.com", "images.example.co.uk", "xn--bcher-kva.example.org", "a-b.c-d.io"])
def test_public_names_are_taken(domain: str) -> None:
    assert TypeAdapter(DomainName).validate_python(domain) == domain


@pytest.mark.parametrize(
    "domain",
    [
        "localhost",
        "127.0.0.1",
        "169.254.169.254",
        "0x7f.1",
        "[::1]",
        "metadata.google.internal",
        "x.svc.cluster.local",
        "example.com:8080",
        "http://example.com",
        "example.com/",
        "example.com.",
        "*.example.com",
        "Example.com",
        "user@example.com",
        "exa mple.com",
        "example.com\n",
        "-a.example.com",
        ".example.com",
        "a.b.invalid",
        "",
    ],
)
def test_addresses_and_names_of_the_inside_are_refused(domain: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(DomainName).validate_python(domain)


@pytest.mark.parametrize(
    "image",
    [
        "vllm/vllm-openai:v0.33.0",
        f"vllm/vllm-openai@{DIGEST}",
        f"registry.example.com:5000/team/vllm:v0.33.0@{DIGEST}",
        "us-central1-docker.pkg.dev/project/repo/vllm:0.33.0-audio",
    ],
)
def test_full_references_are_taken_and_run(image: str) -> None:
    assert TypeAdapter(ImageReference).validate_python(image) == image
    assert plan(engine={"image": image}).framework.image == image


@pytest.mark.parametrize(
    "image",
    [
        "vllm",
        "vllm:v0.33.0",
        "vllm/vllm-openai",
        "vllm/vllm-openai:latest",
        f"vllm/vllm-openai:latest@{DIGEST}",
        "registry.example.com:5000/vllm",
        "vllm/vllm-openai@sha256:abc",
        f"vllm/vllm-openai@{DIGEST}0",
        "vllm//x:1",
        "vllm/../x:1",
        "VLLM/x:1",
        "vllm/x:1 --privileged",
        "vllm/x:1\n",
        "{{ x }}/y:1",
        "https://registry.example.com/x:1",
        f"{'a/' * 200}x:1",
    ],
)
def test_references_that_name_no_version_or_are_none_are_refused(image: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(ImageReference).validate_python(image)


@pytest.mark.parametrize("tag", ["v0.27.0", "v0.27.1-cu129", "0.20.0", "v0.32.0", "v0.33.1"])
def test_a_version_that_is_refused_does_not_come_in_by_an_image(tag: str) -> None:
    with pytest.raises(RefusedError) as refused:
        plan(engine={"image": f"vllm/vllm-openai:{tag}"})
    assert refused.value.field == ("engine", "image")


@pytest.mark.parametrize("version", ["0.27.0", "0.27.1"])
def test_the_versions_that_fail_are_refused_by_name(version: str) -> None:
    with pytest.raises(RefusedError, match="fails with Gemma 4"):
        plan(engine={"version": version})


def test_a_digest_is_preferred_and_a_tag_is_told() -> None:
    by_tag = plan(engine={"image": "example.com/vllm:v0.33.0"})
    by_digest = plan(engine={"image": f"example.com/vllm@{DIGEST}"})
    assert sum("registry can move" in one for one in by_tag.cautions) == 1
    assert not [one for one in by_digest.cautions if "registry can move" in one]
    (reason,) = [one for one in by_digest.decisions if one.field == "framework.image"]
    assert (reason.value, reason.origin) == (f"example.com/vllm@{DIGEST}", "stack")


def test_audio_needs_an_image_with_its_packages_and_then_has_a_limit_and_memory() -> None:
    with pytest.raises(RefusedError, match=r"engine\.image"):
        plan(inputs=["audio", "text"])
    without, within = plan(), plan(inputs=["audio", "image", "text"], engine={"image": f"example.com/vllm@{DIGEST}"})
    assert '"audio":1' in next(word for word in args(within) if word.startswith("--limit-mm-per-prompt"))
    assert '"audio":0' in next(word for word in args(without) if word.startswith("--limit-mm-per-prompt"))
    assert within.memory.weights_gib > without.memory.weights_gib + 0.5
    assert any("audio" in one for one in within.cautions)


def test_no_image_brings_audio_to_a_model_without_it() -> None:
    with pytest.raises(RefusedError, match="takes no audio"):
        plan(model="gemma-4-31b-it", accelerator="h100", inputs=["audio", "text"], engine={"image": "a.io/b:1"})


def test_adapters_are_loaded_at_once_at_the_largest_rank_and_by_name() -> None:
    other = {"name": "legal", "repository": "example/legal", "revision": "b" * 40, "rank": 24}
    words = args(plan(adapters=[ADAPTER, other]))
    assert listed(words, "--lora-modules") == [
        "support=/cache/weights/adapters/support",
        "legal=/cache/weights/adapters/legal",
    ]
    assert {"--enable-lora", "--max-loras=2", "--max-lora-rank=32"} <= set(words)
    assert "--enable-lora" not in args(plan())


@pytest.mark.parametrize("precision", ["fp8", "nvfp4", "w4a16", "awq"])
def test_quantised_checkpoints_get_no_flag_as_their_own_config_says_it(precision: str) -> None:
    model = CATALOG.models["gemma-4-31b-it"]
    if not [one for one in model.checkpoints if one.precision == precision and "vllm" in one.frameworks]:
        pytest.skip(f"no {precision} checkpoint of {model.id} for vLLM")
    planned = plan(model=model.id, accelerator="rtxpro6000", precision=precision)
    assert not [word for word in args(planned) if "quantization" in word]


def test_llamacpp_says_that_it_fetches_what_it_is_told_unless_it_takes_text_alone() -> None:
    told = plan(framework="llamacpp")
    silent = plan(framework="llamacpp", inputs=["text"])
    assert any("fetches any http address" in one for one in told.cautions)
    assert not [one for one in silent.cautions if "fetches" in one]
