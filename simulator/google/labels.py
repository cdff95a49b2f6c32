"""Labels that the Pulumi provider adds to whatever it makes."""

from __future__ import annotations

import json

from simulator.google.wire import Properties

ATTRIBUTION = {"goog-pulumi-provisioned": "true"}
"""The label of everything that Pulumi made."""


def provider_labels(config: Properties) -> dict[str, str]:
    """The attribution label (addPulumiAttributionLabel, on by default) and the provider's default labels."""
    attributed = str(config.get("addPulumiAttributionLabel", True)).lower() != "false"
    given = config.get("defaultLabels") or {}
    if isinstance(given, str):
        given = json.loads(given)
    return {**(ATTRIBUTION if attributed else {}), **given}
