"""Google's regions and multi-regions, as of 2025 (Compute Engine docs, regions and zones; from memory)."""

from __future__ import annotations

_REGIONS = {
    "africa-south": (1,),
    "asia-east": (
        1,
        2,
    ),
    "asia-northeast": (
        1,
        2,
        3,
    ),
    "asia-south": (
        1,
        2,
    ),
    "asia-southeast": (
        1,
        2,
    ),
    "australia-southeast": (
        1,
        2,
    ),
    "europe-central": (2,),
    "europe-north": (
        1,
        2,
    ),
    "europe-southwest": (1,),
    "europe-west": (
        1,
        10,
        12,
        2,
        3,
        4,
        6,
        8,
        9,
    ),
    "me-central": (
        1,
        2,
    ),
    "me-west": (1,),
    "northamerica-northeast": (
        1,
        2,
    ),
    "northamerica-south": (1,),
    "southamerica-east": (1,),
    "southamerica-west": (1,),
    "us-central": (1,),
    "us-east": (
        1,
        4,
        5,
    ),
    "us-south": (1,),
    "us-west": (
        1,
        2,
        3,
        4,
    ),
}
"""Numbers of the regions of each part of the world."""
REGIONS = frozenset(f"{part}{one}" for part, numbers in _REGIONS.items() for one in numbers)
REPOSITORY_PLACES = REGIONS | {"asia", "europe", "us"}
"""Where Artifact Registry has repositories (magic-modules Repository.yaml for the multi-regions)."""
_STORAGE_MULTI = frozenset({"asia", "eu", "us", "asia1", "eur4", "eur5", "eur7", "eur8", "nam4"})
BUCKET_PLACES = REGIONS | _STORAGE_MULTI
"""Where Cloud Storage has buckets: regions, multi-regions and predefined pairs (storage docs, locations)."""
