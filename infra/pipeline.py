"""Stack file to Kubernetes objects: the pure path shared by the Pulumi program, the command line and the tests."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from infra.batch_job import BatchJob, batch_job
from infra.catalog.loader import load_catalog
from infra.cloud.pool_names import named
from infra.document import Document
from infra.errors import PlanError, Problem, SpecError, StackError
from infra.frameworks import FRAMEWORKS
from infra.frameworks.base import KubernetesWorkload
from infra.frameworks.callers import CallerWorkload, caller_workload
from infra.frameworks.host_service import HostService, host_service
from infra.frameworks.mlx_service import MlxService, mlx_service
from infra.frameworks.own_root import with_root_for_the_runtime
from infra.frameworks.vertex import VertexContainer, container
from infra.lock import Lock, Use, missing
from infra.plan.local_service import DEFAULT_PORT
from infra.plan.managed import ManagedPlan, managed_uses, resolve_managed
from infra.plan.platform_faults import check_platform
from infra.plan.refusal import RefusedError
from infra.plan.resolve import Resolved, resolve
from infra.plan.serving_plan import ServingPlan
from infra.spec import EndpointSpec, PlatformSpec
from infra.stack_files import StackFiles, lock_path, read, read_lock

__all__ = [
    "GARDEN_ENGINE",
    "Built",
    "Endpoint",
    "ManagedEndpoint",
    "Platform",
    "StackFiles",
    "build",
    "build_all",
    "build_each",
    "read",
    "refuse",
]
GARDEN_ENGINE = "vllm"  # what serves in Model Garden's container
_CAPABILITIES = {name: framework.capabilities for name, framework in FRAMEWORKS.items()}


@dataclass(frozen=True)
class Endpoint:
    """A planned endpoint, its platform and its workload.

    Attributes:
        resolved: the plan, with what it was made of.
        prepared: the workload, or None where `refusal` says why it is not deployed.
        service: what runs on this machine in place of a workload.
        mac: what runs on Macs in place of a workload.
    """

    name: str
    spec: EndpointSpec
    platform_name: str
    platform: PlatformSpec
    resolved: Resolved
    prepared: KubernetesWorkload | None
    refusal: PlanError | None
    service: HostService | None = None
    mac: MlxService | None = None

    @property
    def plan(self) -> ServingPlan:
        """Everything that was decided."""
        return self.resolved.plan

    @property
    def uses(self) -> tuple[Use, ...]:
        """Names that move, of which the lock file fixes some or all."""
        return self.resolved.uses

    @property
    def on_a_machine(self) -> bool:
        """Whether it is a service of a machine, in place of objects of a cluster."""
        return self.service is not None or self.mac is not None

    @property
    def workload(self) -> KubernetesWorkload:
        """What is rendered and deployed in a cluster.

        Raises:
            PlanError: this version plans the endpoint, but does not deploy it, or it is a service of a machine.
        """
        if self.on_a_machine:
            raise PlanError(f"{self.name} is a service of a machine, not objects of a cluster: run pulumi up.")
        if self.prepared is None:
            assert self.refusal is not None
            raise self.refusal
        return self.prepared

    def objects(self) -> list[dict[str, Any]]:
        """Kubernetes objects, in the order in which they are made; a service of a machine has none."""
        if self.on_a_machine:
            return []
        from infra.render import render  # costs 50 ms that planning does not need

        return render(self.workload)


@dataclass(frozen=True)
class ManagedEndpoint:
    """A planned endpoint that Google runs, its platform, what its callers need, and what a lock fixes of it."""

    name: str
    spec: EndpointSpec
    platform_name: str
    platform: PlatformSpec
    plan: ManagedPlan
    container: VertexContainer | None
    callers: CallerWorkload | None
    uses: tuple[Use, ...] = ()

    def objects(self) -> list[dict[str, Any]]:
        """Kubernetes objects for callers, in the order in which they are made; none without a cluster."""
        from infra.render import render_callers

        return render_callers(self.callers) if self.callers else []


@dataclass(frozen=True)
class Platform:
    """A platform as its file says it."""

    name: str
    spec: PlatformSpec
    uses: tuple[Use, ...] = ()


Built = BatchJob | Endpoint | ManagedEndpoint | Platform


def build(name: str, files: StackFiles, *, demand_lock: bool = True) -> Built:
    """Everything that follows from one stack file and the lock file beside it.

    Args:
        name: of the stack.
        files: where its file is.
        demand_lock: refuse what is not locked where the platform requires that; False for who is about to lock it.

    Raises:
        SpecError: the file, its platform's or the lock file is wrong; all problems of a file at once.
        PlanError: it cannot be served, or is not locked as its platform requires.
    """
    document, spec = read(name, files)
    if isinstance(spec, PlatformSpec):
        return _platform(name, spec, document)
    _, platform = read(spec.platform, files)
    assert isinstance(platform, PlatformSpec)
    lock = read_lock(files)
    if spec.service:
        built: Built = _managed(name, spec, platform, document, lock)
    else:
        built = _on_machines(name, spec, platform, document, lock)
    loose = missing(built.uses) if demand_lock and platform.requireLock else ()
    if loose:
        message = (
            f"{spec.platform} requires a lock, and {lock_path(files)} has none of {', '.join(map(str, loose))}. "
            f"Run: servestack lock {name}"
        )
        raise PlanError(problems=[document.problem(("platform",), message)])
    return built


def _on_machines(
    name: str, spec: EndpointSpec, platform: PlatformSpec, document: Document, lock: Lock
) -> Endpoint | BatchJob:
    try:
        if spec.job:
            return batch_job(name, spec, platform, lock)
        resolved = resolve(name, spec, platform, load_catalog(), _CAPABILITIES, lock)
        if platform.gke is not None:
            pools = named(resolved.plan, platform.gke)
            resolved = dataclasses.replace(resolved, plan=dataclasses.replace(resolved.plan, node_pools=pools))
        make, host = FRAMEWORKS[spec.framework].workload, platform.host
        hosted = host is not None and spec.framework == "mlx"
        shown = load_catalog().frameworks[spec.framework].display_name
        reasons = (*resolved.plan.only_planned, *(() if make or hosted else (f"framework {shown}",)))
        prepared = with_root_for_the_runtime(make(resolved.plan)) if make else None
        if not make and spec.engine.args:
            raise RefusedError(("engine", "args"), f"arguments of {shown} are not checked yet; leave it out.")
        if reasons:
            plan = dataclasses.replace(resolved.plan, only_planned=reasons)
            message = f"this version plans {' and '.join(reasons)}, but does not deploy it."
            refusal = PlanError(problems=[document.problem((), message)])
            resolved = dataclasses.replace(resolved, plan=plan)
            return Endpoint(name, spec, spec.platform, platform, resolved, None, refusal)
        if platform.local is not None:
            port = spec.expose.port or DEFAULT_PORT
            service = host_service(resolved.plan, port=port, sha256=spec.weights.sha256 or "")
            return Endpoint(name, spec, spec.platform, platform, resolved, None, None, service)
        if hosted and host is not None:
            proxy, interface = host.reverseProxy or "", host.interface or ""
            mac = mlx_service(resolved.plan, host.machines, interface, proxy, keep=host.keepWeights)
            return Endpoint(name, spec, spec.platform, platform, resolved, None, None, None, mac)
        return Endpoint(name, spec, spec.platform, platform, resolved, prepared, None)
    except RefusedError as refused:
        raise PlanError(problems=[document.problem(refused.field, refused.message)]) from None


def _managed(name: str, spec: EndpointSpec, platform: PlatformSpec, document: Document, lock: Lock) -> ManagedEndpoint:
    catalog = load_catalog()
    try:
        plan = resolve_managed(name, spec, platform, catalog, FRAMEWORKS[GARDEN_ENGINE].capabilities, lock)
    except RefusedError as refused:
        raise PlanError(problems=[document.problem(refused.field, refused.message)]) from None
    served = container(plan, catalog.managed.container)
    uses = managed_uses(spec, catalog, lock)
    return ManagedEndpoint(name, spec, spec.platform, platform, plan, served, caller_workload(plan), uses)


def _platform(name: str, spec: PlatformSpec, document: Document) -> Platform:
    try:
        check_platform(name, spec)
    except RefusedError as refused:
        raise PlanError(problems=[document.problem(refused.field, refused.message)]) from None
    return Platform(name, spec)


def build_all(names: Iterable[str], files: StackFiles, problems: Sequence[Problem] = ()) -> list[Built]:
    """Everything that follows from several stack files.

    Args:
        names: the stacks.
        files: where their files are.
        problems: what is wrong already; it is told together with what is found here.

    Raises:
        SpecError: any file is wrong; all problems of all files at once, those of a shared platform once.
        PlanError: all files are right, and some cannot be served.
    """
    built, failures = build_each(names, files)
    refuse([*([SpecError(problems=problems)] if problems else []), *failures.values()])
    return built


def build_each(
    names: Iterable[str], files: StackFiles, *, demand_lock: bool = True
) -> tuple[list[Built], dict[str, StackError]]:
    """What follows from each of several stack files, and by name why some are refused."""
    built: list[Built] = []
    failures: dict[str, StackError] = {}
    for name in names:
        try:
            built.append(build(name, files, demand_lock=demand_lock))
        except StackError as error:
            failures[name] = error
    return built, failures


def refuse(failures: Collection[StackError]) -> None:
    """Raise what is wrong with several stack files as one error; nothing where nothing is.

    Raises:
        SpecError: any file is wrong; all problems of all files at once, those of a shared platform once.
        PlanError: all files are right, and some cannot be served.
    """
    if failures:
        kind = SpecError if any(isinstance(error, SpecError) for error in failures) else PlanError
        found = dict.fromkeys(problem for error in failures for problem in error.problems)
        told = dict.fromkeys(str(error) for error in failures if not error.problems)
        raise kind("\n".join([*told, *map(str, found)]))
