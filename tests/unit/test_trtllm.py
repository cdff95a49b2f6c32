"""TensorRT-LLM: its memory is no less than what is known of it, and what it is told follows from the proof."""

from __future__ import annotations

import itertools
import json

import pytest

from infra.catalog.loader import load_catalog
from infra.errors import PlanError
from infra.pipeline import Endpoint, build
from infra.plan.demand import GIB, Setting
from infra.plan.kv_trtllm import cache_bytes, demand_terms, token_bytes
from tests.unit.files import ENGINES, Files, endpoint

CATALOG = load_catalog()
SIZES = ("e2b", "e4b", "12b", "26b-a4b", "31b")


def planned(size: str, accelerator: str, *more: str) -> Endpoint:
    precision = "nvfp4-" if "precision: nvfp4" in more else ""
    name = f"gemma4-{size}-{precision}{accelerator}-trtllm-x"
    text = endpoint(f"gemma-4-{size}-it", accelerator, "trtllm", ENGINES["trtllm"], *more)
    built = build(name, Files(**{name: text}))
    assert isinstance(built, Endpoint)
    return built


def setting(size: str, tokens: int = 4096, concurrency: int = 1, tensor: int = 1, dtype: str = "auto") -> Setting:
    model = CATALOG.models[f"gemma-4-{size}-it"]
    checkpoint = next(one for one in model.checkpoints if "trtllm" in one.frameworks)
    return Setting(
        model=model,
        checkpoint=checkpoint,
        drafter=None,
        accelerator=CATALOG.accelerators["h100"],
        inputs=("text",),
        version="1.3.0rc26",
        tokens=tokens,
        concurrency=concurrency,
        tensor=tensor,
        pipeline=1,
        data=1,
        batched_tokens=0,
        kv_cache_dtype=dtype,
        unified_slots=False,
    )


def test_weights_of_e4b_are_what_its_log_says() -> None:
    """`Use 14.79 GB for model weights.`, and `Tried to allocate 5.25 GiB` (NVIDIA/TensorRT-LLM issue 14942)."""
    terms = demand_terms(setting("e4b"))
    assert sum(one.size_bytes for one in terms if one.kind == "weights") / GIB == pytest.approx(14.79, abs=0.005)
    second = next(one for one in terms if one.name == "second per-layer embeddings")
    assert second.size_bytes / GIB == pytest.approx(5.25, abs=0.005)


@pytest.mark.parametrize("size", SIZES)
def test_the_cache_is_an_upper_bound_of_every_way_to_share_it_out(size: str) -> None:
    """Whole layers need tokens, sliding ones the window at least; two splits of the pools by bytes are tried."""
    model = CATALOG.models[f"gemma-4-{size}-it"]
    for tokens, tensor, dtype in itertools.product((1000, 8192, 32768), (1, 2, 4), ("auto", "fp8")):
        element = 2 if dtype == "auto" else 1
        whole = model.layers // model.layers_per_global
        per_whole = 2 * element * whole * max(1, model.kv_heads_global // tensor) * model.head_dim_global
        per_sliding = token_bytes(model, tensor=tensor, element_bytes=element) - per_whole
        charged = cache_bytes(setting(size, tokens=tokens, tensor=tensor, dtype=dtype))
        window = min(tokens, model.sliding_window_tokens)
        by_token = charged * per_whole // (per_whole + per_sliding)
        by_need = charged * (per_whole * tokens) // (per_whole * tokens + per_sliding * window)
        for pool in (by_token, by_need):
            assert pool >= per_whole * tokens
            assert charged - pool >= per_sliding * window


def test_the_engines_own_sizing_leaves_the_guaranteed_requests_their_room() -> None:
    """Its cache is share x (whole - peak); the peak is anything between what is expected and the most."""
    proved = 0
    for size, tokens, concurrency in itertools.product(SIZES, (4096, 32768), (1, 4)):
        try:
            one = planned(size, "h100", f"contextLength: {tokens}", f"concurrency: {concurrency}")
        except PlanError:
            continue
        memory = one.plan.memory
        (config,) = one.workload.config
        told = json.loads(dict(config.files)["engine.json"])["kv_cache_config"]
        share, cache = told["free_gpu_memory_fraction"], sum(t.size_gib for t in memory.terms if t.kind == "kv")
        least = sum(t.size_gib for t in memory.terms if t.kind != "kv")
        for peak in (least, least + memory.uncertainty_gib):
            assert share * (memory.per_accelerator_gib - peak) >= cache - 1e-6
        assert (
            peak + share * (memory.per_accelerator_gib - peak) <= memory.have_gib + 0.001 * memory.per_accelerator_gib
        )
        proved += 1
    assert proved > 10


def test_a_prompt_as_long_as_the_context_fits_one_step() -> None:
    flags = {name: value for name, _, value in (word.partition("=") for word in planned("12b", "h100").workload.args)}
    assert flags["--max_num_tokens"] == flags["--max_seq_len"]
    assert flags["--host"] == "127.0.0.1"
    assert flags["--config"] == "/etc/servestack/engine/engine.json"


def test_its_settings_are_a_file_of_the_pod_and_other_settings_make_new_pods() -> None:
    annotations = []
    for dtype in ("auto", "fp8"):
        name = "gemma4-12b-h100-trtllm"
        engine = ENGINES["trtllm"].replace("{", f"{{kvCacheDtype: {dtype}, ")
        built = build(name, Files(**{name: endpoint("gemma-4-12b-it", "h100", "trtllm", engine)}))
        assert isinstance(built, Endpoint)
        objects, name = built.objects(), f"{name}-engine"
        config = next(one for one in objects if one["metadata"]["name"] == name)
        assert json.loads(config["data"]["engine.json"])["return_perf_metrics"] is True
        deployment = next(one for one in objects if one["kind"] == "Deployment")["spec"]["template"]
        mounts = deployment["spec"]["containers"][0]["volumeMounts"]
        assert {"name": "engine-config", "mountPath": "/etc/servestack/engine", "readOnly": True} in mounts
        assert {"name": "engine-config", "configMap": {"name": name}} in deployment["spec"]["volumes"]
        annotations.append(deployment["metadata"]["annotations"]["servestack.dev/engine-config"])
    assert len(set(annotations)) == 2


@pytest.mark.parametrize(
    ("accelerator", "more", "words"),
    [
        ("l4", (), "14942"),
        ("rtxpro6000", ("precision: nvfp4",), "17052"),
        ("h100", ("speculativeDecoding: true",), "leave it out"),
        ("h100", ("inputs: [image, text]",), "take no image"),
    ],
)
def test_what_is_known_to_fail_is_refused_with_the_number_of_the_fault(
    accelerator: str, more: tuple[str, ...], words: str
) -> None:
    with pytest.raises(PlanError, match=words):
        planned("31b" if accelerator != "l4" else "e4b", accelerator, *more)
