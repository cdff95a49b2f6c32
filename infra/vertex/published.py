"""What Model Garden's catalogue says of a model, and whether its licence is accepted.

Offers are read as `list_deploy_options` of `vertexai.model_garden` reads them (google-cloud-aiplatform 2.7.0).
"""

from __future__ import annotations

from typing import Any

from google.cloud.aiplatform_v1beta1 import types

from infra.vertex.calls import Calls
from infra.vertex.failures import VertexError, redacted
from infra.vertex.offer import Offer


def read_published(calls: Calls, catalogue: Any, name: str) -> types.PublisherModel | None:
    """Read a model of the catalogue; None where there is no such model.

    Args:
        calls: how calls are made.
        catalogue: client of Model Garden.
        name: such as `publishers/google/models/gemma4@gemma-4-31b-it`.

    Raises:
        google.api_core.exceptions.GoogleAPICallError: Google's answer.
        VertexError: there was no answer, or one of something else.
    """
    request = types.GetPublisherModelRequest(name=name, include_equivalent_model_garden_model_deployment_configs=True)
    found: types.PublisherModel | None = calls.find(
        "reading the offers", catalogue.get_publisher_model, request=request
    )
    if found is not None and not found.name:
        raise VertexError("reading the offers: the answer names no model.")
    return found


def offers_of(found: types.PublisherModel) -> tuple[Offer, ...]:
    """The offers of a model that name a machine, each once."""
    options = types.PublisherModel.pb(found).supported_actions.multi_deploy_vertex.multi_deploy_vertex
    return tuple(dict.fromkeys(_offer(one) for one in options if one.dedicated_resources.machine_spec.machine_type))


def _offer(option: Any) -> Offer:
    machine, container = option.dedicated_resources.machine_spec, option.container_spec
    return Offer(
        machine_type=machine.machine_type,
        accelerator_type=_accelerator(machine.accelerator_type),
        accelerator_count=machine.accelerator_count,
        image=redacted(container.image_uri),
        command=tuple(redacted(one) for one in container.command),
        args=tuple(redacted(one) for one in container.args),
    )


def _accelerator(number: int) -> str:
    """Name of a kind; one that the client does not know yet keeps its number."""
    if not number:
        return ""
    try:
        return str(types.AcceleratorType(number).name)
    except ValueError:
        return f"ACCELERATOR_TYPE_{number}"


def licence_accepted(calls: Calls, garden: Any, project: str, name: str) -> bool | None:
    """Whether the licence of a model is accepted in a project; None where Google knows of no such thing.

    Raises:
        google.api_core.exceptions.GoogleAPICallError: Google's answer.
        VertexError: there was no answer.
    """
    request = types.CheckPublisherModelEulaAcceptanceRequest(
        parent=f"projects/{project}", publisher_model=name.partition("@")[0]
    )
    method = garden.check_publisher_model_eula_acceptance
    found = calls.find("reading the licence", method, request=request)
    return None if found is None else bool(found.publisher_model_eula_acked)
