"""Whatever a stack file says, it is planned or refused in words: no traceback.

`SERVESTACK_SPECS=100000` makes the run as long as the claim in benchmarks/README.md.
"""

from __future__ import annotations

import json
import os
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.catalog.loader import load_catalog
from infra.errors import PlanError, SpecError
from infra.fleet_report import fleet_text
from infra.judgement import subject
from infra.managed_report import endpoint_text
from infra.naming import base_name
from infra.pipeline import Endpoint, ManagedEndpoint, build
from infra.policy import violations
from infra.report import explain_text, plan_text
from infra.spec import Accelerator, EndpointSpec
from infra.spec.fields import CAPACITIES
from tests.unit.files import HOST, PLATFORM, Files

CATALOG = load_catalog()
EXAMPLES = int(os.environ.get("SERVESTACK_SPECS", "1500"))
LOCAL = "apiVersion: servestack/v1\nkind: Platform\nlocal: {memoryGiB: 32}\n"
BARE = "apiVersion: servestack/v1\nkind: Platform\nlocal: {}\n"
PRECISIONS = sorted({one.precision for model in CATALOG.models.values() for one in model.checkpoints})
REPOSITORIES = sorted({one.repository for model in CATALOG.models.values() for one in model.checkpoints})
KV = ["auto", "bf16", "f16", "f32", "fp8", "int4", "int8", "iq4_nl", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0"]
SIZES = st.sampled_from([1, 2, 3, 4, 7, 8, 16, 32, 64])
TOKENS = st.one_of(st.integers(256, 262144), st.sampled_from([256, 8192, 32768, 131072, 262144]))
ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12), st.lists(st.integers(), max_size=2)
)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly right values; one in twenty is anything."""
    return st.integers(0, 19).flatmap(lambda dice: ODD if dice == 0 else strategy)


ENGINE = st.fixed_dictionaries(
    {},
    optional={
        "version": maybe(st.sampled_from(["0.33.0", "0.28.0", "0.27.1", "b11434", "1.3.0rc26", "latest"])),
        "channel": maybe(st.sampled_from(["experimental", "experimental", "stable"])),
        "registrySecret": maybe(st.sampled_from(["ngc-registry", "-", {"secretManager": "ngc"}])),
        "apiKeySecret": maybe(st.sampled_from(["ngc-key", {"secretManager": "projects/example-shared/secrets/ngc"}])),
        "tensorParallelSize": maybe(SIZES),
        "pipelineParallelSize": maybe(st.integers(1, 16)),
        "dataParallelSize": maybe(SIZES),
        "maxNumBatchedTokens": maybe(st.integers(256, 131072)),
        "microBatchTokens": maybe(st.integers(32, 2048)),
        "unifiedSlots": maybe(st.booleans()),
        "gpuMemoryUtilization": maybe(st.floats(0.1, 0.98)),
        "kvCacheDtype": maybe(st.sampled_from(KV)),
        "args": maybe(st.lists(st.sampled_from(["--seed=7", "--model=x", "--no-slots", "--api-key=k"]), max_size=2)),
    },
)
EXPOSED = [
    {"authentication": "none", "reason": "callers are in one namespace"},
    {"authentication": "none"},
    {"authentication": "key", "keySecret": "team-keys"},
    {"keySecret": "-"},
    {
        "keySecret": {
            "current": {"secretManager": "keys", "version": 1},
            "next": {"secretManager": "keys", "version": 2},
        }
    },
    {"keySecret": {"current": {"secretManager": "../keys", "version": "newest"}}},
    {"reason": "callers are in one namespace"},
    {"gateway": {"hostname": "g.example.com", "scope": "external", "certificate": {"map": "m"}}},
    {"gateway": {"hostname": "g.example.com", "scope": "internal", "certificate": {"secret": "s"}}},
    {
        "gateway": {"hostname": "g.example.com", "scope": "external", "certificate": {"secret": "s"}},
        "routing": "inference-pool",
    },
    {"gateway": {"hostname": "-", "scope": "external", "shared": {"name": "a", "namespace": "b"}}},
    {"clients": [{"namespace": "search", "labels": {"app": "bot"}}, {"namespace": "notebooks"}]},
    {"clients": [{"labels": {"app": "bot"}}]},
]
KEDA = PLATFORM + "autoscaler: keda\nprometheus: {url: http://prometheus.monitoring:9090}\n"
ADD_ON = KEDA + "httpAddOn: true\n"
CRON = st.sampled_from(["0 7 * * 1-5", "*/5 8-18 1,15 jan-mar ?", "0 0 31 2 *", "0 24 * * *", "@daily", "0 7 * * 7"])
HOURS = st.fixed_dictionaries(
    {
        "start": CRON,
        "end": st.one_of(CRON, st.just("30 19 * * *")),
        "timezone": st.sampled_from(["Europe/Berlin", "UTC", "Mars/Olympus", "../etc/passwd"]),
        "min": st.integers(0, 9),
    }
)
SCALING = st.fixed_dictionaries(
    {},
    optional={
        "metric": st.sampled_from(["queue", "running", "kv-cache", "cpu"]),
        "target": st.one_of(st.integers(-1, 2000), st.floats(0, 300)),
        "schedule": st.lists(HOURS, max_size=2),
    },
)
ADAPTER = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["support", "legal"]),
        "repository": st.just("example/lora"),
        "revision": st.just("0" * 40),
        "rank": st.sampled_from([8, 16, 24, 512]),
    }
)
CAPACITY = st.one_of(st.sampled_from(CAPACITIES), st.just({"reservation": "gpus"}), st.just({"reservation": "-"}))
NODE_POOL = st.fixed_dictionaries(
    {},
    optional={
        "driverVersion": maybe(st.sampled_from(["default", "latest"])),
        "imageStreaming": maybe(st.booleans()),
        "localSsds": maybe(st.sampled_from([0, 1, 2, 4, 8, 33])),
        "maxRunSeconds": maybe(st.sampled_from([30, 600, 604_800, 604_801, 10_368_001])),
        "bootDiskGb": maybe(st.sampled_from([50, 100, 500])),
    },
)
MORE = st.fixed_dictionaries(
    {},
    optional={
        "contextLength": maybe(TOKENS),
        "concurrency": maybe(st.integers(1, 1024)),
        "inputs": maybe(st.lists(st.sampled_from(["audio", "image", "text", "video"]), min_size=1, max_size=4)),
        "tools": maybe(st.booleans()),
        "reasoning": maybe(st.booleans()),
        "speculativeDecoding": maybe(st.booleans()),
        "nodePool": maybe(NODE_POOL),
        "capacity": maybe(st.lists(CAPACITY, min_size=1, max_size=4)),
        "replicas": maybe(
            st.fixed_dictionaries(
                {}, optional={"min": st.integers(0, 9), "max": st.integers(1, 9), "spare": st.integers(0, 3)}
            )
        ),
        "media": maybe(st.sampled_from([{"domains": ["images.example.com"]}, {"domains": ["localhost"]}, {}])),
        "adapters": maybe(st.lists(ADAPTER, max_size=3)),
        "scaling": maybe(SCALING),
        "weights": maybe(
            st.fixed_dictionaries(
                {},
                optional={
                    "source": st.sampled_from(["gcs", "hugging-face", "pvc"]),
                    "checkpoint": st.sampled_from(REPOSITORIES),
                    "revision": st.just("0" * 40),
                    "tokenSecret": st.sampled_from(["hub-token", "-", {"secretManager": "hub"}, {"secretManager": ""}]),
                    "claim": st.just("weights"),
                    "accessMode": st.sampled_from(["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce"]),
                    "bucket": st.sampled_from(["models", "Models"]),
                    "path": st.sampled_from(["gemma/bf16", "../etc", "/etc"]),
                    "serviceAccount": st.just("models@example-prod.iam.gserviceaccount.com"),
                },
            )
        ),
        "longestAnswerSeconds": maybe(st.integers(1, 3600)),
        "startupTimeoutSeconds": maybe(st.integers(10, 14400)),
        "budgetUsdPerMonth": maybe(st.floats(1, 1e6)),
        "labels": maybe(st.dictionaries(st.sampled_from(["team", "cost-centre"]), st.sampled_from(["a", "b"]))),
        "expose": maybe(st.sampled_from(EXPOSED)),
        "engine": maybe(ENGINE),
    },
)


@st.composite
def specs(draw: st.DrawFn) -> tuple[str, str]:
    """Name and text of a stack file."""
    model, accelerator = (
        draw(st.sampled_from(sorted(CATALOG.models))),
        draw(st.sampled_from(sorted(CATALOG.accelerators))),
    )
    framework, precision = draw(st.sampled_from(sorted(CATALOG.frameworks))), draw(st.sampled_from([None, *PRECISIONS]))
    kind = CATALOG.accelerators[accelerator].kind
    platform = draw(
        st.sampled_from(
            {"apple": ["mac", "here", "dev"], "cpu": ["dev", "here", "bare"]}.get(kind, ["dev", "keda", "addon"])
        )
    )
    count = draw(st.one_of(st.none(), SIZES))
    values: dict[str, Any] = {
        "apiVersion": "servestack/v1",
        "kind": "Endpoint",
        "platform": platform,
        "model": model,
        "accelerator": accelerator if count is None else {"type": accelerator, "count": count},
        "framework": framework,
        **({"precision": precision} if precision else {}),
        **draw(MORE),
    }
    spec = EndpointSpec.model_construct(
        model=model, accelerator=Accelerator(type=accelerator), framework=framework, precision=precision
    )
    return base_name(spec, CATALOG), yaml.safe_dump(values, sort_keys=False)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(specs())
def test_every_generated_spec_is_planned_or_refused_in_words(case: tuple[str, str]) -> None:
    name, text = case
    try:
        built = build(
            name, Files(**{name: text, "mac": HOST, "here": LOCAL, "bare": BARE, "keda": KEDA, "addon": ADD_ON})
        )
    except (PlanError, SpecError) as refused:
        assert str(refused).startswith("stacks/")
        assert "Traceback" not in str(refused)
        return
    if isinstance(built, ManagedEndpoint):  # rare here: tests/unit/test_managed_plans.py makes them on purpose
        assert all(len(line) <= 80 for line in endpoint_text(built.plan, explain=True).splitlines())
        return
    assert isinstance(built, Endpoint)
    plan = built.plan
    assert plan.memory.need_gib <= plan.memory.have_gib
    if plan.scaling:
        assert plan.scaling.down.window_seconds >= min(plan.timing.startup_seconds, 3600)
        assert plan.scaling.down.period_seconds >= min(plan.timing.grace_seconds, 1800)
        assert plan.scaling.up.period_seconds >= min(plan.timing.startup_seconds, 1800)
        assert all(one.target > 0 for one in plan.scaling.signals)
    assert all(len(line) <= 80 for line in plan_text(plan).splitlines() if len(line.split()) > 3)
    assert explain_text(plan)
    assert all(len(line) <= 80 for line in fleet_text([plan]).splitlines())
    assert json.loads(json.dumps(plan.to_json(), allow_nan=False))
    if plan.only_planned:
        try:
            built.objects()
        except PlanError as refused:
            assert "does not deploy" in str(refused)
        else:
            raise AssertionError("rendered although it is only planned")
    elif built.mac is None:  # a host has no objects to judge
        broken = [(rule.name, str(found)) for rule, found in violations(subject(built))]
        late = plan.timing.timeout_seconds < plan.timing.startup_seconds  # the file's own wish, and a caution
        assert not [one for one in broken if not (late and one[0] == "start-up-budget")]
