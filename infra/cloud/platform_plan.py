"""What comes of a platform's file: resources, standing cost, protection, and who needs which role."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from infra.catalog.platforms import Role, StandingPrice, platform_facts
from infra.cloud.cluster import SYSTEM_POOL
from infra.cloud.platform import platform_resources
from infra.cloud.platform_changes import Remade, remade
from infra.cloud.resource import CloudResource, IdOf, OutputOf
from infra.plan.cost import HOURS_PER_MONTH
from infra.spec import Gke, PlatformSpec
from infra.spec.platform import PLATFORM_KINDS


@dataclass(frozen=True)
class PlatformPlan:
    """A platform before anything is made.

    Attributes:
        resources: in the order in which they are made; none where the cluster is adopted.
        standing: prices paid while it stands and no endpoint runs.
        not_counted: what is paid beside them; none where nothing is made.
        protection: what keeps it from being deleted.
        entrance: how the cluster's API is reached.
        roles: of those who make it, deploy on it, or preview.
        remade: what a change of its file makes anew.
    """

    platform: str
    spec: PlatformSpec
    resources: tuple[CloudResource, ...]
    standing: tuple[StandingPrice, ...]
    not_counted: tuple[str, ...]
    protection: str
    entrance: str
    roles: tuple[Role, ...]
    remade: tuple[Remade, ...]
    cautions: tuple[str, ...]

    @property
    def hourly_usd(self) -> float:
        """USD per hour of the standing prices."""
        return sum(one.usd_per_hour for one in self.standing)

    @property
    def monthly_usd(self) -> float:
        """USD per month of the standing prices."""
        return self.hourly_usd * HOURS_PER_MONTH

    def to_json(self) -> dict[str, Any]:
        """The plan as data; its keys are a contract."""
        gke = self.spec.gke
        return {
            "platform": self.platform,
            "kind": next(kind for kind in PLATFORM_KINDS if getattr(self.spec, kind) is not None),
            "created": bool(gke and gke.cluster.create),
            "mode": gke.cluster.mode if gke else None,
            "resources": [resource_json(one) for one in self.resources],
            "cost": {
                "hourlyUsd": round(self.hourly_usd, 4),
                "monthlyUsd": round(self.monthly_usd, 2),
                "terms": [{"name": one.what, "hourlyUsd": one.usd_per_hour} for one in self.standing],
                "notCounted": list(self.not_counted),
            },
            "protection": self.protection,
            "entrance": self.entrance,
            "roles": [
                {"role": one.role, "who": list(one.who), "scope": one.scope, "why": one.why} for one in self.roles
            ],
            "remade": [{"part": one.part, "means": one.means, "fields": list(one.fields)} for one in self.remade],
            "cautions": list(self.cautions),
        }


def platform_plan(name: str, spec: PlatformSpec) -> PlatformPlan:
    """The plan of a platform; one that is a machine makes nothing and costs nothing."""
    gke, facts = spec.gke, platform_facts()
    made = gke is not None and gke.cluster.create
    names = ["cluster", *([SYSTEM_POOL["machineType"]] if gke and gke.cluster.mode == "standard" else [])]
    return PlatformPlan(
        platform=name,
        spec=spec,
        resources=platform_resources(name, spec),
        standing=tuple(facts.prices[str(one)] for one in names) if made else (),
        not_counted=_not_counted(gke, facts.not_counted) if made and gke else (),
        protection=_protection(gke),
        entrance=_entrance(spec),
        roles=_roles_of(spec, facts.roles),
        remade=remade(gke) if gke else (),
        cautions=tuple(_cautions(name, gke)) if gke else (),
    )


def resource_json(one: CloudResource) -> dict[str, Any]:
    """A resource as data: what Pulumi is told, with `${NAME.OUTPUT}` for what only Google knows."""
    told: dict[str, Any] = {"type": one.token, "name": one.name, "inputs": _shown(one.inputs)}
    options = {
        "after": list(one.after),
        "protect": one.protect,
        "deleteBeforeReplace": one.delete_first,
        "secretOutputs": list(one.secrets),
        "ignoreChanges": list(one.ignore),
        "timeoutSeconds": one.timeout_seconds,
    }
    return told | {key: value for key, value in options.items() if value}


def _shown(value: Any) -> Any:
    if isinstance(value, IdOf):
        return f"${{{value.name}.id}}"
    if isinstance(value, OutputOf):
        return f"${{{value.name}.{value.output}}}"
    if isinstance(value, dict):
        return {key: _shown(one) for key, one in value.items()}
    return [_shown(one) for one in value] if isinstance(value, (list, tuple)) else value


def _not_counted(gke: Gke, always: tuple[str, ...]) -> tuple[str, ...]:
    if gke.cluster.mode == "autopilot":
        return always
    return "two more nodes that the system pool may have, as at first, one in each zone", *always


def _protection(gke: Gke | None) -> str:
    if gke is None or not gke.cluster.create:
        return "nothing is made, so nothing of it can be deleted"
    if gke.deletionProtection:
        return "cluster and bucket cannot be deleted until gke.deletionProtection is false and an up has said so"
    return "none: destroy deletes the cluster; a bucket that holds objects stays"


def _entrance(spec: PlatformSpec) -> str:
    gke = spec.gke
    if spec.kubernetes is not None:
        return f"context {spec.kubernetes.context} of your kubeconfig"
    if spec.google is not None:
        return "none: every managed endpoint has an address of its own"
    if gke is None:
        return "the machine's own"
    if not gke.cluster.create:
        return "the cluster's own: its DNS name where it has one for users, else its address"
    name = "its DNS name, where Google asks IAM for container.clusters.connect"
    if not gke.authorizedNetworks:
        return f"{name}; its address is closed"
    return f"{name}; its address from {', '.join(gke.authorizedNetworks)}"


def _roles_of(spec: PlatformSpec, roles: tuple[Role, ...]) -> tuple[Role, ...]:
    """Of a cluster's platform those for the cluster; what managed endpoints need beside them, docs/managed.md says."""
    if spec.gke is not None:
        return tuple(_roles(spec.gke, tuple(one for one in roles if one.needed != "managed")))
    return tuple(one for one in roles if one.needed == "managed") if spec.google is not None else ()


def _roles(gke: Gke, roles: tuple[Role, ...]) -> Iterator[Role]:
    made = gke.cluster.create
    parts = {
        "always": True,
        "account": gke.nodeServiceAccount is None,
        "bucket": True,
        "budget": gke.budget is not None,
        "network": gke.network.create,
        "registry": gke.registry,
    }
    for one in roles:
        adopted = one.needed == "always" and "serviceusage" not in one.role  # nothing is made, and no API switched on
        if parts[one.needed] if made else adopted:
            yield one


def _cautions(name: str, gke: Gke) -> Iterator[str]:
    if not gke.cluster.create:
        yield f"whether the cluster has what endpoints need, `servestack check {name}` asks Google"
        return
    if gke.location != gke.region:
        yield "the control plane is in one zone: while Google upgrades it, nothing can be changed"
    if not gke.network.create:
        yield (
            f"nodes have no address of their own, so subnet {gke.network.subnetwork} needs Private Google Access, "
            "which is looked up, and Cloud NAT, which is not"
        )
    if gke.budget is None:
        yield "no budget: nobody is told what the project costs; gke.budget has one"
    elif gke.budget.covers == "platform":
        yield "the budget counts what has the platform's label; NAT and traffic have none"
    if gke.budget is not None and not gke.budget.emails:
        yield "the budget tells the billing account's administrators alone"
    if gke.nodeServiceAccount is not None:
        yield f"{gke.nodeServiceAccount} gets no role here but reading the repositories; its owner gives the others"
