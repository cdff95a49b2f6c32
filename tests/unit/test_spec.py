"""What a stack file may say, where an example file would be too much."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from infra.spec import Gke


@pytest.mark.parametrize("location", ["us-central1", "europe-west12", "europe-west10-b", "northamerica-northeast1-a"])
def test_every_shape_of_a_region_or_zone_is_a_location(location: str) -> None:
    region = "-".join(location.split("-")[:2])
    gke = Gke.model_validate(
        {"project": "my-project", "location": location, "zones": [f"{region}-c"], "cluster": {"name": "dev"}}
    )
    assert gke.zones == [f"{region}-c"]


@pytest.mark.parametrize("zone", ["us-central10-a", "us-east1-b", "us-central1"])
def test_a_zone_outside_the_region_is_refused(zone: str) -> None:
    with pytest.raises(ValidationError):
        Gke.model_validate(
            {"project": "my-project", "location": "us-central1", "zones": [zone], "cluster": {"name": "dev"}}
        )
