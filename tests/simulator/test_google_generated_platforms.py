"""Whatever a Platform file may say, Google makes it: generated files, alone and two in one project."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from fake_kubernetes import FakeApi, FakeStarter
from google_harness import Engine
from google_platforms import make_all
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from pulumi.runtime.proto import plugin_pb2, provider_pb2_grpc
from pulumi.runtime.proto import provider_pb2 as proto
from pydantic import ValidationError

from infra.cloud.platform import platform_resources
from infra.spec import PlatformSpec
from simulator.google.cloud import Cloud
from simulator.google.server import serve
from simulator.google.wire import to_struct

PROJECT = "servestack-dev"
# At their longest, and alike but for the last letter: what is cut must not become the same.
NAMES = st.sampled_from(["dev", "prod", "d" * 39 + "a", "d" * 39 + "b"])
RANGES = st.sampled_from(["10.0.0.0/20", "10.16.0.0/22", "10.64.0.0/14", "172.16.0.0/17", "192.168.8.0/24"])
LABELS = st.dictionaries(
    st.from_regex(r"[a-z][a-z0-9_]{0,20}x", fullmatch=True),
    st.from_regex(r"[a-z0-9]{1,30}", fullmatch=True),
    max_size=16,
)


def _optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


GKE = st.builds(
    lambda fixed, more: fixed | more,
    st.fixed_dictionaries(
        {
            "project": st.just(PROJECT),
            "location": st.sampled_from(["us-central1", "us-central1-a", "europe-west4", "us-east4-c"]),
            "cluster": st.fixed_dictionaries(
                {"name": NAMES}, optional={"mode": st.sampled_from(["autopilot", "standard"])}
            ),
        }
    ),
    _optional(
        zones=st.sampled_from([["us-central1-a"], ["us-central1-b", "us-central1-c"]]),
        network=_optional(
            name=st.sampled_from(["vpc", "v" * 63]),
            subnetwork=st.sampled_from(["gke", "s" * 63]),
            nodes=RANGES,
            pods=RANGES,
            services=RANGES,
            maxNodes=st.integers(4, 400),
            maxPodsPerNode=st.sampled_from([8, 32, 110, 256]),
        ),
        proxyOnlySubnet=st.sampled_from(["10.129.0.0/23", "192.168.64.0/26"]),
        controlPlane=st.sampled_from(["172.16.200.32/28"]),
        authorizedNetworks=st.lists(st.sampled_from(["203.0.113.0/24", "198.51.100.7/32"]), unique=True),
        releaseChannel=st.sampled_from(["RAPID", "REGULAR", "STABLE"]),
        registry=st.booleans(),
        bucket=st.fixed_dictionaries({"name": st.sampled_from(["our-models", "b" * 63])}),
        budget=st.fixed_dictionaries(
            {"billingAccount": st.just("0A1B2C-3D4E5F-678901"), "usdPerMonth": st.integers(1, 10**7)},
            optional={
                "emails": st.lists(st.sampled_from([f"{name}@example.com" for name in "abcde"]), unique=True),
                "covers": st.sampled_from(["platform", "project"]),
            },
        ),
        deletionProtection=st.booleans(),
    ),
)


@contextmanager
def _google() -> Iterator[Engine]:
    """A project in which nothing was made, through the stand-in."""
    with tempfile.TemporaryDirectory() as folder:
        cloud = Cloud(Path(folder), FakeStarter(), connect=FakeApi)
        server, port = serve(cloud)
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = provider_pb2_grpc.ResourceProviderStub(channel)
            stub.Attach(plugin_pb2.PluginAttach(address="127.0.0.1:0"))
            words = {"project": PROJECT, "billingProject": PROJECT, "userProjectOverride": "true"}
            stub.Configure(proto.ConfigureRequest(args=to_struct(words)))
            yield Engine(stub)
        server.stop(None)
        cloud.close()


def _spec(gke: dict[str, Any], labels: dict[str, str]) -> PlatformSpec:
    try:
        return PlatformSpec.model_validate(
            {"apiVersion": "servestack/v1", "kind": "Platform", "gke": gke, "labels": labels}
        )
    except ValidationError:
        reject()


def test_every_field_of_a_created_platform_is_generated() -> None:
    drawn = {"nodeServiceAccount"}  # it must be there before: tests/unit/platform_samples.py
    seen: set[str] = set()

    @settings(max_examples=300, database=None)
    @given(GKE)
    def collect(gke: dict[str, Any]) -> None:
        seen.update(gke)

    collect()
    assert seen | drawn == set(PlatformSpec.model_fields["gke"].annotation.__args__[0].model_fields)  # type: ignore[union-attr]


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(NAMES, GKE, LABELS)
def test_every_platform_file_that_is_taken_is_made(name: str, gke: dict[str, Any], labels: dict[str, str]) -> None:
    resources = platform_resources(name, _spec(gke, labels))
    with _google() as google:
        assert [one.declared.name for one in make_all(google, resources)] == [one.name for one in resources]


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(NAMES, min_size=2, max_size=2, unique=True), st.booleans(), st.booleans())
def test_two_platforms_of_one_project_do_not_take_each_others_names(
    names: list[str], same_region: bool, same_cluster_name: bool
) -> None:
    """The same file twice, but for what tells them apart: the cluster's name in a region, or the region."""
    if same_region and same_cluster_name:
        reject()
    places = ["us-central1", "us-central1" if same_region else "us-east4"]
    clusters = [names[0], names[0] if same_cluster_name else names[1]]
    with _google() as google:
        for name, place, cluster in zip(names, places, clusters, strict=True):
            gke = {
                "project": PROJECT,
                "location": place,
                "cluster": {"name": cluster},
                "proxyOnlySubnet": "10.129.0.0/23",
            }
            make_all(google, platform_resources(name, _spec(gke, {})))
