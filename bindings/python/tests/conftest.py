"""Data and models that several tests use."""

from __future__ import annotations

from pathlib import Path

import embedded_rnn as ernn
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]
TINY = ROOT / "runtime/tests/data"
DIGITS = ROOT / "trainer/examples/digits/digits.toml"


def config(**training: object) -> dict[str, object]:
    """Returns the config of a small classifier of two classes."""
    return {
        "layers": [{"type": "GRU", "units": 6}, {"type": "Dense", "units": 2, "activation": "softmax"}],
        "training": {"loss": "categorical_crossentropy", "epochs": 3, "batch_size": 8, **training},
    }


def sequences(n: int = 48, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Returns sequences of three features; the class is the sign of the mean of the first one."""
    x = np.random.default_rng(seed).normal(size=(n, 7, 3)).astype(np.float32)
    return x, (x[:, :, 0].mean(axis=1) > 0).astype(np.int64)


@pytest.fixture(scope="session")
def trained() -> ernn.History:
    return ernn.train(config(epochs=40, learning_rate=0.02), *sequences(), seed=1)


@pytest.fixture
def tiny() -> ernn.Model:
    """An i8 LSTM of two features and three outputs."""
    return ernn.Model.load(TINY / "tiny.i8.ernn")
