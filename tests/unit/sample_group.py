"""A plan written by hand with all that a page shows of serving: several machines, gateway, scaling, adapters."""

from __future__ import annotations

import dataclasses

from infra.plan.exposure import ClientPods, Entrance, Exposure
from infra.plan.scaling import Pace, Scaling, ScheduledMinimum
from infra.plan.serving_plan import AdapterChoice, Parallelism, Rollout, ServingPlan
from infra.plan.signals import Signal
from infra.plan.watching import Watch
from infra.plan.weights_source import Download, WeightsChoice
from tests.unit.sample_plans import rung, simple

# Rows of a page that `group()` has and `simple()` has not: subject, and words of its row.
SERVING = {
    "Machines of one replica": "2 x g2-standard-48, 4 x l4 on each",
    "Adapters": "bot: example/bot-lora at 0123456789ab, rank 16",
    "Gateway": "https://gemma.example.com, external, gke-l7-regional-external-managed; answers of at most 5\u00a0min",
    "Routing": "inference-pool: an endpoint picker chooses the replica; without it: FailOpen",
    "Scaling": "1 to 3 replicas by keda, per replica: queue 4 (follow, vllm:num_requests_waiting)",
    "Pace of scaling": "1 replica per 1\u00a0min, after 30\u00a0s; down 2 replicas per 2\u00a0min, after 10\u00a0min",
    "Schedule": "at least 2 replicas from 0 8 * * 1-5 to 0 18 * * 1-5, Europe/Berlin",
}


def group() -> ServingPlan:
    """One to three replicas of two machines each, open to a namespace without a key, behind a gateway."""
    base = simple()
    plan = dataclasses.replace(
        base,
        stack="gemma4-31b-group",
        accelerator=dataclasses.replace(base.accelerator, count=8, nodes=2, machine_type="g2-standard-48"),
        parallelism=Parallelism(4, 2, 1),
        min_replicas=1,
        replicas=3,
        rollout=Rollout("surge", "RollingUpdate", 1, 0, 1, "none: a new pod answers first", 0, 10, 700, 310, 700),
        access=dataclasses.replace(base.access, authentication="none", secret=""),
        exposure=Exposure(
            gateway=Entrance(
                hostname="gemma.example.com",
                scope="external",
                gateway_class="gke-l7-regional-external-managed",
                certificate_secret="gemma-tls",
                certificate_map=None,
                name="gemma4-31b-group",
                namespace="gemma4-31b-group",
                listener="https",
                source_ranges=("10.0.0.0/23",),
                timeout_seconds=300,
                draining_seconds=120,
                url="https://gemma.example.com",
            ),
            routing="inference-pool",
            failure_mode="FailOpen",
            picker_image="example.com/picker:v1",
            clients=(ClientPods("search", (("app", "bot"),)),),
        ),
        scaling=Scaling(
            autoscaler="keda",
            prometheus_url="http://prometheus.monitoring:9090",
            signals=(
                Signal("queue", "vllm:num_requests_waiting", 4.0, "follow", "throughput first"),
                Signal("kv-cache", "vllm:kv_cache_usage_perc", 0.85, "guard", "no preemption"),
            ),
            up=Pace(30, 1, 60),
            down=Pace(600, 2, 120),
            schedule=(ScheduledMinimum("0 8 * * 1-5", "0 18 * * 1-5", "Europe/Berlin", 2),),
            idle_seconds=None,
        ),
        watch=Watch("prometheus-operator", "monitoring", (), 15, None, "said in the platform's file", "platform"),
        weights=WeightsChoice(
            "hugging-face",
            "/cache/weights/model",
            "",
            "/cache/weights/drafter",
            (
                Download("example/model", "4f1c0e1a9f0d7a5b", "/cache/weights/model", ()),
                Download("example/drafter", "main", "/cache/weights/drafter", ()),
                Download("example/bot-lora", "0123456789abcdef", "/cache/weights/adapters/bot", ()),
            ),
        ),
        adapters=(AdapterChoice("bot", "example/bot-lora", "0123456789abcdef", 16),),
        cautions=("no key is asked for", "not pinned: example/drafter at what branch main is when it is fetched"),
    )
    return dataclasses.replace(plan, ladder=(rung(plan, "on-demand", 8.0, nodes=2),))
