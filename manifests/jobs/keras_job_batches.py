"""Generation and evaluation: records in batches, answers in parts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

from keras_job_files import Progress, Record, Run, StoppedError, line_bytes, say, write_whole
from keras_job_model import check_lengths, compile_loss, first_of, load_model, pairs, weight_of

PART = re.compile(r"^part-(\d{9})-(\d{9})\.jsonl$")


def parts_of(run: Run) -> tuple[list[Path], int]:
    """Parts of the output that are there, and the number of the first record that none of them has."""
    parts: list[Path] = []
    at = 0
    for path in sorted(run.kept.glob("part-*.jsonl")):
        match = PART.match(path.name)
        if match is None or int(match[1]) != at:
            continue
        data = path.read_bytes()
        if data.endswith(b"\n") and data.count(b"\n") == int(match[2]) - at:
            parts.append(path)
            at = int(match[2])
    return parts, at


class Answers(Protocol):
    """What a mode makes of a batch."""

    def __call__(self, batch: list[Record], at: int) -> Iterable[Record]:
        """One answer per record; `at` is the number of the first."""


def write_lines(run: Run, answers: Answers) -> dict[str, Any]:
    """Answer every record in batches, in parts that a later run goes on from, and put the parts together.

    Raises:
        StoppedError: a stop was asked for; what is done is kept.
    """
    size, records = run.args.batch_size, run.records
    _, at = parts_of(run)
    if at:
        say(f"going on after {at:,} of {len(records):,} records")
    progress = Progress("records", len(records), at)
    lines: list[bytes] = []
    first = at
    while at < len(records):
        batch = records[at : at + size]
        found = answers([*batch, *[batch[-1]] * (size - len(batch))], at)  # one shape, compiled once
        for offset, (record, answer) in enumerate(zip(batch, found, strict=False)):
            lines.append(line_bytes({"id": record.get("id", run_number(run, at + offset)), **answer}))
        at += len(batch)
        if run.stop.save_due() or at == len(records):
            write_whole(run.kept / f"part-{first:09d}-{at:09d}.jsonl", b"".join(lines))
            first, lines = at, []
        progress.step(at)
        if run.stop.asked and at < len(records):
            raise StoppedError(f"{at:,} of {len(records):,} records")
    parts, at = parts_of(run)
    if at != len(records):
        raise RuntimeError(f"parts end at record {at:,} of {len(records):,}")
    text = b"".join(part.read_bytes() for part in parts)
    write_whole(run.folder / "outputs.jsonl", text)
    result: dict[str, Any] = {"records": len(records)}
    if run.args.mode == "evaluate":
        rows = [json.loads(line) for line in text.splitlines()]
        tokens = sum(row["tokens"] for row in rows)
        result |= {"tokens": tokens, "loss": sum(row["loss"] * row["tokens"] for row in rows) / tokens}
    return result


def run_number(run: Run, at: int) -> int:
    """Number of a record in the whole input, from 0: pod I of N has records I, I + N, I + 2N and so on."""
    return int(at * run.args.shards + run.args.shard)


def generate(run: Run) -> None:
    """Complete every prompt: the likeliest tokens, or sampled ones with a temperature."""
    import keras_hub

    model = load_model(run.args)
    check_lengths(model, run.records, run.args.sequence_length, responses=False)
    sampler: Any = "greedy"
    if run.args.temperature > 0:
        sampler = keras_hub.samplers.TopPSampler(p=0.95, k=64, temperature=run.args.temperature, seed=run.args.seed)
    model.compile(sampler=sampler)

    def answers(batch: list[Record], at: int) -> list[Record]:
        if run.args.temperature > 0:
            state = sampler.seed_generator.state  # of this batch, whatever was sampled before it
            state.assign([run.args.seed, at * run.args.shards + run.args.shard])
        texts = model.generate([one["prompt"] for one in batch], run.args.sequence_length, strip_prompt=True)
        return [{"text": text} for text in texts]

    run.finish(write_lines(run, answers), "outputs.jsonl")


def evaluate(run: Run) -> None:
    """Mean loss per token of every response; one record at a time, so that each has a figure of its own."""
    model = load_model(run.args)
    check_lengths(model, run.records, run.args.sequence_length, responses=True)
    compile_loss(model, run.args)

    def answers(batch: list[Record], at: int) -> Iterator[Record]:  # noqa: ARG001 (no batch has a state of its own)
        for one in batch:
            model.reset_metrics()
            loss = model.test_on_batch(pairs([one]))
            yield {"loss": round(float(first_of(loss)), 6), "tokens": weight_of(model, [one])}

    run.finish(write_lines(run, answers), "outputs.jsonl")
