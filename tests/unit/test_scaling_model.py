"""Plans under a modelled autoscaler: no flapping, nothing removed that has just been started, and enough in the end."""

from __future__ import annotations

import dataclasses
import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.pipeline import Endpoint
from infra.plan.signals import Signal
from tests.unit.autoscaling_model import Autoscaler, Engine, run
from tests.unit.test_golden import MORE

SCALED = {name: one for name, one in MORE.items() if one.plan.scaling and one.plan.min_replicas}
BY_QUEUE = [name for name, one in SCALED.items() if one.plan.scaling and one.plan.scaling.signals[0].name == "queue"]
ANSWER_SECONDS = 20.0


def model(endpoint: Endpoint, signals: tuple[Signal, ...] | None = None, fit: float = 40) -> tuple[Autoscaler, Engine]:
    plan = endpoint.plan
    assert plan.scaling
    slots = dict(plan.settings).get("maxNumSeqs", plan.context.concurrency)
    fits = fit if endpoint.plan.framework.name == "vllm" else slots  # llama.cpp has room for every slot
    engine = Engine(slots, fits, ANSWER_SECONDS, plan.timing.startup_seconds, [0.0] * plan.min_replicas)
    return Autoscaler(plan.scaling, plan.min_replicas, plan.replicas, signals or plan.scaling.signals), engine


def rate(engine: Engine, replicas: float) -> float:
    """Requests per second that so many replicas can just answer."""
    return replicas * min(engine.slots, engine.fit) / ANSWER_SECONDS


def directions(changes: list[tuple[float, int]]) -> int:
    """How often the number turns from growing to shrinking or back."""
    signs = [by > 0 for _, by in changes]
    return sum(one != two for one, two in itertools.pairwise(signs))


@settings(max_examples=40, deadline=None)
@given(
    name=st.sampled_from(sorted(SCALED)),
    whole=st.integers(0, 5),
    part=st.floats(0.1, 0.9),
    fit=st.sampled_from([3.0, 40.0, 1000.0]),
)
def test_under_a_steady_load_the_number_settles_and_stays(name: str, whole: int, part: float, fit: float) -> None:
    autoscaler, engine = model(SCALED[name], fit=fit)
    needed = whole + part
    if needed > autoscaler.most - 0.1:
        needed = autoscaler.most - 0.5
    changes = run(autoscaler, engine, lambda _: rate(engine, needed), 8 * 3600)
    assert directions(changes) <= 1, changes
    assert not [when for when, _ in changes if when > 6 * 3600], changes
    assert len(engine.started) >= needed
    assert engine.waiting < autoscaler.most * 4 or len(engine.started) == autoscaler.most, "a backlog takes its time"


@pytest.mark.parametrize("name", BY_QUEUE)
def test_the_queue_alone_would_flap_which_is_why_there_is_more_to_hold_replicas(name: str) -> None:
    alone = SCALED[name].plan.scaling
    assert alone
    autoscaler, engine = model(SCALED[name], alone.signals[:1])
    needed = autoscaler.least + 0.5
    assert directions(run(autoscaler, engine, lambda _: rate(engine, needed), 24 * 3600)) > 4


@settings(max_examples=40, deadline=None)
@given(name=st.sampled_from(sorted(SCALED)), seed=st.integers(0, 10**6))
def test_under_any_load_nothing_is_removed_within_a_start_up_time_of_being_asked_for(name: str, seed: int) -> None:
    autoscaler, engine = model(SCALED[name])
    dice = random.Random(seed)
    levels = [dice.uniform(0, autoscaler.most * 1.5) for _ in range(200)]
    span = dice.choice([30, 120, 600, 3600])
    changes = run(autoscaler, engine, lambda now: rate(engine, levels[int(now / span) % 200]), 8 * 3600)
    for when, by in changes:
        if by > 0:
            after = [later for later, other in changes if later > when and other < 0]
            assert not after or after[0] - when >= engine.start_seconds, changes
    assert all(abs(by) == 1 for _, by in changes), changes


def test_a_window_below_the_start_up_time_is_found() -> None:
    """The last test can fail: without a window a burst starts what is removed before it serves."""
    (name,) = [name for name in BY_QUEUE if "busy" in name]
    autoscaler, engine = model(SCALED[name])
    hasty = dataclasses.replace(autoscaler.scaling.down, window_seconds=0)
    autoscaler.scaling = dataclasses.replace(autoscaler.scaling, down=hasty)
    burst = rate(engine, autoscaler.most)
    changes = run(autoscaler, engine, lambda now: burst if now < 200 else 0.0, 3600)
    ups, downs = [when for when, by in changes if by > 0], [when for when, by in changes if by < 0]
    assert ups
    assert downs[0] - ups[0] < engine.start_seconds
