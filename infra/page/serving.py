"""How an endpoint is served and run, subject by subject: rows for what a plan has, none for what it has not."""

from __future__ import annotations

from collections.abc import Iterator

from infra.page import numbers
from infra.plan.exposure import ClientPods, Entrance
from infra.plan.identity import rights_text
from infra.plan.scaling import Pace, Scaling
from infra.plan.serving_plan import ServingPlan
from infra.plan.signals import Signal
from infra.plan.watching import NONE
from infra.plan.weights_source import Download

_COMMIT_DIGITS = 12


def rows(plan: ServingPlan) -> tuple[tuple[str, str], ...]:
    """Subject and what the plan says of it, in the order of the page."""
    return tuple(_rows(plan))


def _rows(plan: ServingPlan) -> Iterator[tuple[str, str]]:
    own = plan.accelerator.capacity == "own" and not plan.accelerator.node_labels
    if plan.accelerator.nodes > 1:
        yield "Machines of one replica", _machines(plan)
    yield "Source of the weights", _weights(plan)
    yield "First token", plan.timing.first_token_text
    if plan.adapters:
        yield "Adapters", _adapters(plan)
    if not own:
        yield "Access", _access(plan)
    if plan.exposure.gateway is not None:
        yield "Gateway", _gateway(plan.exposure.gateway)
        yield "Routing", _routing(plan)
    if plan.scaling is not None:
        yield from _scaling(plan, plan.scaling)
    yield "Roll-out", _rollout(plan, own)
    if plan.node_pools.pools:
        yield "Machines", plan.node_pools.text
    if plan.grants:
        yield "Rights", rights_text(plan.stack, plan.grants)
    yield "Watching", _watching(plan)


def _machines(plan: ServingPlan) -> str:
    accelerator, parallel = plan.accelerator, plan.parallelism
    split = f"tensor {parallel.tensor} x pipeline {parallel.pipeline} x data {parallel.data}"
    return f"{accelerator.machines}, {accelerator.per_node} x {accelerator.type} on each; split {split}"


def _weights(plan: ServingPlan) -> str:
    choice, size = plan.weights, f"{plan.timing.weights_bytes / 1e9:,.2f} GB, loaded once per replica"
    if choice.claim:
        found = f"claim {choice.claim} ({choice.access_mode}), folder {choice.folder}; as they are there, not pinned"
    elif choice.bucket:
        account = f" as {choice.service_account}" if choice.service_account else ""
        found = f"gs://{choice.bucket}/{choice.folder}, mounted{account}; as they are there, not pinned"
    elif choice.source == "engine":
        found = "fetched by the engine itself"
    else:
        token = f", with the token of Secret {choice.token_secret}" if choice.token_secret else ""
        adapters = {one.repository for one in plan.adapters}
        fetched = (
            ", ".join(_download(one) for one in choice.downloads if one.repository not in adapters)
            or plan.model.checkpoint
        )
        found = f"fetched from the hub by every pod{token}: {fetched}"
    return f"{found}; {size}"


def _download(one: Download) -> str:
    if one.pinned:
        return f"{one.repository} at commit {one.revision[:_COMMIT_DIGITS]} (pinned)"
    return f"{one.repository} at branch {one.revision} (not pinned)"


def _adapters(plan: ServingPlan) -> str:
    return "; ".join(
        f"{one.name}: {one.repository} at {one.revision[:_COMMIT_DIGITS]}, rank {one.rank}" for one in plan.adapters
    )


def _access(plan: ServingPlan) -> str:
    access = plan.access
    key = "no key is asked for" if access.authentication == "none" else f"a key of Secret {access.secret}"
    pods = "; ".join([f"pods with the label servestack.dev/client-of: {plan.stack}", *_clients(plan.exposure.clients)])
    return f"{key}; on the network: {pods}"


def _clients(clients: tuple[ClientPods, ...]) -> Iterator[str]:
    for one in clients:
        labels = ", ".join(f"{name}: {value}" for name, value in one.labels)
        yield f"pods of namespace {one.namespace} with {labels}" if labels else f"all pods of namespace {one.namespace}"


def _gateway(gateway: Entrance) -> str:
    made = gateway.gateway_class or f"the platform's Gateway {gateway.namespace}/{gateway.name}"
    return f"{gateway.url}, {gateway.scope}, {made}; answers of at most {numbers.duration(gateway.timeout_seconds)}"


def _routing(plan: ServingPlan) -> str:
    exposure = plan.exposure
    if exposure.routing != "inference-pool":
        return f"{exposure.routing}: the load balancer chooses the replica"
    failing = f"; without it: {exposure.failure_mode}" if exposure.failure_mode else ""
    return f"{exposure.routing}: an endpoint picker chooses the replica{failing}"


def _scaling(plan: ServingPlan, scaling: Scaling) -> Iterator[tuple[str, str]]:
    bounds = f"{plan.min_replicas:,} to {numbers.count(plan.replicas, 'replica')} by {scaling.autoscaler}"
    yield "Scaling", f"{bounds}, per replica: {'; '.join(map(_signal, scaling.signals))}"
    pace = [f"up {_pace(scaling.up)}", f"down {_pace(scaling.down)}"]
    if scaling.idle_seconds is not None:
        pace.append(f"the last goes after {numbers.duration(scaling.idle_seconds)} without a request")
    yield "Pace of scaling", "; ".join(pace)
    if scaling.schedule:
        floors = (
            f"at least {numbers.count(one.min_replicas, 'replica')} from {one.start} to {one.end}, {one.timezone}"
            for one in scaling.schedule
        )
        yield "Schedule", "; ".join(floors)


def _signal(one: Signal) -> str:
    return f"{one.name} {one.target:g} ({', '.join(filter(None, (one.role, one.metric)))})"


def _pace(pace: Pace) -> str:
    window, period = numbers.duration(pace.window_seconds), numbers.duration(pace.period_seconds)
    return f"{numbers.count(pace.pods, 'replica')} per {period}, after {window}"


def _rollout(plan: ServingPlan, own: bool) -> str:
    rollout = plan.rollout
    takes = f"{numbers.duration(rollout.duration_seconds)}, given up after {numbers.duration(rollout.timeout_seconds)}"
    spare = 0 if own else (rollout.max_surge or 0) * plan.accelerator.nodes
    machines = f"; {numbers.count(plan.machines, 'machine')} at most, {spare} of them spare" if spare else ""
    return f"{rollout.strategy}; downtime {rollout.downtime}{machines}; takes about {takes}"


def _watching(plan: ServingPlan) -> str:
    watch = plan.watch
    if watch.kind == NONE:
        return f"by nobody: {watch.why}"
    place = f" in namespace {watch.namespace}" if watch.namespace else ""
    return f"{watch.kind}{place}, every {numbers.duration(watch.interval_seconds)}: {watch.why}"
