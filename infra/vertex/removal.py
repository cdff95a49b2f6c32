"""Taking a deployment away: what is deployed, the endpoint, the Registry entry; never anything of others."""

from __future__ import annotations

from typing import Any

from google.api_core import exceptions

from infra.vertex.calls import Calls, Deadline
from infra.vertex.clients import Clients
from infra.vertex.deployment import Deployment
from infra.vertex.failures import OperationTimeoutError, TakenError, VertexError, words
from infra.vertex.live import is_ours, last_part, other_models

_MAYBE_LATER = (exceptions.Conflict, exceptions.BadRequest)


class Removal:
    """Removes until nothing of ours is left, whatever state it finds: a removal may be begun again at any time."""

    def __init__(self, wanted: Deployment, clients: Clients, calls: Calls) -> None:
        self._wanted = wanted
        self._clients = clients
        self._calls = calls

    def remove(self) -> None:
        """Undeploy, delete the endpoint, delete the model; what is not there is done.

        Raises:
            TakenError: the endpoint serves models of others; nothing was touched.
            OperationTimeoutError: not done within the pace's `removal_seconds`.
        """
        deadline = Deadline(self._calls.pace.removal_seconds)
        self._remove_endpoint(deadline)
        self._remove_model(deadline)

    def cancel(self, operation: str) -> None:
        """Stop a running deployment, so that it makes nothing more; Google may not oblige.

        Raises:
            OperationTimeoutError: it neither stopped nor ended within the pace's `removal_seconds`.
        """
        garden = self._clients.garden
        deadline = Deadline(self._calls.pace.removal_seconds)
        try:
            self._calls.ask("cancelling", garden.cancel_operation, request={"name": operation})
        except exceptions.GoogleAPICallError as error:
            self._calls.say(f"the operation cannot be cancelled ({type(error).__name__}); waiting for its end")
        try:
            self._calls.finish("waiting for the end of", garden, operation, deadline)
        except exceptions.GoogleAPICallError:
            return

    def _remove_endpoint(self, deadline: Deadline) -> None:
        wanted, endpoints = self._wanted, self._clients.endpoints
        for pause in self._calls.pace.pauses():
            endpoint = self._calls.find("reading the endpoint", endpoints.get_endpoint, name=wanted.endpoint_name)
            if endpoint is None:
                return
            if not is_ours(wanted, endpoint):
                self._calls.say(f"endpoint {wanted.endpoint_id} is not this stack's: left alone")
                return
            if others := other_models(wanted, endpoint):
                names = ", ".join(last_part(one.model) for one in others)
                raise TakenError(
                    f"Endpoint {wanted.endpoint_id} also serves what this stack did not deploy: {names}. It was left "
                    "as it is: undeploy that first."
                )
            try:
                for deployed in endpoint.deployed_models:
                    self._await(
                        "undeploying",
                        endpoints.undeploy_model,
                        deadline,
                        endpoint=wanted.endpoint_name,
                        deployed_model_id=deployed.id,
                        traffic_split={},
                    )
                self._await("deleting the endpoint", endpoints.delete_endpoint, deadline, name=wanted.endpoint_name)
            except exceptions.NotFound:
                continue
            except _MAYBE_LATER as error:
                self._stop_late("deleting the endpoint", error, deadline)
                deadline.pause(pause)

    def _remove_model(self, deadline: Deadline) -> None:
        wanted, models = self._wanted, self._clients.models
        for pause in self._calls.pace.pauses():
            model = self._calls.find("reading the model", models.get_model, name=wanted.model_name)
            if model is None:
                return
            if not is_ours(wanted, model):
                self._calls.say(f"model {wanted.model_id} is not this stack's: left alone")
                return
            elsewhere = [last_part(one.endpoint) for one in model.deployed_models]
            elsewhere = [name for name in elsewhere if name != wanted.endpoint_id]
            if elsewhere:
                self._calls.say(f"model {wanted.model_id} also serves at {', '.join(elsewhere)}: left alone")
                return
            try:
                self._await("deleting the model", models.delete_model, deadline, name=wanted.model_name)
            except exceptions.NotFound:
                continue
            except _MAYBE_LATER as error:
                self._stop_late("deleting the model", error, deadline)
                deadline.pause(pause)

    def _await(self, doing: str, method: Any, deadline: Deadline, **arguments: Any) -> None:
        started = self._calls.ask(doing, method, **arguments)
        self._calls.finish(doing, self._clients.garden, started.operation.name, deadline)

    def _stop_late(self, doing: str, error: exceptions.GoogleAPICallError, deadline: Deadline) -> None:
        if not _is_not_yet(error):
            raise error
        if deadline.passed:
            raise OperationTimeoutError(
                f"{doing}: Google refused for {deadline.elapsed_seconds:.0f} s: {words(error)}"
            ) from None
        self._calls.say(f"{doing}: not yet ({type(error).__name__})")


def _is_not_yet(error: exceptions.GoogleAPICallError) -> bool:
    """Whether Google refused because something else still holds on to the thing; over HTTP both are plain 400."""
    if not isinstance(error, exceptions.BadRequest) or isinstance(error, exceptions.FailedPrecondition):
        return True
    try:
        return bool(error.response.json()["error"]["status"] == "FAILED_PRECONDITION")
    except (AttributeError, KeyError, TypeError, ValueError):
        return False


def left_behind(wanted: Deployment, error: VertexError) -> str:
    """What to say when a clean-up failed: what may be left, and how to take it away."""
    flags = f"--project={wanted.project} --region={wanted.location}"
    return "\n".join(
        (
            f"The clean-up failed too: {error}",
            "The next `pulumi up` takes up what is left. By hand, after its models are undeployed:",
            f"  gcloud ai endpoints delete {wanted.endpoint_id}",
            f"  gcloud ai models delete {wanted.model_id}",
            f"  both with {flags}",
        )
    )
