"""LoRA fine-tuning, with checkpoints from which a run goes on exactly."""

from __future__ import annotations

import io
import json
import re
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from keras_job_files import HopelessError, Progress, Run, StoppedError, say, write_whole
from keras_job_model import check_lengths, compile_loss, first_of, load_model, pairs, weight_of

CHECKPOINT = re.compile(r"^checkpoint-(\d{9})-(\d{9})\.npz$")


class Tuning:
    """State of a LoRA run: everything that the next step depends on."""

    def __init__(self, model: Any) -> None:
        model.optimizer.build(model.trainable_variables)
        random = [one for one in model.variables if one.path.endswith("seed_generator_state")]
        self.variables: list[Any] = [*model.trainable_variables, *model.optimizer.variables, *random]
        self.epoch = self.step = self.tokens = 0
        self.weighted = 0.0
        self.losses: list[float] = []

    def save(self, run: Run) -> None:
        """Keep it; the one before stays, as the newest may be a piece where a rename is not atomic."""
        import keras
        import numpy

        place = {name: getattr(self, name) for name in ("epoch", "step", "tokens", "weighted", "losses")}
        about = json.dumps({"run": run.identity, "place": place, "paths": [one.path for one in self.variables]})
        arrays = {}
        for number, one in enumerate(self.variables):
            floating = "float" in str(one.dtype)  # bfloat16 is no type of numpy's files; float32 holds all of it
            arrays[f"v{number}"] = keras.ops.convert_to_numpy(keras.ops.cast(one, "float32") if floating else one)
        file = io.BytesIO()
        numpy.savez(file, about=numpy.frombuffer(about.encode(), dtype="uint8"), **arrays)
        write_whole(run.kept / f"checkpoint-{self.epoch:09d}-{self.step:09d}.npz", file.getvalue())
        for old in checkpoints(run)[2:]:
            old.unlink()

    def load(self, run: Run) -> bool:
        """Go on from the newest checkpoint that is whole; False where there is none.

        Raises:
            HopelessError: it is of other variables: another version of keras-hub, or another preset of the same name.
        """
        import numpy

        for path in checkpoints(run):
            try:
                with numpy.load(path, allow_pickle=False) as file:
                    about = json.loads(file["about"].tobytes())
                    arrays = [file[f"v{number}"] for number in range(len(about["paths"]))]
            except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
                say(f"{path.name} is not whole, and is left out")
                continue
            held = [(name, tuple(array.shape)) for name, array in zip(about["paths"], arrays, strict=True)]
            if about["run"] != run.identity or held != [(one.path, tuple(one.shape)) for one in self.variables]:
                raise HopelessError(f"{path.name} is of other variables than this model's; name an empty folder")
            for variable, array in zip(self.variables, arrays, strict=True):
                variable.assign(array)
            for name, value in about["place"].items():
                setattr(self, name, value)
            return True
        return False


def checkpoints(run: Run) -> list[Path]:
    """Those there are, newest first."""
    return sorted((one for one in run.kept.glob("checkpoint-*.npz") if CHECKPOINT.match(one.name)), reverse=True)


def lora(run: Run) -> None:
    """Fine-tune a low-rank adapter.

    Raises:
        StoppedError: a stop was asked for; what is done is kept.
    """
    import numpy

    args, records = run.args, run.records
    model = load_model(args)
    check_lengths(model, records, args.sequence_length, responses=True)
    model.backbone.enable_lora(args.rank)
    compile_loss(model, args)
    tuning = Tuning(model)
    if tuning.load(run):
        say(f"going on at epoch {tuning.epoch + 1}, step {tuning.step}")
    steps = -(-len(records) // args.batch_size)
    progress = Progress("steps", steps * args.epochs, tuning.epoch * steps + tuning.step)
    while tuning.epoch < args.epochs:
        order = numpy.random.default_rng([args.seed, tuning.epoch]).permutation(len(records))
        while tuning.step < steps:
            at = tuning.step * args.batch_size
            batch = [records[number] for number in order[at : at + args.batch_size]]
            model.reset_metrics()
            loss, tokens = float(first_of(model.train_on_batch(pairs(batch)))), weight_of(model, batch)
            if loss != loss:
                raise HopelessError(f"the loss is no number in epoch {tuning.epoch + 1}; try a lower learning rate")
            tuning.step += 1
            tuning.weighted, tuning.tokens = tuning.weighted + loss * tokens, tuning.tokens + tokens
            progress.step(tuning.epoch * steps + tuning.step, f", epoch {tuning.epoch + 1}, loss {loss:.5f}")
            if tuning.step < steps and run.stop.save_due():
                tuning.save(run)
                stop_if_asked(run, tuning)
        tuning.losses.append(round(tuning.weighted / tuning.tokens, 6))
        tuning.epoch, tuning.step, tuning.tokens, tuning.weighted = tuning.epoch + 1, 0, 0, 0.0
        say(f"epoch {tuning.epoch} of {args.epochs}: loss {tuning.losses[-1]:.5f}")
        tuning.save(run)
        if tuning.epoch < args.epochs:
            stop_if_asked(run, tuning)
    with tempfile.TemporaryDirectory() as scratch:  # HDF5 writes here and there, which a bucket does not take
        model.backbone.save_lora_weights(f"{scratch}/adapter.lora.h5")
        write_whole(run.folder / "adapter.lora.h5", Path(scratch, "adapter.lora.h5").read_bytes())
    run.finish({"records": len(records), "rank": args.rank, "losses": tuning.losses}, "adapter.lora.h5")


def stop_if_asked(run: Run, tuning: Tuning) -> None:
    """End after a checkpoint where a stop was asked for."""
    if run.stop.asked:
        raise StoppedError(f"epoch {tuning.epoch + 1}, step {tuning.step}")
