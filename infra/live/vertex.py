"""Asking Vertex AI: what Model Garden offers, whether it knows a serverless model, whether a licence is accepted."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

from google.api_core import exceptions
from google.auth import exceptions as authentication
from google.cloud.aiplatform_v1beta1 import types

from infra.catalog.records import Catalog
from infra.live.findings import Live
from infra.live.garden_offers import compare
from infra.live.sentences import sentence
from infra.plan.managed import ManagedPlan
from infra.vertex.calls import Calls, Pace
from infra.vertex.clients import ADDRESS_VARIABLE, CATALOGUE_LOCATION, Clients, connect
from infra.vertex.failures import ERRORS, answered
from infra.vertex.offer import published_name
from infra.vertex.published import licence_accepted, offers_of, read_published

_LOGIN = "run: gcloud auth application-default login"
_DOING = "Model Garden could not be asked"
_FILE_VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"


def ask_garden(plan: ManagedPlan, catalog: Catalog, pace: Pace) -> Live:
    """What Model Garden offers for the planned model, and the licence's state in the project."""
    assert plan.garden is not None
    name = published_name(plan.garden.publisher_model)
    live = Live(plan.service, name)

    def look(clients: Clients, calls: Calls) -> Live:
        nonlocal live
        found = read_published(calls, clients.catalogue, name)
        if found is None:
            return replace(live, keeps_plan=False, differences=(f"Model Garden does not know {name}",))
        live = compare(plan, catalog, offers_of(found))
        live = replace(live, launch_stage=_stage(found), version=found.version_id)
        return replace(live, licence_accepted=licence_accepted(calls, clients.garden, plan.project, name))

    error, done = _asking(plan, plan.location, pace, look)
    return done or replace(live, error=error)


def ask_serverless(plan: ManagedPlan, pace: Pace) -> Live:
    """Whether Model Garden's catalogue has the planned serverless model; no request is made to the model itself."""
    name = published_name(plan.model.request_model)
    live = Live(plan.service, name)

    def look(clients: Clients, calls: Calls) -> Live:
        found = read_published(calls, clients.catalogue, name)
        if found is None:
            return replace(live, keeps_plan=False, differences=(f"Model Garden's catalogue has no {name}",))
        return replace(live, keeps_plan=True, launch_stage=_stage(found), version=found.version_id)

    error, done = _asking(plan, CATALOGUE_LOCATION, pace, look)
    return done or replace(live, error=error)


def _stage(found: types.PublisherModel) -> str:
    number = types.PublisherModel.pb(found).launch_stage
    try:
        return str(types.PublisherModel.LaunchStage(number).name) if number else ""
    except ValueError:
        return ""


def _asking(
    plan: ManagedPlan, location: str, pace: Pace, look: Callable[[Clients, Calls], Live]
) -> tuple[str, Live | None]:
    """What a look finds, or in one sentence why it found nothing."""
    try:
        clients = connect(location, os.environ.get(ADDRESS_VARIABLE, ""))
    except authentication.DefaultCredentialsError:
        if os.environ.get(_FILE_VARIABLE):
            return f"no Google credentials in the file of {_FILE_VARIABLE}; correct it, or unset it and {_LOGIN}", None
        return f"no Google credentials; {_LOGIN}", None
    except (*ERRORS, OSError, ValueError) as error:
        return sentence(f"no connection to Vertex AI: {error}"), None
    try:
        return "", look(clients, Calls(pace))
    except authentication.TransportError:
        return "Google, or the server of its credentials, cannot be reached; is there a network?", None
    except authentication.GoogleAuthError:
        return f"Google takes these credentials no more; {_LOGIN}", None
    except exceptions.GoogleAPICallError as error:
        return sentence(answered(error, _DOING)) + _advice(error, plan), None
    except ERRORS as error:
        return sentence(f"{_DOING}: {error}"), None


def _advice(error: Exception, plan: ManagedPlan) -> str:
    match error:
        case exceptions.Unauthenticated() | exceptions.Unauthorized():
            return f"\nTo log in, {_LOGIN}"
        case exceptions.Forbidden():
            return (
                f"\nIt takes roles/aiplatform.user in project {plan.project}, aiplatform.googleapis.com switched on, and "
                f"a project to count the calls:\n  gcloud auth application-default set-quota-project {plan.project}"
            )
        case exceptions.TooManyRequests() | exceptions.ServiceUnavailable():
            return "\nTry again later."
        case _:
            return ""
