"""`nodePool` of a stack file against machine, capacity and image: what is not said is derived."""

from __future__ import annotations

import dataclasses

from infra.catalog.records import Machine
from infra.plan.node_pools import NodePool
from infra.plan.placement import boot_disk_need_gb, host
from infra.plan.quantities import Host
from infra.plan.refusal import RefusedError
from infra.plan.request import Request
from infra.plan.search import Choice
from infra.spec.node_pool import FLEX_RUN_SECONDS

_FIELD = "nodePool"


def is_in_artifact_registry(image: str) -> bool:
    """Whether GKE can stream an image: it is in Artifact Registry (GKE documentation, how-to/image-streaming)."""
    return image.partition("/")[0].endswith("-docker.pkg.dev")


def check_wanted(request: Request) -> None:
    """Refuse settings where the machines are not ours to set up.

    Raises:
        RefusedError: nodePool is written for a platform that is one machine, or for an Autopilot cluster.
    """
    asked = sorted(request.spec.nodePool.model_fields_set)
    if not asked:
        return
    gke = request.platform.gke
    if gke is None:
        raise RefusedError((_FIELD,), "the platform's machine is there already; leave it out.")
    if gke.cluster.mode == "autopilot":
        raise RefusedError(
            (_FIELD,), f"Autopilot makes its own nodes, so {', '.join(asked)} cannot be set; leave {_FIELD} out."
        )


def local_ssds(request: Request, machine: Machine) -> int:
    """Local SSDs that hold ephemeral storage on a machine.

    Raises:
        RefusedError: the machine has another number.
    """
    bundled, asked = machine.bundled_local_ssds, request.spec.nodePool.localSsds
    if asked is None:
        return bundled or 0
    field = (_FIELD, "localSsds")
    if bundled:
        if asked != bundled:
            raise RefusedError(
                field, f"{machine.machine_type} brings {bundled}, always; write {bundled} or leave it out."
            )
        return bundled
    known = request.catalog.local_ssds.get(machine.machine_type)
    if asked and known is None:
        raise RefusedError(field, f"{machine.machine_type} takes none; leave it out.")
    if asked and known and asked != known.disks:
        raise RefusedError(field, f"{machine.machine_type} takes 0 or {known.disks}.")
    return asked


def machine_host(request: Request, choice: Choice, *, weights_gib: float, image_gib: int) -> Host:
    """What a pod may ask of a machine, and its disks as the stack file or the plan has them.

    Raises:
        RefusedError: the machine has other local SSDs, or the asked boot disk does not hold what it must.
    """
    machine, asked_gb = choice.candidate.machine, request.spec.nodePool.bootDiskGb
    ssds = local_ssds(request, machine)
    derived = host(
        request.accelerator,
        machine,
        weights_gib=weights_gib,
        image_gib=image_gib,
        need_gib=choice.host_gib,
        local_ssds=ssds,
    )
    if asked_gb is None:
        return derived
    least_gb = boot_disk_need_gb(weights_gib=weights_gib, image_gib=image_gib, local_ssds=ssds)
    if asked_gb < least_gb:
        raise RefusedError((_FIELD, "bootDiskGb"), f"image and weights need {least_gb} GB; write {least_gb} or more.")
    return dataclasses.replace(derived, boot_disk_gb=asked_gb)


def shared_host(hosts: list[Host]) -> Host:
    """What a pod may ask that must fit every machine of a ladder; disks are those of the first."""
    return dataclasses.replace(
        hosts[0], cpu=min(one.cpu for one in hosts), memory_gib=min(one.memory_gib for one in hosts)
    )


def driver_version(request: Request) -> str:
    """Of the GPU driver; "" without GPUs.

    Raises:
        RefusedError: one is asked for where there is none.
    """
    asked, accelerator = request.spec.nodePool.driverVersion, request.accelerator
    if accelerator.kind == "gpu":
        return asked or "default"
    if asked:
        raise RefusedError((_FIELD, "driverVersion"), f"{accelerator.display_name} has no GPU driver; leave it out.")
    return ""


def image_streaming(request: Request, image: str) -> bool:
    """Whether images are streamed: where the engine's image is one that GKE can stream, unless the file says no.

    Raises:
        RefusedError: it is asked for, and the image is not in Artifact Registry.
    """
    asked, possible = request.spec.nodePool.imageStreaming, is_in_artifact_registry(image)
    if asked and not possible:
        raise RefusedError(
            (_FIELD, "imageStreaming"),
            f"GKE streams images of Artifact Registry alone, and {image.partition('@')[0]} is elsewhere; leave it out, "
            "or copy the image and name it in engine.image.",
        )
    return possible if asked is None else asked


def pool(request: Request, choice: Choice, disks: Host) -> NodePool:
    """The pool of one rung, without a name.

    Args:
        request: what is asked.
        choice: machine and capacity.
        disks: of that machine.

    Raises:
        RefusedError: the capacity does not take the asked run time.
    """
    candidate, accelerator, seconds = choice.candidate, request.accelerator, request.spec.nodePool.maxRunSeconds
    least, most = FLEX_RUN_SECONDS
    if candidate.capacity.kind == "flex-start" and seconds is not None and not least <= seconds <= most:
        raise RefusedError(
            (_FIELD, "maxRunSeconds"),
            f"flex-start machines run from {least} to {most:,} seconds; write a number between.",
        )
    return NodePool(
        name="",
        capacity=candidate.capacity.kind,
        reservation=candidate.capacity.reservation,
        machine_type=candidate.machine.machine_type,
        gke_label=accelerator.gke_label or "",
        accelerators=candidate.count // candidate.nodes if accelerator.resource else 0,
        boot_disk_type=disks.boot_disk_type,
        boot_disk_gb=disks.boot_disk_gb,
        local_ssds=disks.local_ssds,
    )
