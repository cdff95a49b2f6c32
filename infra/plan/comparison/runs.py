"""Rows about how an endpoint runs: machines, replicas, start, place, callers, limits."""

from __future__ import annotations

from infra.catalog.records import Catalog
from infra.plan.comparison.sides import NOT_SAID, Cell, Question, Side, cell
from infra.plan.managed.managed_plan import ManagedPlan
from infra.plan.managed.served import MAY_BE_REFUSED, MAY_BE_USED
from infra.plan.serving_plan import ServingPlan

_NO_CAUTION = "no caution with a source is known"


def _framework(side: Side, catalog: Catalog) -> Cell:
    plan = side.plan
    name = catalog.frameworks[plan.framework.name].display_name
    if side.service == "model-garden":
        engine = f"vLLM {plan.framework.version}" if plan.framework.version else "its own container"
        return cell(side, f"{name}, {engine}", "framework.name", "framework.version")
    if side.on_googles_machines:
        return cell(side, f"{name}, serverless" if side.service == "serverless" else name, "framework.name", "service")
    return cell(side, f"{name} {plan.framework.version}".rstrip(), "framework.name", "framework.version")


def _platform(side: Side, _catalog: Catalog) -> Cell:
    return cell(side, side.plan.platform, "platform")


def _run_by(side: Side, _catalog: Catalog) -> Cell:
    platform = side.platform
    if side.service:
        return cell(side, "Google" if side.on_googles_machines else "Google, replicas of your own", "service")
    if platform.gke is not None:
        managed = ", Google its nodes (Autopilot)" if platform.gke.cluster.mode == "autopilot" else ""
        return Cell(f"you, GKE cluster {platform.gke.cluster.name}{managed}")
    if platform.kubernetes is not None:
        return Cell(f"you, the cluster of context {platform.kubernetes.context}")
    return Cell("you, the platform's own machine")


def _machines(side: Side, _catalog: Catalog) -> Cell:
    one = side.plan.accelerator
    if one is None:
        return cell(side, "none of your own", "accelerator")
    paths = [f"accelerator.{name}" for name in ("type", "count", "nodes", "machineType", "capacity", "reservation")]
    bought = f"reservation {one.reservation}" if one.reservation else one.capacity
    where = f" on {one.machines}, {bought}" if one.capacity != "own" or one.node_labels else ", your own"
    return cell(side, f"{one.count} x {one.type}{where}", *paths)


def _replicas(side: Side, _catalog: Catalog) -> Cell:
    fewest, most = side.plan.min_replicas, side.plan.replicas
    if side.on_googles_machines:
        return cell(side, "none of your own", "replicas", "minReplicas")
    return cell(side, f"{most}" if fewest == most else f"{fewest} to {most}", "replicas", "minReplicas")


def _idle(side: Side, _catalog: Catalog) -> Cell:
    plan = side.plan
    if side.on_googles_machines:
        return cell(side, "always: nothing runs, nothing is paid", "minReplicas")
    if isinstance(plan, ManagedPlan):
        return cell(side, f"no: this version keeps at least {plan.min_replicas}", "minReplicas")
    if plan.min_replicas == 0:
        idle = plan.scaling.idle_seconds if plan.scaling else None
        after = f" after {idle:,} s without a request" if idle else ""
        return cell(side, f"yes, with KEDA's HTTP add-on{after}", "minReplicas")
    if not side.platform.in_cluster:
        return cell(side, "no: the machine is there", "minReplicas")
    ready = side.platform.autoscaler == "keda" and side.platform.httpAddOn
    how = "replicas.min: 0 asks for it" if ready else "the platform has no KEDA HTTP add-on"
    return cell(side, f"no: at least {plan.min_replicas} ({how})", "minReplicas")


def startup_seconds(side: Side) -> int:
    """From nothing to a first answer."""
    return side.plan.timing.startup_seconds if isinstance(side.plan, ServingPlan) else side.plan.startup_seconds


def _startup(side: Side, _catalog: Catalog) -> Cell:
    path = "timing.startupSeconds" if isinstance(side.plan, ServingPlan) else "startupSeconds"
    seconds = startup_seconds(side)
    return cell(side, f"about {seconds:,} s" if seconds else "none: nothing is started", path)


def region(side: Side) -> str:
    """Region of Google Cloud in which requests are worked on; empty where Google chooses, or the file does not say."""
    if side.on_googles_machines:
        location = side.at("location")
        return "" if location == "global" else str(location)
    return side.platform.cloud[1] if side.platform.cloud is not None else ""


def _location(side: Side, _catalog: Catalog) -> Cell:
    plan = side.plan
    if isinstance(plan, ManagedPlan):
        chosen = ": Google chooses where requests are worked on" if plan.location == "global" else ""
        return cell(side, f"{plan.location or NOT_SAID}{chosen}", "location")
    if plan.accelerator.zones:
        return cell(side, ", ".join(plan.accelerator.zones), "accelerator.zones")
    if side.platform.cloud is not None:
        return Cell(side.platform.cloud[1])
    return Cell("where your cluster is" if side.platform.in_cluster else "where your machine is")


def _sent_to(side: Side, _catalog: Catalog) -> Cell:
    if not side.service:
        return Cell("your own pods" if side.platform.in_cluster else "your own machine")
    who = "Google" if side.on_googles_machines else "replicas of your own at Google"
    return Cell(f"{who}: {MAY_BE_USED if MAY_BE_USED in side.plan.cautions else _NO_CAUTION}")


def _callers(side: Side, _catalog: Catalog) -> Cell:
    plan = side.plan
    if isinstance(plan, ManagedPlan):
        if plan.calling.key_id:
            return Cell("API key, bound to a Google account of the stack")
        return cell(side, f"Google access tokens, {plan.calling.role}", "calling.role")
    shown = "key of the endpoint's own" if plan.access.authentication == "key" else f"none: {plan.access.why}"
    return cell(side, shown, "access.authentication")


def _limit(side: Side, catalog: Catalog) -> Cell:
    plan = side.plan
    if side.service == "serverless":
        return Cell(MAY_BE_REFUSED)
    if side.service == "gemini":
        free = catalog.managed.free_tier_requests_per_minute
        expected = plan.expected_requests_per_minute if isinstance(plan, ManagedPlan) else None
        fewer = ", fewer than expected: callers will get 429" if expected is not None and expected > free else ""
        return Cell(f"{free} requests per minute measured as the free limit{fewer} (Google publishes none)")
    return Cell("none but what its machines do")


def _expected(side: Side, _catalog: Catalog) -> Cell:
    if not isinstance(side.plan, ManagedPlan):
        return Cell("not said")
    number = side.plan.expected_requests_per_minute
    text = "not said" if number is None else f"{number:,} requests per minute"
    return Cell(text) if number is None else cell(side, text, "expectedRequestsPerMinute")


RUNS = (
    Question("framework", _framework),
    Question("platform", _platform),
    Question("run by", _run_by),
    Question("machines", _machines),
    Question("replicas", _replicas),
    Question("scale to zero", _idle),
    Question("start-up", _startup),
    Question("location", _location),
    Question("sent to", _sent_to),
    Question("callers show", _callers),
    Question("rate limit", _limit),
    Question("expected load", _expected),
)
