"""Arguments of `vllm serve` that are lists: names from which media may be fetched, and adapters."""

from __future__ import annotations

from infra.plan.lora import slot_rank
from infra.plan.serving_plan import ServingPlan

# A name that no address has (RFC 6761): with an empty list the engine fetches from everywhere (vllm 0.33.0
# multimodal/media/connector.py `_assert_url_in_allowed_media_domains`). data: addresses are not fetched, and work.
_NOWHERE = "nowhere.invalid"


def media_args(plan: ServingPlan) -> list[str]:
    """Hosts from which the engine may fetch what requests name by address: always a list, and never an empty one."""
    return ["--allowed-media-domains", *(plan.media_domains or (_NOWHERE,))]


def adapter_args(plan: ServingPlan) -> list[str]:
    """Adapters by name and folder, all of them at once, as the memory proof counts them."""
    if not plan.adapters:
        return []
    return [
        "--enable-lora",
        f"--max-loras={len(plan.adapters)}",
        f"--max-lora-rank={slot_rank(max(one.rank for one in plan.adapters))}",
        "--lora-modules",
        *(f"{one.name}={plan.weights.adapters_path}/{one.name}" for one in plan.adapters),
    ]
