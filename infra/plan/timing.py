"""Seconds from an empty pool to a ready endpoint, and from SIGTERM to the end: every term with what it rests on."""

from __future__ import annotations

import math

from infra.plan.capabilities import Capabilities
from infra.plan.demand import GIB
from infra.plan.quantities import FirstToken, TimeTerm, Timing

_NODE_SECONDS = 180.0
_NODE_BASIS = "assumed: machine, GPU driver and device plugin on GKE"
_QUEUE = "the wait in the flex-start queue comes on top and is not known"
_IMAGE_GIB_PER_SECOND = 0.1
_IMAGE_BASIS = "assumed: pull and unpack at 0.1 GiB/s; what image streaming saves is not counted"
# GiB per second at which weights reach the pod, by source.
_SOURCES = {
    "hugging-face": (0.35, "download at 0.35 GiB/s (modelplane issue 204: 894 GiB in 43 min)"),
    "engine": (0.35, "the engine's own download, assumed as fast as the hub's: 0.35 GiB/s"),
    "gcs": (0.53, "GCS FUSE serving profile at 0.53 GiB/s (480 GB in 14 min)"),
    "pvc": (None, "none: the volume holds them"),
    "file": (None, "none: a file of the machine"),
    "tiny": (None, "none: made on the machine"),
    "own": (None, "none: kept on the machine's disk after the first start"),
}
# GiB per second at which a disk can take or give them (Compute Engine documentation: pd-balanced 0.28 MiB/s per GiB
# plus 140 MiB/s; one local SSD 660 MiB/s read and 350 MiB/s write; Hyperdisk Balanced at its default 140 MiB/s).
_DISKS = {"pd-balanced": 0.16, "hyperdisk-balanced": 0.14, "local-ssd": 0.64, "own": None}
_LOAD_GIB_PER_SECOND = 0.5
# What is downloaded is read once more before the engine starts. sha256sum took 0.96 s of processor time for 0.5 GiB on
# an x86 machine with SHA extensions.
_CHECK_GIB_PER_SECOND = 0.5
SPOT_NOTICE_SECONDS = 15
_SPOT_PRE_STOP_SECONDS = 3  # GKE gives pods on a Spot machine 15 s of its 30 s notice
_SPOT_TEARDOWN_SECONDS, _TEARDOWN_SECONDS = 4, 10


def timing(
    capabilities: Capabilities,
    *,
    weights_bytes: int,
    image_gib: int | None,
    capacity: str,
    source: str,
    disk: str,
    timeout_seconds: int | None,
    answer_seconds: int | None,
    kind: str = "",
    in_pod: bool = True,
    first_token: FirstToken | None = None,
) -> Timing:
    """Start-up estimate, the timeout derived from it, and the graceful stop that the capacity allows.

    Args:
        capabilities: of the framework.
        weights_bytes: what is loaded.
        image_gib: size of the image, None where there is none or it is not known.
        capacity: how the machine is bought.
        source: where weights come from.
        disk: kind of disk on which they land.
        timeout_seconds: the stack's own timeout, or None.
        answer_seconds: longest answer that must be finished on a planned stop, or None for the framework's default.
        kind: of accelerator.
        in_pod: whether every start fetches the weights anew, as a pod on a machine that is there does.
        first_token: its estimate, passed on.
    """
    own = capacity == "own"
    load = _load_terms(weights_bytes / GIB, source if in_pod else "own", "own" if own else disk)
    basis = f"{_NODE_BASIS}; {_QUEUE}" if capacity == "flex-start" else _NODE_BASIS
    start = [TimeTerm("machine", 0.0 if own else _NODE_SECONDS, "the machine is there" if own else basis)]
    if image_gib:
        start.append(TimeTerm("image", image_gib / _IMAGE_GIB_PER_SECOND, f"{image_gib} GiB; {_IMAGE_BASIS}"))
    engine = TimeTerm("engine", float(capabilities.engine_seconds_on(kind)), "process, compilation, graphs, warm-up")
    startup = sum(term.seconds for term in (*start, *load, engine))
    restart = sum(term.seconds for term in (*load, engine))
    pre_stop, drain, teardown = stop_seconds(capabilities, capacity=capacity, answer_seconds=answer_seconds)
    wanted = answer_seconds or capabilities.drain_seconds
    cut = f"longest answer {wanted} s, cut to what a Spot notice leaves" if drain < wanted else "longest answer"
    return Timing(
        weights_bytes=weights_bytes,
        startup_seconds=math.ceil(startup),
        restart_seconds=math.ceil(restart),
        timeout_seconds=timeout_seconds or 60 * math.ceil(2 * startup / 60),
        pre_stop_seconds=pre_stop,
        drain_seconds=drain,
        grace_seconds=pre_stop + drain + teardown,
        notice_seconds=SPOT_NOTICE_SECONDS if capacity == "spot" else None,
        startup_terms=(*start, *load, engine),
        stop_terms=(
            TimeTerm("leave load balancing", float(pre_stop), "endpoints take seconds to reach every proxy"),
            TimeTerm("running answers", float(drain), cut),
            TimeTerm("teardown", float(teardown), "workers stop and free the accelerators"),
        ),
        first_token=first_token,
    )


def stop_seconds(capabilities: Capabilities, *, capacity: str, answer_seconds: int | None) -> tuple[int, int, int]:
    """Seconds to leave load balancing, for running answers, and to tear down; within the notice on a Spot machine."""
    wanted = answer_seconds or capabilities.drain_seconds
    if capacity != "spot":
        return capabilities.pre_stop_seconds, wanted, _TEARDOWN_SECONDS
    left = SPOT_NOTICE_SECONDS - _SPOT_PRE_STOP_SECONDS - _SPOT_TEARDOWN_SECONDS
    return _SPOT_PRE_STOP_SECONDS, min(wanted, left), _SPOT_TEARDOWN_SECONDS


def drain_caution(times: Timing, answer_seconds: int | None, usual_seconds: int) -> str:
    """That answers are cut short, "" where they are not.

    Args:
        times: of the endpoint.
        answer_seconds: longest answer as the stack file says it, or None.
        usual_seconds: what the framework's answers get where nothing is said and nothing cuts them.
    """
    drain = times.drain_seconds
    if answer_seconds and answer_seconds > drain:
        return f"answers of {answer_seconds} s are cut after {drain} s when the machine is taken away"
    if not answer_seconds and usual_seconds > drain:
        return f"answers still running {drain} s after a stop are cut: a Spot notice leaves no more"
    return ""


def _load_terms(weights_gib: float, source: str, disk: str) -> tuple[TimeTerm, ...]:
    """Download, as fast as source and disk allow; its check; then disk to accelerator, as disk and loader allow."""
    rate, basis = _SOURCES[source]
    disk_rate = _DISKS[disk]
    fetch = 0.0
    if rate is not None:
        slower = disk_rate is not None and disk_rate < rate
        fetch = weights_gib / (disk_rate if slower and disk_rate else rate)
        basis = f"{weights_gib:.1f} GiB; {f'{disk} writes {disk_rate} GiB/s' if slower else basis}"
    read = min(_LOAD_GIB_PER_SECOND, disk_rate or _LOAD_GIB_PER_SECOND)
    how = "default loader (vllm-project/vllm issue 38820)" if read == _LOAD_GIB_PER_SECOND else f"read from {disk}"
    check = min(_CHECK_GIB_PER_SECOND, disk_rate or _CHECK_GIB_PER_SECOND)
    checked = (TimeTerm("weights check", weights_gib / check, f"{weights_gib:.1f} GiB at {check} GiB/s, SHA-256"),)
    return (
        TimeTerm("weights download", fetch, basis),
        *(checked if source == "hugging-face" else ()),
        TimeTerm("weights load", weights_gib / read, f"{weights_gib:.1f} GiB at {read} GiB/s, {how}"),
    )
