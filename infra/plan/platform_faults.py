"""What is wrong with a platform's file that only its name shows."""

from __future__ import annotations

from infra.plan.platform_names import bucket_name
from infra.plan.refusal import RefusedError
from infra.spec import PlatformSpec


def check_platform(name: str, platform: PlatformSpec) -> None:
    """Refuse names that Google would refuse.

    Raises:
        RefusedError: the bucket's own name is not allowed; the file can name another.
    """
    gke = platform.gke
    if gke is None or not gke.cluster.create or gke.bucket is not None:
        return
    bucket = bucket_name(name, gke)
    if "google" in bucket or bucket.startswith("goog"):
        raise RefusedError(
            ("gke",),
            f"the bucket for weights would be called {bucket}, and Cloud Storage allows no name that begins with "
            "'goog' or has 'google' in it. Write bucket: {name: ...}.",
        )
