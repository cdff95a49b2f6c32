"""Google's regions and multi-regions, as of 2025 (Compute Engine docs, regions and zones; from memory)."""

from __future__ import annotations

REGIONS = frozenset(
    """
    africa-south1 asia-east1 asia-east2 asia-northeast1 asia-northeast2 asia-northeast3 asia-south1 asia-south2
    asia-southeast1 asia-southeast2 australia-southeast1 australia-southeast2 europe-central2 europe-north1
    europe-north2 europe-southwest1 europe-west1 europe-west10 europe-west12 europe-west2 europe-west3 europe-west4
    europe-west6 europe-west8 europe-west9 me-central1 me-central2 me-west1 northamerica-northeast1
    northamerica-northeast2 northamerica-south1 southamerica-east1 southamerica-west1 us-central1 us-east1 us-east4
    us-east5 us-south1 us-west1 us-west2 us-west3 us-west4
    """.split()
)
REPOSITORY_PLACES = REGIONS | {"asia", "europe", "us"}
"""Where Artifact Registry has repositories (magic-modules Repository.yaml for the multi-regions)."""
_STORAGE_MULTI = frozenset({"asia", "eu", "us", "asia1", "eur4", "eur5", "eur7", "eur8", "nam4"})
BUCKET_PLACES = REGIONS | _STORAGE_MULTI
"""Where Cloud Storage has buckets: regions, multi-regions and predefined pairs (storage docs, locations)."""
