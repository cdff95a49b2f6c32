"""Seconds from an empty pool to a ready endpoint. Estimates: the timeout is twice as long."""

from __future__ import annotations

import math

from infra.plan.capabilities import Capabilities
from infra.plan.serving_plan import Timing
from infra.plan.weights import GIB

_NODE_SECONDS = 180  # assumed: machine, GPU driver and device plugin on GKE
_IMAGE_GIB_PER_SECOND = 0.1  # assumed: pull and unpack without image streaming
_DOWNLOAD_GIB_PER_SECOND = 0.35  # modelplane issue 204: 894 GiB in 43 min
_LOAD_GIB_PER_SECOND = 0.5  # vllm-project/vllm issue 38820: 12.7 GiB with the default loader
_SPOT_PRE_STOP_SECONDS = 3  # GKE gives pods on a Spot machine 15 s of its 30 s notice
_SPOT_DRAIN_SECONDS = 8


def timing(
    capabilities: Capabilities, *, weights_bytes: int, image_gib: int, capacity: str, timeout_seconds: int | None
) -> Timing:
    """Start-up estimate, the timeout derived from it, and the graceful stop that the capacity allows."""
    weights_gib = weights_bytes / GIB
    restart = weights_gib / _DOWNLOAD_GIB_PER_SECOND + weights_gib / _LOAD_GIB_PER_SECOND + capabilities.engine_seconds
    startup = _NODE_SECONDS + image_gib / _IMAGE_GIB_PER_SECOND + restart
    spot = capacity == "spot"
    return Timing(
        weights_bytes=weights_bytes,
        startup_seconds=math.ceil(startup),
        restart_seconds=math.ceil(restart),
        timeout_seconds=timeout_seconds or 60 * math.ceil(2 * startup / 60),
        pre_stop_seconds=_SPOT_PRE_STOP_SECONDS if spot else capabilities.pre_stop_seconds,
        drain_seconds=min(_SPOT_DRAIN_SECONDS, capabilities.drain_seconds) if spot else capabilities.drain_seconds,
    )
