"""What a change of a platform's file makes anew, and with that takes away: said before anybody changes it."""

from __future__ import annotations

from dataclasses import dataclass

from infra.spec import Gke


@dataclass(frozen=True)
class Remade:
    """One part of a platform that is made anew, or deleted, when one of these fields changes.

    Attributes:
        part: of the platform.
        means: what happens, in words.
        fields: below `gke`.
    """

    part: str
    means: str
    fields: tuple[str, ...]


_RANGES = ("network.nodes", "network.pods", "network.services")


def remade(gke: Gke) -> tuple[Remade, ...]:
    """By part, the gravest first; nothing where nothing is made. Each field is below `gke`.

    Source: ForceNew of each resource in the Google provider (magic-modules), as `tests/simulator` holds them.
    """
    if not gke.cluster.create:
        return ()
    standard, own = gke.cluster.mode == "standard", gke.network.create
    kept = "Pulumi refuses while deletionProtection is true" if gke.deletionProtection else "nothing forbids it"
    cluster = ["cluster.create", "cluster.mode", "cluster.name", "controlPlane", "location", "network.create"]
    cluster += ["network.maxPodsPerNode"] if standard and own else []
    cluster += ["network.name", *([] if own else ["network.podsRange", "network.servicesRange"]), "network.subnetwork"]
    found = [
        Remade("cluster", f"another cluster, and all endpoints on it are gone; {kept}", (*sorted(cluster), "project")),
        Remade(
            "bucket",
            f"another bucket; {kept}, and Google never deletes one with objects",
            ("bucket.name", "cluster.create", "location", "project"),
        ),
    ]
    if own:
        found.append(
            Remade("ranges", "Google refuses it while the cluster stands; nodes may become a wider range", _RANGES)
        )
    if own and gke.proxyOnlySubnet:
        found.append(
            Remade(
                "proxy-only subnet",
                "another one, and regional gateways answer nobody until it is there",
                ("proxyOnlySubnet",),
            )
        )
    if standard:
        found.append(
            Remade(
                "system pool",
                "another system pool, and the cluster's own pods wait for its nodes",
                ("nodeServiceAccount",),
            )
        )
    if gke.own_registry:
        found.append(
            Remade(
                "repositories",
                "other repositories or none: pods pull by another address, so that all endpoints roll",
                ("cluster.create", "cluster.name", "location", "project", "registry"),
            )
        )
    return tuple(found)
