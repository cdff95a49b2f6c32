"""Deploying from Model Garden: found, taken over, made, changed, read, removed. Ids are ours, so a look comes first."""

from __future__ import annotations

from typing import Any

from google.api_core import exceptions
from google.cloud.aiplatform_v1beta1 import types
from google.protobuf import json_format

from infra.vertex import messages
from infra.vertex.calls import Calls, Deadline
from infra.vertex.clients import Clients
from infra.vertex.deployment import OPERATION, Deployment, changed, replacing, to_inputs
from infra.vertex.failures import (
    ERRORS,
    CutOffError,
    OperationTimeoutError,
    TakenError,
    VertexError,
    explain,
    words,
)
from infra.vertex.live import Live, is_ours, our_models, read_live
from infra.vertex.published import licence_accepted, offers_of, read_published
from infra.vertex.removal import Removal, left_behind

_OFFERS_SHOWN = 6


class Garden:
    """The calls for one deployment."""

    def __init__(self, wanted: Deployment, clients: Clients, calls: Calls) -> None:
        self._wanted = wanted
        self._clients = clients
        self._calls = calls
        self._removal = Removal(wanted, clients, calls)

    def create(self) -> Live:
        """Deploy, or take over what an earlier run of this stack made.

        Returns:
            What serves, with this stack's labels.

        Raises:
            TakenError: the id belongs to somebody else, or to something else of ours; it was left alone.
            OperationTimeoutError: not done within `timeout_seconds`; what was made was removed.
            VertexError: Google refused or failed; what was made was removed.
        """
        deadline = Deadline(self._wanted.timeout_seconds)
        found = self._take_over(deadline)
        if found:
            return found
        for second in (False, True):
            try:
                operation = self._calls.ask(
                    "starting the deployment",
                    self._clients.garden.deploy,
                    repeat_unsure=False,
                    request=messages.deploy_request(self._wanted),
                ).operation.name
                return self._follow(operation, deadline)
            except (CutOffError, exceptions.Conflict) as error:
                # An earlier call, of this run or one that was killed, has arrived after all.
                found = self._take_over(deadline)
                if found:
                    return found
                if second:
                    raise explain(error, "The deployment could not be started", self._wanted) from None
            except ERRORS as error:
                raise self._refused(error) from None
        raise AssertionError("unreachable")

    def read(self) -> Live | None:
        """Return what is there; None where the endpoint is gone, or is somebody else's by now."""
        endpoint = self._endpoint()
        if endpoint is None or not is_ours(self._wanted, endpoint):
            return None
        return read_live(self._wanted, endpoint, self._model())

    def container(self) -> Any | None:
        """Container of what serves, as its Registry entry has it; None without an entry."""
        model = self._model()
        return model.container_spec if model else None

    def update(self) -> Live:
        """Change replicas, autoscaling and labels in place; deploy again what was undeployed by hand.

        Raises:
            VertexError: it is gone, or Google refused.
        """
        live = self.read()
        if live is None:
            raise VertexError(
                f"Endpoint {self._wanted.endpoint_id} is gone, or not this stack's any more. Run: pulumi refresh"
            )
        return self._align(live) if live.deployed_model_id else self.create()

    def delete(self) -> None:
        """Remove everything of ours; what is gone is done."""
        self._removal.remove()

    def _endpoint(self) -> Any | None:
        method = self._clients.endpoints.get_endpoint
        return self._calls.find("reading the endpoint", method, name=self._wanted.endpoint_name)

    def _model(self) -> Any | None:
        return self._calls.find("reading the model", self._clients.models.get_model, name=self._wanted.model_name)

    def _take_over(self, deadline: Deadline) -> Live | None:
        """Adopt what serves, wait for what is being made, remove what is half made, refuse what is not ours."""
        wanted = self._wanted
        endpoint, model = self._endpoint(), self._model()
        self._refuse_others("Endpoint", wanted.endpoint_id, endpoint)
        self._refuse_others("Model", wanted.model_id, model)
        if endpoint is not None and not endpoint.deployed_models:
            self._wait_for_earlier(endpoint, deadline)
            endpoint, model = self._endpoint(), self._model()
        if endpoint is not None and our_models(wanted, endpoint):
            live = read_live(wanted, endpoint, model)
            self._refuse_different(live, model)
            self._calls.say(f"endpoint {wanted.endpoint_id} serves already and is this stack's: taken over")
            return self._align(live)
        if endpoint is not None or model is not None:
            self._calls.say("an earlier run left a half-made deployment: removing it")
            self._removal.remove()
        return None

    def _refuse_others(self, kind: str, name: str, found: Any | None) -> None:
        if found is not None and not is_ours(self._wanted, found):
            raise TakenError(
                f"{kind} {name} exists in {self._wanted.project}, {self._wanted.location}, and is not this stack's "
                f"(its name is {found.display_name!r}). It was left alone. Choose another id, or delete it."
            )

    def _refuse_different(self, live: Live, model: Any | None) -> None:
        old, new = to_inputs(live.deployment), to_inputs(self._wanted)
        names = replacing(changed(old, new))
        lines = [f"  {name}: {old[name]}, wanted {new[name]}" for name in names]
        container = model.container_spec if model else types.ModelContainerSpec()
        if self._wanted.container_image and container.image_uri != self._wanted.container_image:
            lines.append(f"  container_image: {container.image_uri}, wanted {self._wanted.container_image}")
        if lines:
            what = [f"Endpoint {self._wanted.endpoint_id} is this stack's, but not as wanted:", *lines]
            raise TakenError(
                "\n".join([*what, "It was left alone. Ask for what it is, run `pulumi up`, then change it."])
            )

    def _wait_for_earlier(self, endpoint: Any, deadline: Deadline) -> None:
        """Wait for a deployment that an earlier run has started."""
        for operation in self._earlier_operations(endpoint):
            self._calls.say("an earlier run's deployment still goes on: waiting for it")
            try:
                self._calls.finish("waiting for", self._clients.garden, operation, deadline)
            except exceptions.GoogleAPICallError as error:
                self._calls.say(f"it failed: {words(error)}")
            except OperationTimeoutError as error:
                raise self._after_cleaning(error, operation) from None

    def _earlier_operations(self, endpoint: Any) -> list[str]:
        """The operation that the endpoint's label names; without one, what runs for the same model since before it."""
        if identity := endpoint.labels.get(OPERATION):
            return [f"{self._wanted.parent}/operations/{identity}"]
        try:
            listed = self._calls.ask(
                "listing operations", self._clients.garden.list_operations, request={"name": self._wanted.parent}
            )
        except (exceptions.GoogleAPICallError, json_format.ParseError):
            return []
        metadata = types.DeployOperationMetadata.pb(types.DeployOperationMetadata())
        found = []
        for operation in listed.operations:
            if not operation.done and operation.metadata.Unpack(metadata):
                started = metadata.generic_metadata.create_time.ToDatetime()
                made = types.Endpoint.pb(endpoint).create_time.ToDatetime()
                if metadata.publisher_model == self._wanted.publisher_model_name and started <= made:
                    found.append(operation.name)
        return found

    def _follow(self, operation: str, deadline: Deadline) -> Live:
        """Wait for the deployment; on failure remove what it made."""
        labelled = False

        def mark() -> None:
            """Label the endpoint as soon as it is there, so that a run after a killed one knows what it waits for."""
            nonlocal labelled
            if not labelled and (endpoint := self._endpoint()) and is_ours(self._wanted, endpoint):
                labelled = True
                self._label({OPERATION: operation.rpartition("/")[2]})

        try:
            doing = f"deploying {self._wanted.publisher_model}"
            done = self._calls.finish(doing, self._clients.garden, operation, deadline, mark)
            metadata = types.DeployOperationMetadata.pb(types.DeployOperationMetadata())
            done.metadata.Unpack(metadata)
            endpoint = self._endpoint()
            if endpoint is None or not our_models(self._wanted, endpoint):
                raise VertexError("Google says that it is deployed, but the endpoint does not serve it.")
            self._refuse_others("Endpoint", self._wanted.endpoint_id, endpoint)
            return self._align(read_live(self._wanted, endpoint, self._model(), metadata.model_id))
        except exceptions.AlreadyExists:
            raise
        except ERRORS as error:
            raise self._after_cleaning(error, operation) from None

    def _after_cleaning(self, error: Exception, operation: str) -> VertexError:
        """Remove what a failed deployment made; return what to raise."""
        told = explain(error, "The deployment failed", self._wanted)
        text = str(told) if operation in str(told) else f"{told}\nOperation:\n{operation}"
        unfinished = isinstance(error, OperationTimeoutError | CutOffError)
        try:
            if unfinished:
                self._removal.cancel(operation)
        except ERRORS as again:
            self._calls.say(str(explain(again, "cancelling", self._wanted)))
        try:
            self._removal.remove()
            text += "\nWhat it had made was removed."
        except ERRORS as again:
            text += "\n" + left_behind(self._wanted, explain(again, "removing", self._wanted))
        return (OperationTimeoutError if isinstance(error, TimeoutError) else VertexError)(text)

    def _refused(self, error: Exception) -> VertexError:
        """What to raise when Google takes no deployment: nothing was made."""
        told = explain(error, "The deployment was refused", self._wanted)
        if isinstance(error, exceptions.BadRequest):
            more = self._licence() or self._offers()
            return VertexError(f"{told}\n{more}") if more else told
        return told

    def _licence(self) -> str:
        """Whether the model's licence stands in the way; empty where it does not, or Google does not tell."""
        if self._wanted.accept_eula:
            return ""
        name = self._wanted.publisher_model_name
        try:
            accepted = licence_accepted(self._calls, self._clients.garden, self._wanted.project, name)
        except ERRORS:
            return ""
        if accepted is not False:
            return ""
        shown = name.partition("@")[0]
        return f"The licence of {shown} is not accepted in this project: read it, then set accept_eula."

    def _offers(self) -> str:
        """Machines that Model Garden offers for the model; empty where it tells none."""
        try:
            found = read_published(self._calls, self._clients.catalogue, self._wanted.publisher_model_name)
        except ERRORS:
            return ""
        offers = [f"  {one.machine_type}, {one.accelerators}" for one in (offers_of(found) if found else ())]
        lines = list(dict.fromkeys(offers))[:_OFFERS_SHOWN]
        return "\n".join(["Model Garden offers for it:", *lines]) if lines else ""

    def _label(self, more: dict[str, str]) -> None:
        """Set the labels; they can wait for another run, so a refusal is told, not raised."""
        method = self._clients.endpoints.update_endpoint
        request = messages.label_request(self._wanted, self._wanted.all_labels | more)
        try:
            self._calls.ask("labelling the endpoint", method, request=request)
        except ERRORS as error:
            self._calls.say(str(explain(error, "the endpoint's labels could not be set", self._wanted)))

    def _align(self, live: Live) -> Live:
        """Change in place what differs, then look again."""
        wanted, old = self._wanted, live.deployment
        metrics = old.autoscaling != wanted.autoscaling
        if metrics or (old.min_replicas, old.max_replicas) != (wanted.min_replicas, wanted.max_replicas):
            request = messages.mutate_request(wanted, live.deployed_model_id, metrics)
            doing = "changing replicas"
            started = self._calls.ask(doing, self._clients.endpoints.mutate_deployed_model, request=request)
            deadline = Deadline(self._calls.pace.change_seconds)
            self._calls.finish(doing, self._clients.garden, started.operation.name, deadline)
        self._label({})
        endpoint = self._endpoint()
        if endpoint is None or not our_models(wanted, endpoint):
            raise VertexError(f"Endpoint {wanted.endpoint_id} vanished while it was changed. Run: pulumi refresh")
        return read_live(wanted, endpoint, self._model(), live.request_model)
