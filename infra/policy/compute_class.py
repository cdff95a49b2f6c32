"""A ComputeClass and its pools name each other, so that GKE scales what the class's pods wait for."""

from __future__ import annotations

from collections.abc import Iterator

from infra.plan.node_pools import CLASS_KEY
from infra.policy.subject import Rule, Subject, Violation, name_of, violation

# GKE refuses pods that select these beside a class (GKE documentation, about custom compute classes).
_NOT_BESIDE = ("cloud.google.com/gke-spot", "cloud.google.com/machine-family")


def _class_and_pools(subject: Subject) -> Iterator[Violation]:
    pools = {str(one.get("name")): one for one in subject.pools}
    for one in subject.of_kind("ComputeClass"):
        spec, name = one.get("spec") or {}, name_of(one)
        if spec.get("whenUnsatisfiable") != "DoNotScaleUp":
            yield violation(one, "spec.whenUnsatisfiable", "must be DoNotScaleUp: other machines have no accelerator")
        named = [pool for rule in spec.get("priorities") or [] for pool in rule.get("nodepools") or []]
        for pool in named:
            if subject.pools and pool not in pools:
                yield violation(one, "spec.priorities", f"names pool {pool}, which is not the endpoint's")
        for pool in sorted(pools.keys() - set(named)) if named else ():
            yield violation(one, "spec.priorities", f"leaves out pool {pool}, which then never grows")
        for pool in named:
            node = (pools.get(pool) or {}).get("nodeConfig") or {}
            tainted = any(t.get("key") == CLASS_KEY and t.get("value") == name for t in node.get("taints") or [])
            if pool in pools and not (tainted and (node.get("labels") or {}).get(CLASS_KEY) == name):
                yield violation(one, "spec.priorities", f"pool {pool} must have {CLASS_KEY}={name} as label and taint")
    made = {name_of(one) for one in subject.of_kind("ComputeClass")}
    for pod in subject.pods:
        selector = pod.spec.get("nodeSelector") or {}
        if CLASS_KEY not in selector:
            continue
        if selector[CLASS_KEY] not in made and len(subject.objects) > 1:
            yield pod.violation(f"nodeSelector[{CLASS_KEY}]", f"is {selector[CLASS_KEY]}, which nothing makes")
        for key in _NOT_BESIDE:
            if key in selector:
                yield pod.violation(f"nodeSelector[{key}]", "must go: GKE refuses it beside a class")


RULES = (
    Rule(
        "class-and-pools",
        "A ComputeClass names every node pool of its endpoint, each has the class as label and taint, and pods select "
        "one that is made.",
        "high",
        True,
        _class_and_pools,
    ),
)
