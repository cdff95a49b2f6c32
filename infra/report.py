"""Plans as text of at most 80 columns."""

from __future__ import annotations

from infra.bars import bar
from infra.catalog.loader import load_catalog
from infra.plan.exposure import Entrance
from infra.plan.fit import gib_text
from infra.plan.identity import rights_text
from infra.plan.managed import ManagedPlan
from infra.plan.quantities import Memory
from infra.plan.scaling import Scaling
from infra.plan.serving_plan import Rung, ServingPlan
from infra.plan.synced_secrets import secret_commands
from infra.text import WIDTH, counted, short_image, wrapped

LABEL = 14


def plan_text(plan: ServingPlan) -> str:
    """The plan in a few lines."""
    context, timing = plan.context, plan.timing
    framework = load_catalog().frameworks[plan.framework.name].display_name
    drafter = f", drafter {plan.model.drafter}" if plan.model.drafter else ""
    names = ", ".join(one.name for one in plan.adapters)
    adapters = f"; adapters {names}" if names else ""
    image = f", {short_image(plan.framework.image)}" if plan.framework.image else ""
    rows = [
        ("model", f"{plan.model.id}, {', '.join(plan.inputs)}"),
        ("checkpoint", f"{plan.model.checkpoint} ({plan.precision}){drafter}{adapters}"),
        ("weights", _weights_text(plan)),
        ("framework", f"{framework} {plan.framework.version}{image}"),
        ("accelerator", _machine_text(plan)),
        (
            "context",
            f"{context.max_model_len:,} tokens, {counted(context.concurrency, 'full request')} guaranteed at once; "
            f"at this length {plan.memory.max_concurrent_requests:,} fit, at this number "
            f"{plan.memory.max_context_tokens:,} tokens",
        ),
    ]
    lines = [row(label, text) for label, text in rows] + memory_lines(plan.memory, context.concurrency)
    rows = [
        (
            "start-up",
            f"about {timing.startup_seconds:,} s{'' if plan.accelerator.capacity == 'own' else ' from an empty pool'}, "
            f"given up after {timing.timeout_seconds:,} s",
        ),
        ("", "; ".join(f"{term.name} {term.seconds:,.0f} s" for term in timing.startup_terms)),
        ("first token", timing.first_token_text),
        ("stop", _stop_text(plan)),
        ("cost", cost_text(plan)),
    ]
    lines += [row(label, text) for label, text in rows]
    lines += [row("ladder" if index == 0 else "", _rung_text(index, rung)) for index, rung in _ladder(plan)]
    if plan.accelerator.capacity != "own" or plan.accelerator.node_labels:
        lines.append(row("access", _access_text(plan)))
    if plan.grants:
        lines.append(row("rights", rights_text(plan.stack, plan.grants)))
    if plan.exposure.gateway is not None:
        lines.append(row("gateway", _gateway_text(plan.exposure.gateway, plan.exposure.routing)))
    if plan.scaling is not None:
        lines.append(row("scaling", scaling_text(plan.scaling)))
    lines.append(row("roll-out", f"{plan.rollout.strategy}; downtime {plan.rollout.downtime}"))
    if plan.node_pools.pools:
        lines.append(row("node pools" if len(plan.node_pools.pools) > 1 else "node pool", plan.node_pools.text))
    lines += [row("caution", one) for one in plan.cautions]
    if plan.only_planned:
        lines.append(row("deploy", f"not by this version: {', '.join(plan.only_planned)}"))
    return "\n".join([f"{plan.stack} on platform {plan.platform}", *lines]) + "\n"


def cost_text(plan: ServingPlan | ManagedPlan) -> str:
    """Cost per hour and month, and which price it is."""
    cost = plan.cost
    if cost.hourly_usd is None:
        return f"unknown: {cost.basis}"
    least, most = cost.monthly_usd_min or 0, cost.monthly_usd_max
    month = f"{least:,.0f}"
    if most is None or round(most) != round(least):
        month += f" to {'an unknown sum' if most is None else f'{most:,.0f}'}"
    tokens = cost.usd_per_million_output_tokens
    per_token = "" if tokens is None else f"; {tokens:.2f} per million output tokens ({cost.tokens_basis})"
    hour = f"{cost.hourly_usd:,.2f} USD per hour"
    if plan.min_replicas != plan.replicas:
        hour += f" at {counted(plan.replicas, 'replica')}"
    return f"{hour}, {month} per month{per_token}; {cost.basis}"


def explain_text(plan: ServingPlan) -> str:
    """Every decision with who made it and why."""
    lines = []
    for decision in plan.decisions:
        lines.append(wrapped(f"{decision.field} = {decision.value}", "", "    "))
        lines.append(wrapped(f"{decision.origin}: {decision.reason}", "    ", "    "))
    lines += ["memory per accelerator, GiB, with what may come on top:"]
    for term in plan.memory.terms:
        size = f"{gib_text(term.size_gib)} + {gib_text(term.uncertainty_gib)}"
        lines.append(wrapped(f"{term.kind}: {term.name} = {size}: {term.source}", "    ", "        "))
    commands = secret_commands(plan.synced_secrets)
    if commands:
        lines += ["commands that make secrets, with values that only you have:", *(f"    {one}" for one in commands)]
    lines += ["time, seconds:"]
    for part in (*plan.timing.startup_terms, *plan.timing.stop_terms):
        lines.append(wrapped(f"{part.name} = {part.seconds:,.0f}: {part.basis}", "    ", "        "))
    return "\n".join(lines) + "\n"


def _machine_text(plan: ServingPlan) -> str:
    accelerator, parallel = plan.accelerator, plan.parallelism
    if accelerator.capacity == "own" and not accelerator.node_labels:
        return f"{accelerator.type}, the platform's own machine"
    sizes = (("tensor", parallel.tensor), ("pipeline", parallel.pipeline), ("data", parallel.data))
    split = ", ".join(f"{name} parallel size {size}" for name, size in sizes if name == "tensor" or size > 1)
    replicas = counted(plan.replicas, "replica")
    if plan.min_replicas != plan.replicas:
        replicas = f"{plan.min_replicas} to {replicas}"
    bought = f"reservation {accelerator.reservation}" if accelerator.reservation else accelerator.capacity
    return (
        f"{accelerator.count} x {accelerator.type} per replica on {accelerator.machines}, {bought}; {split}; {replicas}"
    )


def _weights_text(plan: ServingPlan) -> str:
    choice = plan.weights
    if choice.claim:
        return f"read from claim {choice.claim} ({choice.access_mode}), folder {choice.folder}"
    if choice.bucket:
        return f"read from gs://{choice.bucket}/{choice.folder} by Cloud Storage FUSE"
    if choice.source == "engine":
        return "fetched by the engine itself"
    if choice.source in ("file", "tiny"):
        return f"{'made on this machine' if choice.source == 'tiny' else 'read'} at {choice.model_path}"
    if plan.accelerator.capacity == "own" and not plan.accelerator.node_labels:
        return f"fetched from the hub at {choice.downloads[0].revision[:12]}, checked, and kept on the machine"
    return f"fetched from the hub at {choice.downloads[0].revision[:12]}, checked, then read from the pod's own disk"


def memory_lines(memory: Memory, concurrency: int) -> list[str]:
    """The proof: need and have, a bar, and what its letters are."""
    promised = min(memory.kv_cache_gib, concurrency * memory.kv_cache_per_request_gib)
    parts = [
        ("W", memory.weights_gib),
        ("K", promised),
        ("k", memory.kv_cache_gib - promised),
        ("o", memory.overhead_gib),
        (".", memory.headroom_gib),
    ]
    legend = (
        f"W weights {memory.weights_gib:.2f}, K KV cache {concurrency} x {gib_text(memory.kv_cache_per_request_gib)}, "
        f"k free for more {memory.kv_cache_gib - promised:.2f}, o overhead {memory.overhead_gib:.2f}, . headroom "
        f"{memory.headroom_gib:.2f} (of it {memory.uncertainty_gib:.2f} uncertain)"
    )
    need = f"need {memory.need_gib:.2f} GiB, have {memory.have_gib:.2f} of {memory.per_accelerator_gib:.2f} GiB"
    return [
        row("memory", f"{need}, per accelerator"),
        f"{'':<{LABEL}}|{bar(parts, width=WIDTH - LABEL - 2)}|",
        row("", legend),
    ]


def _stop_text(plan: ServingPlan) -> str:
    timing = plan.timing
    terms = ", ".join(f"{term.name} {term.seconds:.0f} s" for term in timing.stop_terms)
    if timing.notice_seconds is None:
        return f"{timing.grace_seconds} s: {terms}"
    return f"{timing.grace_seconds} s, within the {timing.notice_seconds} s of a Spot notice: {terms}"


def scaling_text(scaling: Scaling) -> str:
    """What moves the number of replicas, how fast, and when it has a floor."""
    follows = [f"{one.name} {one.target:g}" for one in scaling.signals if one.role != "hold"]
    pace = f"up {scaling.up.pods} per {scaling.up.period_seconds:,} s, down after {scaling.down.window_seconds:,} s"
    idle = f"; to 0 after {scaling.idle_seconds:,} s without a request" if scaling.idle_seconds else ""
    floors = [f"at least {one.min_replicas} from {one.start} to {one.end}, {one.timezone}" for one in scaling.schedule]
    followed = f"{scaling.autoscaler}, per replica: {', '.join(follows)}; {pace}{idle}"
    return "; ".join([followed, *floors])


def _access_text(plan: ServingPlan) -> str:
    access = plan.access
    more = plan.exposure.clients
    named = f", and {counted(len(more), 'client')} of the stack file" if more else ""
    if access.authentication == "none":
        return f"no key; on the network, pods with the label servestack.dev/client-of: {plan.stack}{named}"
    return f"key in Secret {access.secret}, and the label servestack.dev/client-of: {plan.stack}{named}"


def _gateway_text(gateway: Entrance, routing: str) -> str:
    made = gateway.gateway_class or f"Gateway {gateway.namespace}/{gateway.name}"
    routed = ", replica chosen by an endpoint picker" if routing == "inference-pool" else ""
    return f"{gateway.url}, {gateway.scope}, {made}{routed}; answers of at most {gateway.timeout_seconds:,} s"


def _ladder(plan: ServingPlan) -> list[tuple[int, Rung]]:
    return list(enumerate(plan.ladder)) if len(plan.ladder) > 1 else []


def _rung_text(index: int, rung: Rung) -> str:
    price = "price unknown" if rung.hourly_usd is None else f"{rung.hourly_usd:,.2f} USD per hour"
    price = price if rung.exact or rung.hourly_usd is None else f"at most {price}"
    name = f"reservation {rung.reservation}" if rung.reservation else rung.capacity
    machines = f"{rung.nodes} x {rung.machine_type}" if rung.nodes > 1 else rung.machine_type
    shape = f"{rung.count} on {machines}, {rung.precision}, {rung.context.max_model_len:,} tokens"
    loses = f"; loses: {', '.join(rung.loses)}" if rung.loses else ""
    return f"{index + 1}. {name}: {shape}, {price}{loses}"


def row(label: str, text: str) -> str:
    """One line of a plan, folded below its label."""
    return wrapped(text, f"  {label:<{LABEL - 2}}", " " * LABEL)
