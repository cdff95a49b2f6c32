"""Fixtures of the tests of resources: a project whose APIs are on, and things made and refused in it."""

from __future__ import annotations

from typing import Any

import pytest
from google_harness import Engine, error_of
from google_resource_samples import PROJECT, SAMPLES, SERVICES, Make, Refused, urn

from simulator.google import projects
from simulator.google.cloud import Cloud
from simulator.google.wire import from_struct


@pytest.fixture
def ready(google: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    monkeypatch.setenv("SERVESTACK_SIMULATOR_CREDENTIALS", "service-account")
    with google.state.change() as data:
        for service in SERVICES:
            projects.turn_on(data, PROJECT, service)
    return google


@pytest.fixture
def make(gcp: Engine, ready: Cloud) -> Make:
    def one(token: str, **edits: Any) -> dict[str, Any]:
        inputs = from_struct(gcp.check(urn(token), SAMPLES[token] | edits).inputs)
        return from_struct(gcp.create(urn(token), inputs).properties)

    return one


@pytest.fixture
def refused(make: Make) -> Refused:
    def words(token: str, **edits: Any) -> str:
        details: str = error_of(make, token, **edits).details()
        return details.removeprefix("1 error occurred:\n\t* ").removesuffix("\n\n")

    return words
