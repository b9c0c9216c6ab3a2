"""Searches the size and the learning rate of a recognizer of digits with Ray Tune.

    pip install "ray[tune]" embedded-rnn
    python ray_search.py --workers 2 --trials 8

Every trial is one call of `train`, on one CPU. A trial whose worker dies is started again. Prints the best trial
and writes its i8 model.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import embedded_rnn as ernn
import numpy as np
import ray
from ray import tune

TRAINING = {"loss": "categorical_crossentropy", "epochs": 8, "batch_size": 32}


def config(options: dict) -> dict:
    """Returns the config of a trial."""
    return {
        "name": "digits",
        "layers": [
            {"type": "Normalization"},
            {"type": options["cell"], "units": options["units"]},
            {"type": "Dense", "units": 10, "activation": "softmax"},
        ],
        "training": {**TRAINING, "learning_rate": options["learning_rate"]},
    }


def trial(options: dict, data: dict[str, np.ndarray], folder: str) -> None:
    """Trains one network, reports each epoch, and keeps the i8 model."""

    def report(epoch: int, logs: dict[str, float]) -> None:
        tune.report({**logs, "epoch": epoch})

    history = ernn.train(config(options), data["x"], data["y"], lengths=data["lengths"], on_epoch=report)
    name = f"{options['cell']}-{options['units']}-{options['learning_rate']:.5f}.i8.ernn"
    history.quantized.save(Path(folder) / name)
    last = {name: scores[-1] for name, scores in history.history.items()}
    tune.report({**last, "epoch": len(history.epoch), "model": name, "flash": history.quantized.flash})


def read(file: Path) -> dict[str, np.ndarray]:
    """Reads the training part; the test part is for the network that is chosen."""
    arrays = np.load(file)
    return {name: arrays[key] for name, key in [("x", "x_train"), ("y", "y_train"), ("lengths", "len_train")]}


def search(
    data: dict[str, np.ndarray], folder: Path, trials: int, trial: Callable[..., None] = trial
) -> tune.ResultGrid:
    """Runs the trials on the cluster that `ray.init` found."""
    space = {
        "cell": tune.choice(["LSTM", "GRU"]),
        "units": tune.choice([8, 16, 24]),
        "learning_rate": tune.loguniform(1e-3, 2e-2),
    }
    trainable = tune.with_parameters(trial, data=data, folder=str(folder))
    tuner = tune.Tuner(
        tune.with_resources(trainable, {"cpu": 1}),
        param_space=space,
        tune_config=tune.TuneConfig(metric="val_loss", mode="min", num_samples=trials),
        run_config=tune.RunConfig(
            storage_path=str(folder / "ray"),
            failure_config=tune.FailureConfig(max_failures=3),
            verbose=0,
        ),
    )
    return tuner.fit()


def main() -> None:
    """Searches, and prints the best trial."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("trainer/examples/digits/digits.npz"))
    parser.add_argument("--out", type=Path, default=Path("out/ray"))
    parser.add_argument("--address", help="of a running cluster; without it, one on this machine")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--trials", type=int, default=8)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    # One thread per trial: the trials are what runs in parallel.
    environment = {"env_vars": {"RAYON_NUM_THREADS": "1"}}
    cpus = {} if arguments.address else {"num_cpus": arguments.workers, "include_dashboard": False}
    ray.init(address=arguments.address, runtime_env=environment, **cpus)
    results = search(read(arguments.data), arguments.out.resolve(), arguments.trials)
    best = results.get_best_result()
    scores, options = best.metrics, best.config
    print(f"{len(results)} trials, {results.num_errors} failed")
    print(f"best: {options}, val_accuracy {scores['val_accuracy']:.4f}, {scores['flash']} bytes of flash")
    print(f"model: {arguments.out / scores['model']}")


if __name__ == "__main__":
    main()
