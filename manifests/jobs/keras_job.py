"""Batch generation, evaluation or LoRA fine-tuning with a keras-hub preset; goes on where an earlier run was stopped.

Runs in a pod with the files beside it: keras-hub, numpy and the standard library are all that they import. It reads
JSON lines with `prompt` (and `response`, where the mode needs one, and an `id`, where there is one), and leaves in the
output folder:

    generate, evaluate   outputs.jsonl, one line per record in the order of the input
    lora                 adapter.lora.h5, for `backbone.load_lora_weights`
    result.json          last of all: its presence means that the run is whole

Of an Indexed Job, pod I of N takes every Nth record, and its files are in the folder `shard-I-of-N`.

Progress is kept in `progress/`. Every file there is written whole under another name and then renamed, is checked when
it is read, and names the run that it belongs to, so that neither a kill nor a rename that is not atomic (Cloud Storage)
is taken for progress. A stop (SIGTERM) keeps what is done so far.

Keras' own resume of LoRA is not used: loading saved weights sets both LoRA matrices to zero, and training then stalls
without an error. A checkpoint here has the LoRA matrices, the optimizer's variables, the random state of the layers,
and the place in the epoch; the order of an epoch follows from seed and epoch alone.

Exit status: 0 done; 64 no retry can help (input, arguments, progress of another run); 75 stopped, progress kept; any
other: a fault that a retry may get past.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from keras_job_batches import evaluate, generate
from keras_job_files import HopelessError, Run, Stop, StoppedError, read_records, say
from keras_job_tuning import lora

HOPELESS, STOPPED = 64, 75


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """Arguments of the run; `--shard` is the pod's index of an Indexed Job."""
    parser = argparse.ArgumentParser(prog="keras_job.py", allow_abbrev=False)
    parser.add_argument("--mode", required=True, choices=["evaluate", "generate", "lora"])
    parser.add_argument("--preset", required=True, help="name, folder or handle of a keras-hub preset")
    parser.add_argument("--input", required=True, type=Path, help="file of JSON lines, or a folder of such files")
    parser.add_argument("--output", required=True, type=Path, help="folder")
    parser.add_argument("--adapter", default="", help="LoRA weights to load: generate and evaluate")
    parser.add_argument("--sequence-length", required=True, type=int, help="tokens of prompt and answer")
    parser.add_argument("--batch-size", default=1, type=int)
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float32"])
    parser.add_argument("--seed", default=0, type=int)
    parser.add_argument("--temperature", default=0.0, type=float, help="0: the likeliest token")
    parser.add_argument("--epochs", default=1, type=int)
    parser.add_argument("--rank", default=8, type=int)
    parser.add_argument("--learning-rate", default=1e-4, type=float)
    parser.add_argument("--save-seconds", default=300.0, type=float, help="longest time between two saves")
    parser.add_argument("--shards", default=1, type=int, help="pods of an Indexed Job")
    parser.add_argument("--shard", default=int(os.environ.get("JOB_COMPLETION_INDEX", "0")), type=int)
    args = parser.parse_args(words)
    least = {"sequence_length": 4, "batch_size": 1, "epochs": 1, "rank": 1, "shards": 1, "seed": 0, "temperature": 0}
    for name, value in least.items():
        if getattr(args, name) < value:
            parser.error(f"--{name.replace('_', '-')} is below {value}")
    if not 0 <= args.shard < args.shards:
        parser.error(f"--shard {args.shard} is not below --shards {args.shards}")
    if args.mode == "lora" and (args.shards > 1 or args.adapter):
        parser.error("lora runs in one pod, and from the preset alone")
    return args


def prepared(args: argparse.Namespace) -> Run:
    """The run that arguments ask for, with its share of the records.

    Raises:
        HopelessError: the input cannot be used.
    """
    records, digest = read_records(args.input, ["prompt"] if args.mode == "generate" else ["prompt", "response"])
    share = records[args.shard :: args.shards]
    if not share:
        raise HopelessError(f"{len(records):,} records are too few for {args.shards} pods")
    folder = args.output / f"shard-{args.shard}-of-{args.shards}" if args.shards > 1 else args.output
    names = ["mode", "preset", "adapter", "sequence_length", "batch_size", "dtype", "seed", "shards", "shard"]
    names += {"generate": ["temperature"], "evaluate": [], "lora": ["epochs", "rank", "learning_rate"]}[args.mode]
    identity = {name: getattr(args, name) for name in names} | {"input_sha256": digest}
    return Run(args, share, folder, identity, Stop(args.save_seconds))


def main(words: Sequence[str] | None = None) -> int:
    """Run, and say in one line why it ended."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        args = arguments(words)
    except SystemExit as wrong:
        return HOPELESS if wrong.code else 0
    try:
        run = prepared(args)
        if run.done():
            say(f"nothing to do: {run.folder / 'result.json'} is of this very run")
            return 0
        run.claim()
        {"generate": generate, "evaluate": evaluate, "lora": lora}[args.mode](run)
    except HopelessError as error:
        print(f"keras-job: refused: {error}", file=sys.stderr, flush=True)
        return HOPELESS
    except StoppedError as stopped:
        say(f"stopped at {stopped}; progress is kept, and the next run goes on from it")
        return STOPPED
    return 0


def leave(status: int) -> NoReturn:
    """End now: what the backends do at exit may take longer than a stop leaves."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    leave(main())
