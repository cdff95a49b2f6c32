"""A platform's plan as text of at most 80 columns, and its resources as YAML."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from infra.cloud.platform_plan import PlatformPlan, resource_json
from infra.text import counted, wrapped

_LABEL = 14
_WHO = {"makes": "to make it", "deploys": "to deploy on it", "previews": "to preview"}


def platform_text(plan: PlatformPlan) -> str:
    """The plan in lines."""
    gke = plan.spec.gke
    lines = [f"platform {plan.platform}"]
    if gke:
        made = "made by this stack" if gke.cluster.create else "adopted as it is"
        where = f"{gke.cluster.name} in {gke.location} of project {gke.project}"
        lines.append(_row("cluster", f"{where}, {gke.cluster.mode}, {made}"))
        if gke.cluster.lacks:
            lines.append(_row("lacks", ", ".join(gke.cluster.lacks)))
    project = plan.spec.google
    if project:
        lines.append(_row("project", f"{project.project}, {project.location}: managed endpoints alone"))
    own = plan.spec.kubernetes
    if own:
        lines.append(_row("cluster", f"context {own.context}, as it is"))
        for group in own.nodes:
            each = f"{group.count} x {group.accelerator}" if group.count else group.accelerator
            lines.append(_row("nodes", f"{group.machines} of {each}, {group.vcpus} vCPUs, {group.memoryGiB} GiB"))
    lines.append(_row("makes", counted(len(plan.resources), "resource") if plan.resources else "nothing"))
    numbered = itertools.count(1)
    for kind, alike in itertools.groupby(plan.resources, key=lambda one: one.token.rpartition(":")[2]):
        names = [one.name for one in alike]
        first = next(numbered)
        span = f"{first}." if len(names) == 1 else f"{first}.-{[next(numbered) for _ in names[1:]][-1]}."
        lines.append(_row("", f"{span} {kind}: {', '.join(names)}"))
    if plan.standing:
        sums = f"{plan.hourly_usd:.2f} USD per hour, {plan.monthly_usd:,.0f} per month, with no endpoint"
        terms = "; ".join(f"{one.what} {one.usd_per_hour:.4g}" for one in plan.standing)
        lines.append(_row("cost", f"{sums}: {terms}"))
        lines.append(_row("", f"not counted: {', '.join(plan.not_counted)}"))
    lines.append(_row("protection", plan.protection))
    lines.append(_row("entrance", plan.entrance))
    for who, title in _WHO.items():
        adopted = bool(gke and not gke.cluster.create)
        roles = [one for one in plan.roles if who in one.who and not (adopted and who == "makes")]
        if roles:
            lines.append(_row("roles", f"{title}:"))
        for one in roles:
            on = "" if one.scope == "project" else f" on the {one.scope}"
            lines.append(_row("", f"{one.role}{on}: {one.why}"))
    for part in plan.remade:
        lines.append(_row("change", f"of {', '.join(part.fields)}: {part.means}"))
    lines += [_row("caution", one) for one in plan.cautions]
    return "\n".join(lines) + "\n"


def platform_manifest(plan: PlatformPlan) -> str:
    """What `servestack render` prints of a platform: its plan as a comment, then every resource as Pulumi is told."""
    comment = "".join(f"# {line}".rstrip() + "\n" for line in platform_text(plan).splitlines())
    return comment + resources_manifest([resource_json(one) for one in plan.resources])


def resources_manifest(resources: Iterable[Mapping[str, Any]]) -> str:
    """Resources as Pulumi is told, as one YAML stream."""
    return "".join(
        "---\n" + yaml.dump(dict(one), Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True)
        for one in resources
    )


class _Dumper(yaml.SafeDumper):
    """Without anchors: labels that many resources share are written out for each."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


def _row(label: str, text: str) -> str:
    return wrapped(text, f"  {label:<{_LABEL - 2}}", " " * _LABEL)
