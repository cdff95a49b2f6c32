"""Creating, reading, changing and deleting whatever `resource_types` describes.

The order and the words of errors are those of the code that magic-modules generates: "Error creating X: ",
'Error updating X "ID": ', "Error when reading or editing X: ".
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from simulator.google import resource_ids, resource_type
from simulator.google.errors import GoogleApiError, GoogleError
from simulator.google.failures import Failures
from simulator.google.labels import provider_labels
from simulator.google.nodes import timestamp
from simulator.google.operation import Operation
from simulator.google.projects import check_call
from simulator.google.resource_type import Request, ResourceType
from simulator.google.schema import resource_kind
from simulator.google.state import State
from simulator.google.timing import Timing
from simulator.google.wire import Properties

PROVIDER_ONLY = (
    "checkExistingUsage",
    "checkIfServiceHasUsageOnDestroy",
    "createIgnoreAlreadyExists",
    "deletionPolicy",
    "deletionProtection",
    "disableDependentServices",
    "disableOnDestroy",
    "forceDelete",
    "forceDestroy",
    "sensitiveLabels",
)
"""Inputs that only the provider knows, or that Google takes and never shows: nothing here keeps them."""


class NamedResource:
    """One resource type that is described as data."""

    def __init__(self, state: State, kind: ResourceType) -> None:
        self._state = state
        self._kind = kind
        self._failures = Failures(state)
        self.computed: tuple[str, ...] = (*kind.unknown, *(("effectiveLabels", "pulumiLabels") * kind.labelled))
        self.timeouts: Mapping[str, float] = kind.timeouts

    def create(self, inputs: Properties, config: Properties, timeout: float, cancelled: threading.Event) -> Properties:
        """Create it; return its outputs."""
        kind, known = self._kind, _known(inputs)
        operation = Operation(f"Creating {kind.noun}", timeout, cancelled)
        dates = {"createdAt": timestamp(), "updatedAt": timestamp()}
        request = self._request(self._state.read(), known, config, dates)
        self._check("create", request)
        failure = self._failures.take(kind.token)
        if failure is not None and not failure.after_half:
            raise GoogleError(self._words("create", request, failure.error()))
        try:
            self._wait(operation)
            if failure is not None:
                activity = f"Error waiting to create {kind.noun}: Error waiting for Creating {kind.noun}: "
                raise GoogleError(activity + failure.message)
        except GoogleError:
            with self._state.change() as data:
                kind.half_made(replace(request, data=data))
            raise
        with self._state.change() as data:
            request = self._request(data, known, config, dates)
            self._check("create", request)
            data["resources"][self._key(request.identifier)] = {
                "type": kind.token,
                "id": request.identifier,
                "project": request.project,
                "inputs": self._kept(known),
                "made": request.made,
                "providerLabels": dict(request.labels),
            }
            kind.effect(request)
        return self._outputs(request)

    def read(self, identifier: str, config: Properties) -> tuple[Properties, Properties] | None:
        """Its outputs and the inputs it was made with, or None if it is gone."""
        data = self._state.read()
        record = self._record(data, identifier, config)
        if record is None:
            return None
        request = self._of_record(data, record, config)
        self._call("get", request)
        return self._outputs(request), record["inputs"]

    def update(
        self, identifier: str, inputs: Properties, config: Properties, timeout: float, cancelled: threading.Event
    ) -> Properties:
        """Change it in place; return its outputs."""
        kind, known = self._kind, _known(inputs)
        operation = Operation(f"Updating {kind.noun}", timeout, cancelled)
        request = self._changed(self._state.read(), identifier, known, config)
        failure = self._failures.take(kind.token)
        if failure is not None:
            raise GoogleError(self._words("update", request, failure.error()))
        self._wait(operation)
        with self._state.change() as data:
            request = self._changed(data, identifier, known, config)
            record = data["resources"].setdefault(
                self._key(identifier), {"type": kind.token, "id": identifier, "project": request.project}
            )
            record |= {"inputs": self._kept(known), "made": request.made, "providerLabels": dict(request.labels)}
        return self._outputs(request)

    def delete(
        self, identifier: str, state: Properties, config: Properties, timeout: float, cancelled: threading.Event
    ) -> None:
        """Delete it; one that is gone is fine."""
        policy = state.get("deletionPolicy")
        if policy == "ABANDON":
            return
        if policy == "PREVENT":
            raise GoogleError(f"Cannot destroy {identifier} as deletion_policy is set to PREVENT")
        operation = Operation(f"Deleting {self._kind.noun}", timeout, cancelled)
        request = self._may_go(self._state.read(), identifier, state, config)
        if request is None:
            return
        failure = self._failures.take(self._kind.token)
        if failure is not None:
            raise GoogleError(self._words("delete", request, failure.error()))
        self._wait(operation)
        with self._state.change() as data:
            request = self._may_go(data, identifier, state, config)
            if request is None:
                return
            try:
                self._remove(request)
            except GoogleError as error:
                raise GoogleError(self._words("delete", request, error)) from error

    def forget(self, data: dict[str, Any], identifier: str) -> None:
        """Remove it as by hand, whatever the provider would say."""
        record = data["resources"][self._key(identifier)]
        own = {"disableOnDestroy": True, "disableDependentServices": True}
        request = self._of_record(data, record, {})
        self._remove(replace(request, inputs={**record["inputs"], **own}))

    def _remove(self, request: Request) -> None:
        """Take it out, and the bindings of its policy with it."""
        resources = request.data["resources"]
        name = self._key(request.identifier)
        resources.pop(name, None)
        self._kind.after_delete(request)
        for other, record in list(resources.items()):
            if record["made"].get("target") == name:
                del resources[other]

    def _may_go(self, data: dict[str, Any], identifier: str, state: Properties, config: Properties) -> Request | None:
        """The deletion that Google allows; None when the thing is gone and that is fine."""
        record = self._record(data, identifier, config)
        if record is None:
            if self._kind.gone is None:
                return None
            request = self._request(data, {}, config, {}, identifier, str(state.get("project") or ""))
            raise GoogleError(self._words("delete", request, self._kind.gone(request)))
        own = {key: state[key] for key in PROVIDER_ONLY if key in state}
        request = self._of_record(data, {**record, "inputs": {**record["inputs"], **own}}, config)
        request = replace(request, state=state)
        self._call("delete", request)
        self._rules("delete", self._kind.delete_rules, request)
        return request

    def _changed(self, data: dict[str, Any], identifier: str, inputs: Properties, config: Properties) -> Request:
        record = self._record(data, identifier, config)
        if record is None:
            request = self._request(data, inputs, config, {}, identifier)
            unknown = GoogleApiError(404, f"Resource '{identifier}' was not found", "notFound")
            missing = self._kind.gone(request) if self._kind.gone else unknown
            raise GoogleError(self._words("update", request, missing))
        made = {**record["made"], "updatedAt": timestamp()}
        request = self._request(data, inputs, config, made, identifier, record["project"])
        self._call("update", request)
        self._rules("update", self._kind.change_rules, request)
        return request

    def _check(self, verb: str, request: Request) -> None:
        """All that Google looks at before it makes something."""
        self._call(verb, request)
        if self._key(request.identifier) in request.data["resources"] and self._kind.taken is not None:
            taken = self._kind.taken(request)
            if taken is not None:
                raise GoogleError(self._words(verb, request, taken))
        self._rules(verb, self._kind.create_rules + self._kind.change_rules, request)

    def _call(self, verb: str, request: Request) -> None:
        noun = self._kind.noun[:1].lower() + self._kind.noun[1:]
        try:
            project = self._kind.consumer(request)
            check_call(request.data, project, self._kind.service, noun, verb, request.identifier)
        except GoogleError as error:
            raise GoogleError(self._words(verb, request, error)) from error

    def _rules(self, verb: str, rules: tuple[resource_type.Rule, ...], request: Request) -> None:
        for rule in rules:
            try:
                rule(request)
            except GoogleError as error:
                raise GoogleError(self._words(verb, request, error)) from error

    def _words(self, verb: str, request: Request, error: GoogleError) -> str:
        text = self._kind.wrap(verb, request, error) if self._kind.wrap else ""
        if text:
            return text
        if verb == "create":
            return f"Error creating {self._kind.noun}: {error}"
        if verb == "update":
            return f'Error updating {self._kind.noun} "{request.identifier}": {error}'
        return f"Error when reading or editing {self._kind.noun}: {error}"

    def _wait(self, operation: Operation) -> None:
        operation.wait(Timing.current(self._state.read()).operation_seconds)

    def _key(self, identifier: str) -> str:
        return resource_type.key(self._kind.service, identifier)

    def _record(self, data: dict[str, Any], identifier: str, config: Properties) -> dict[str, Any] | None:
        """The record of an id, in its full form or as it may be imported."""
        kind = self._kind
        full = (
            identifier if self._key(identifier) in data["resources"] else resource_ids.full_id(kind, identifier, config)
        )
        record: dict[str, Any] | None = data["resources"].get(self._key(full))
        if kind.found is not None:
            project, _, name = full.partition("/")
            given = {"service": name}
            if not kind.found(Request(data, project, given, full)):
                return None
            record = record or {"id": full, "project": project, "inputs": {**given, "project": project}, "made": {}}
        return record

    def _of_record(self, data: dict[str, Any], record: dict[str, Any], config: Properties) -> Request:
        request = self._request(data, record["inputs"], config, record["made"], record["id"], record["project"])
        return replace(request, labels=record.get("providerLabels") or {})

    def _request(
        self,
        data: dict[str, Any],
        inputs: Properties,
        config: Properties,
        made: Properties,
        identifier: str = "",
        project: str = "",
    ) -> Request:
        project = project or resource_ids.project_of(inputs, config)
        request = Request(data, project, inputs, identifier, made, config, provider_labels(config))
        if identifier:
            return request
        made = {**self._kind.assigned(request), **made}
        return replace(request, made=made, identifier=resource_ids.made_id(self._kind, replace(request, made=made)))

    def _outputs(self, request: Request) -> Properties:
        fields = resource_kind(self._kind.token)
        known = fields.fields if fields else {}
        outputs: Properties = {**self._kind.defaults, **request.inputs}
        for name in self._kind.write_only:
            outputs.pop(name, None)
        place = dict(zip(request.identifier.split("/")[:-1:2], request.identifier.split("/")[1::2], strict=False))
        settled = {
            "project": request.project,
            "region": place.get("regions") or resource_ids.default_of("region", request.configuration),
            "location": place.get("locations"),
            "deletionPolicy": request.configuration.get("deletionPolicy") or "DELETE",
        }
        for name, value in settled.items():
            if name in known and value and not outputs.get(name):
                outputs[name] = value
        outputs |= self._kind.outputs(request)
        if self._kind.labelled:
            labels = {**request.labels, **(request.inputs.get("labels") or {})}
            outputs |= {"effectiveLabels": labels, "pulumiLabels": labels}
        return {**outputs, "id": request.identifier}

    def _kept(self, inputs: Properties) -> Properties:
        """What Google keeps of the inputs."""
        return {key: value for key, value in inputs.items() if key not in (*PROVIDER_ONLY, *self._kind.write_only)}


def _known(inputs: Properties) -> Properties:
    return {key: value for key, value in inputs.items() if key != "__defaults" and value is not None}
