"""Stack files of endpoints that Google runs, as generated for tests: most wrong in something, others sound."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import strategies as st

from infra.catalog.loader import load_catalog
from infra.naming import base_name
from infra.pipeline import ManagedEndpoint, build
from infra.spec import Accelerator, EndpointSpec, Vertex
from infra.spec.fields import CAPACITIES
from tests.conftest import ROOT
from tests.unit.files import HOST, Files
from tests.unit.managed_rules import OFFERS

CATALOG = load_catalog()
LONG = "a-project-with-a-name-of-thirt"
LONG_NAMED = (
    f"apiVersion: servestack/v1\nkind: Platform\ngoogle: {{project: {LONG}, location: northamerica-northeast1}}\n"
)
LAB = (ROOT / "tests" / "examples" / "refused" / "lab.yaml").read_text(encoding="utf-8")
LABELLED = f"""\
apiVersion: servestack/v1
kind: Platform
gke: {{project: {LONG}, location: us-central1, cluster: {{name: own}}}}
labels: {{team: search}}
"""
PLATFORMS = {"cloud": LONG_NAMED, "lab": LAB, "mac": HOST, "own": LABELLED}
ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12), st.lists(st.integers(), max_size=2)
)
NAMES = st.one_of(
    st.sampled_from(["search", "bot", "x" * 63, "a", "kube-system", "-", "", "../x", "A b", "x\n", "{{ x }}"]),
    st.text(max_size=12),
)
CALLERS = st.lists(st.fixed_dictionaries({"namespace": NAMES, "serviceAccount": NAMES}), max_size=3)
SOUND_CALLERS = st.lists(
    st.fixed_dictionaries(
        {
            "namespace": st.from_regex(r"\A[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z"),
            "serviceAccount": st.from_regex(r"\A[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z"),
        }
    ),
    max_size=4,
    unique_by=lambda one: (one["namespace"], one["serviceAccount"]),
)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly right values; one in twenty is anything."""
    return st.integers(0, 19).flatmap(lambda dice: ODD if dice == 0 else strategy)


AUTOSCALING = st.fixed_dictionaries(
    {"metric": st.sampled_from(["accelerator", "cpu", "requests"])},
    optional={"target": st.sampled_from([0, 1, 60, 100, 101, 100_000])},
)
VERTEX = st.fixed_dictionaries(
    {},
    optional={
        "serverless": maybe(st.booleans()),
        "provider": maybe(st.sampled_from(["native", "sdk"])),
        "container": maybe(st.sampled_from(["planned", "verified"])),
        "acceptLicence": maybe(st.booleans()),
        "autoscaling": maybe(AUTOSCALING),
        "reservationZone": maybe(
            st.sampled_from(["us-central1-a", "northamerica-northeast1-b", "us-central1", "../x"])
        ),
        "maxRunSeconds": maybe(st.sampled_from([0, 600, 86_400, 604_800, 10_000_000])),
    },
)
IMAGE = "registry.example.com/team/vllm:0.33.0"
SOUND_ENGINE: dict[str, st.SearchStrategy[Any]] = {
    "image": st.just(IMAGE),
    "tensorParallelSize": st.sampled_from([1, 1, 2]),
    "maxNumBatchedTokens": st.sampled_from([1024, 2496, 4096, 8192, 20_000]),
    "gpuMemoryUtilization": st.floats(0.7, 0.98),
    "kvCacheDtype": st.sampled_from(["auto", "fp8"]),
}
WRONG_ENGINE: dict[str, st.SearchStrategy[Any]] = {
    "image": st.sampled_from([IMAGE, "x:latest", "a/b@sha256:" + "0" * 64, "$(id)"]),
    "tensorParallelSize": st.sampled_from([1, 2, 64]),
    "maxNumBatchedTokens": st.integers(256, 131072),
    "gpuMemoryUtilization": st.floats(0.1, 0.98),
    "kvCacheDtype": st.sampled_from(["auto", "fp8", "q8_0"]),
}
ENGINE = st.fixed_dictionaries({}, optional={key: maybe(value) for key, value in WRONG_ENGINE.items()})
ANY_ENGINE = st.one_of(ENGINE, st.just({"version": "0.33.0"}), st.just({"args": ["--seed=7"]}))
MORE = st.fixed_dictionaries(
    {},
    optional={
        "accelerator": maybe(
            st.one_of(
                st.sampled_from(sorted(CATALOG.accelerators)),
                st.fixed_dictionaries({"type": st.just("h100"), "count": st.sampled_from([1, 2, 8])}),
            )
        ),
        "precision": maybe(st.sampled_from(["bf16", "fp8", "q4_0"])),
        "contextLength": maybe(st.one_of(st.integers(256, 262144), st.sampled_from([256, 8192, 131072, 262144]))),
        "concurrency": maybe(st.integers(1, 1024)),
        "inputs": maybe(st.lists(st.sampled_from(["audio", "image", "text", "video"]), min_size=1, max_size=4)),
        "tools": maybe(st.booleans()),
        "reasoning": maybe(st.booleans()),
        "capacity": maybe(st.lists(st.sampled_from([*CAPACITIES, {"reservation": "gpus"}]), min_size=1, max_size=2)),
        "replicas": maybe(
            st.fixed_dictionaries(
                {}, optional={"min": st.integers(0, 4), "max": st.integers(1, 4), "spare": st.just(1)}
            )
        ),
        "startupTimeoutSeconds": maybe(st.integers(10, 14400)),
        "budgetUsdPerMonth": maybe(st.floats(1, 1e6)),
        "labels": maybe(st.dictionaries(st.sampled_from(["team", "cost-centre"]), st.sampled_from(["a", "b"]))),
        "engine": maybe(ANY_ENGINE),
        "vertex": maybe(VERTEX),
        "callers": maybe(CALLERS),
        "expectedRequestsPerMinute": maybe(st.integers(1, 1_000_000)),
        "expose": st.just({"authentication": "key"}),
        "nodePool": st.just({"bootDiskGb": 100}),
    },
)


def name_of(values: dict[str, Any]) -> str:
    """Name that follows from a file, as far as its words can be read."""
    vertex = values.get("vertex")
    serverless = isinstance(vertex, dict) and vertex.get("serverless") is True
    precision = values.get("precision")
    spec = EndpointSpec.model_construct(
        model=values["model"],
        accelerator=Accelerator(type="l4"),
        framework=values["framework"],
        vertex=Vertex(serverless=serverless),
        precision=precision if isinstance(precision, str) else None,
    )
    return base_name(spec, CATALOG)


def planned(values: dict[str, Any]) -> ManagedEndpoint:
    """What follows from a file of these values."""
    values = {"apiVersion": "servestack/v1", "kind": "Endpoint", "platform": "cloud", **values}
    name = name_of(values)
    built = build(name, Files(**{name: yaml.safe_dump(values, sort_keys=False), **PLATFORMS}))
    assert isinstance(built, ManagedEndpoint)
    return built


# Keys that a file of a service may have; the others are drawn for one file in five.
_ANYWHERE = {"inputs", "tools", "reasoning", "contextLength", "labels", "callers"}
KEYS = {
    "gemini": _ANYWHERE | {"expectedRequestsPerMinute"},
    "serverless": _ANYWHERE | {"expectedRequestsPerMinute"},
    "model-garden": _ANYWHERE
    | {"precision", "concurrency", "capacity", "replicas", "budgetUsdPerMonth", "startupTimeoutSeconds", "engine"}
    | {"vertex"},
}


@st.composite
def files(draw: st.DrawFn) -> dict[str, Any]:
    """A file of a managed framework, wrong in something more often than not."""
    service = draw(st.sampled_from(["gemini", "serverless", "model-garden", "model-garden"]))
    more = draw(MORE)
    if draw(st.integers(0, 4)):
        more = {key: value for key, value in more.items() if key in KEYS[service]}
    kept = dict(draw(st.permutations(sorted(more.items(), key=str)))[: draw(st.integers(0, 4))])
    size = draw(st.sampled_from(["26b-a4b-it", "31b-it", "26b-a4b-it", "31b-it", "e4b-it", "12b-it", "e2b-it", "31b"]))
    values: dict[str, Any] = {
        "model": f"gemma-4-{size}",
        "platform": draw(st.sampled_from(["cloud", "dev", "own", "dev", "cloud", "dev", "own", "lab", "mac"])),
        "framework": "gemini" if service == "gemini" else "vertex",
    }
    if service == "model-garden":
        values["accelerator"] = draw(st.sampled_from(["h100", "rtxpro6000", "h100", "rtxpro6000", "a100-80gb", "l4"]))
    if service == "serverless":
        values["vertex"] = {"serverless": True}
    return values | kept


@st.composite
def deployments(draw: st.DrawFn) -> dict[str, Any]:
    """A file of Model Garden with an offer that is marked, and otherwise what may fit or not."""
    model, accelerator, _ = draw(st.sampled_from([one for one in OFFERS if one[0] != "gemma-4-12b-it"]))
    least = draw(st.integers(1, 3))
    more = draw(
        st.fixed_dictionaries(
            {"replicas": st.just({"min": least, "max": least + draw(st.integers(0, 3))})},
            optional={
                "contextLength": st.integers(256, 40_000),
                "concurrency": st.integers(1, 8),
                "inputs": st.sampled_from([["text"], ["image", "text"]]),
                "tools": st.booleans(),
                "reasoning": st.booleans(),
                "capacity": st.sampled_from([["spot"], ["flex-start"], ["on-demand"]]),
                "engine": st.fixed_dictionaries({}, optional=SOUND_ENGINE),
            },
        )
    )
    if draw(st.integers(0, 9)) == 0:
        more |= {"capacity": [{"reservation": "gpus"}], "vertex": {"reservationZone": "northamerica-northeast1-b"}}
    return {"model": model, "accelerator": accelerator, "framework": "vertex", **more}
