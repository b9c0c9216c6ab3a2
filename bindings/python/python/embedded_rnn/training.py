"""Training, with the options and to the bits of `ernn train`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from ._native import Model, fit


@dataclass(frozen=True)
class History:
    """The scores of all epochs, as Keras's History has them, and the trained models."""

    history: dict[str, list[float]]
    """The scores per epoch: "loss", "accuracy" or "mae", "val_loss" and so on."""
    epoch: list[int]
    """The numbers of the epochs, from 0."""
    model: Model
    """The f32 model."""
    quantized: Model
    """The i8 model, calibrated on the training data."""


def train(
    config: str | os.PathLike[str] | Mapping[str, Any],
    x: ArrayLike | None = None,
    y: ArrayLike | None = None,
    *,
    lengths: ArrayLike | None = None,
    y_lengths: ArrayLike | None = None,
    validation_data: tuple[ArrayLike, ...] | None = None,
    seed: int = 0,
    verbose: bool = False,
    on_epoch: Callable[[int, dict[str, float]], bool | None] | None = None,
) -> History:
    """Trains a network and quantizes it.

    config: the path of a TOML config, or a dict with its keys: name, layers, training and, without arrays, data.
    x: the sequences, [n, time, features], or [n, time] of ids; or all frames one after another,
        [frames, features], with lengths. They replace the data of the config.
    y: the targets: integers are classes, [n] or [n, time]; floats are values, [n, outputs] or
        [n, time, outputs].
    lengths: the time steps per sequence, [n]; those after them are padding.
    y_lengths: the lengths of target sequences, [n], for an encoder-decoder.
    validation_data: (x, y), (x, y, lengths) or (x, y, lengths, y_lengths); without it, a share of
        data.validation_split of the sequences (0.2), drawn by the seed, the same of each class.
    seed: the seed of everything random; the same seed gives the same bits on any number of threads.
    verbose: True prints a line per epoch.
    on_epoch: is called after each epoch with its number, from 0, and its scores; training ends if it returns
        True, and with the exception that it raises.

    Ctrl-C raises KeyboardInterrupt after the current batch.
    """
    if (x is None) != (y is None):
        raise TypeError("x and y go together")
    if x is None and (lengths is not None or y_lengths is not None or validation_data is not None):
        raise TypeError("lengths, y_lengths and validation_data are for x and y")
    path, text = (None, _json(config, x is not None)) if isinstance(config, Mapping) else (config, None)
    arrays = None if x is None else (x, y, lengths, y_lengths)
    held = None if validation_data is None else (*validation_data, None, None)[:4]
    epochs: list[int] = []

    def report(epoch: int, logs: dict[str, float]) -> bool | None:
        epochs.append(epoch)
        if verbose:
            scores = " - ".join(f"{name}: {value:.4f}" for name, value in logs.items())
            print(f"Epoch {epoch + 1}  {scores}", flush=True)
        return on_epoch(epoch, logs) if on_epoch else None

    model, quantized, scores = fit(text, path, arrays, held, seed, report)
    history = {name: [logs[name] for logs in scores] for name in scores[0]}
    return History(history, epochs, model, quantized)


def _json(config: Mapping[str, Any], has_arrays: bool) -> str:
    """Writes a config as JSON; numbers of NumPy become plain ones."""
    config = dict(config)
    if has_arrays:
        # The key is required, and not read.
        config["data"] = {"file": "", **config.get("data", {})}
    config.setdefault("name", "model")
    return json.dumps(config, default=_plain)


def _plain(value: Any) -> Any:
    for method in ("item", "__fspath__"):
        if hasattr(value, method):
            return getattr(value, method)()
    raise TypeError(f"config: {value!r} is no value of a config")
