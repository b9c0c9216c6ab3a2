"""Measures the overhead of `step` per call: frames of a generator, streamed through the smallest model.

The model computes for less than a tenth of the time; everything else is the way from Python and back. Prints the
fastest of several rounds, as others are disturbed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import embedded_rnn as ernn
import numpy as np

CALLS = 20_000
ROUNDS = 15
MODELS = Path(__file__).resolve().parents[3] / "runtime/tests/data"


def frames(x: np.ndarray) -> Iterator[np.ndarray]:
    """Yields frames as a sensor would."""
    yield from x


def seconds(model: ernn.Model, x: np.ndarray) -> tuple[float, float]:
    """Returns the time per frame with `step`, and that of the same loop without it."""
    state = model.state()
    start = time.perf_counter()
    for frame in frames(x):
        model.step(frame, state)
    middle = time.perf_counter()
    for _ in frames(x):
        pass
    return (middle - start) / len(x), (time.perf_counter() - middle) / len(x)


def main() -> None:
    """Prints a line per dtype."""
    for name in ("tiny.ernn", "tiny.f16.ernn", "tiny.i8.ernn"):
        model = ernn.Model.load(MODELS / name)
        x = np.random.default_rng(1).normal(size=(CALLS, model.input_size)).astype(np.float32)
        rounds = [seconds(model, x) for _ in range(ROUNDS)]
        step, loop = (min(times) * 1e9 for times in zip(*rounds, strict=True))
        start = time.perf_counter()
        model.run(x)
        inside = (time.perf_counter() - start) / CALLS * 1e9
        print(f"{name}: step {step - loop:.0f} ns per call, of which the model takes {inside:.0f} ns")


if __name__ == "__main__":
    main()
