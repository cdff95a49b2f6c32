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
from infra.vertex.addresses import host_of
from infra.vertex.calls import Calls, Pace
from infra.vertex.clients import ADDRESS_VARIABLE, CATALOGUE_LOCATION, Clients, connect
from infra.vertex.failures import ERRORS, answered
from infra.vertex.offer import published_name
from infra.vertex.published import licence_accepted, offers_of, read_published

_LOGIN = "run: gcloud auth application-default login"
_DOING = "Model Garden could not be asked"
_FILE_VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"

_Look = Callable[[Live, Clients, Calls], Live]


def ask_garden(plan: ManagedPlan, catalog: Catalog, pace: Pace) -> Live:
    """What Model Garden offers for the planned model, and the licence's state in the project."""
    assert plan.garden is not None
    name = published_name(plan.garden.publisher_model)

    def offers(live: Live, clients: Clients, calls: Calls) -> Live:
        found = read_published(calls, clients.catalogue, name)
        if found is None:
            return _unknown(live)
        live = replace(live, launch_stage=_stage(found), version=found.version_id)
        return compare(plan, catalog, live, offers_of(found))

    def licence(live: Live, clients: Clients, calls: Calls) -> Live:
        if not live.offers:
            return live
        return replace(live, licence_accepted=licence_accepted(calls, clients.garden, plan.project, name))

    return _answers(Live(plan.service, name, _host()), plan, pace, offers, licence)


def ask_serverless(plan: ManagedPlan, pace: Pace) -> Live:
    """Whether Model Garden's catalogue has the planned serverless model; no request is made to the model itself."""
    name = published_name(plan.model.request_model)

    def served(live: Live, clients: Clients, calls: Calls) -> Live:
        found = read_published(calls, clients.catalogue, name)
        if found is None:
            return _unknown(live)
        return replace(live, keeps_plan=True, launch_stage=_stage(found), version=found.version_id)

    return _answers(Live(plan.service, name, _host()), plan, pace, served)


def _unknown(live: Live) -> Live:
    return replace(live, keeps_plan=False, differences=(f"Model Garden's catalogue has no {live.asked}",))


def _host() -> str:
    return host_of(os.environ.get(ADDRESS_VARIABLE, "")) or f"{CATALOGUE_LOCATION}-aiplatform.googleapis.com"


def _stage(found: types.PublisherModel) -> str:
    number = types.PublisherModel.pb(found).launch_stage
    try:
        return str(types.PublisherModel.LaunchStage(number).name) if number else ""
    except ValueError:
        return ""


def _answers(live: Live, plan: ManagedPlan, pace: Pace, *looks: _Look) -> Live:
    """What the looks find, one after the other, until one of them fails."""
    location = CATALOGUE_LOCATION if plan.garden is None else plan.location
    try:
        clients = connect(location, os.environ.get(ADDRESS_VARIABLE, ""))
    except (*ERRORS, OSError, ValueError) as error:  # the last two: files of credentials that cannot be read
        return replace(live, error=_problem(error, plan))
    try:
        for look in looks:
            live = look(live, clients, Calls(pace))
    except ERRORS as error:
        return replace(live, error=_problem(error, plan))
    return live


def _problem(error: Exception, plan: ManagedPlan) -> str:
    """What went wrong, and what to do."""
    match error:
        case authentication.DefaultCredentialsError() if os.environ.get(_FILE_VARIABLE):
            return f"no Google credentials in the file of {_FILE_VARIABLE}; correct it, or unset it and {_LOGIN}"
        case authentication.DefaultCredentialsError():
            return f"no Google credentials; {_LOGIN}"
        case authentication.TransportError():
            return "the server of Google's credentials cannot be reached; is there a network?"
        case authentication.GoogleAuthError():
            return f"Google takes these credentials no more; {_LOGIN}"
        case exceptions.GoogleAPICallError():
            return sentence(answered(error, _DOING)) + _advice(error, plan)
        case _:
            return sentence(f"{_DOING}: {error}")


def _advice(error: Exception, plan: ManagedPlan) -> str:
    match error:
        case exceptions.Unauthenticated() | exceptions.Unauthorized():
            return f"\nTo log in, {_LOGIN}"
        case exceptions.Forbidden():
            return (
                f"\nIt takes roles/aiplatform.user in project {plan.project}, aiplatform.googleapis.com switched on, "
                f"and a project to count the calls:\n  gcloud auth application-default set-quota-project {plan.project}"
            )
        case exceptions.TooManyRequests() | exceptions.ServiceUnavailable():
            return "\nTry again later."
        case _:
            return ""
