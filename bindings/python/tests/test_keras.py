"""The import of a Keras model in memory, where Keras is installed: requirements-keras.txt."""

from __future__ import annotations

import embedded_rnn as ernn
import numpy as np
import pytest

keras = pytest.importorskip("keras", reason="keras is not installed: requirements-keras.txt")


def test_a_model_in_memory_becomes_a_verified_i8_model(tmp_path) -> None:
    keras.utils.set_random_seed(4)
    layers = keras.layers
    keras_model = keras.Sequential(
        [
            layers.Input((12, 3)),
            layers.LSTM(8, return_sequences=True),
            layers.GRU(6),
            layers.Dense(4, activation="softmax"),
        ],
        name="gestures",
    )
    x = np.random.default_rng(2).normal(size=(64, 12, 3)).astype(np.float32)
    expected = keras_model.predict(x, verbose=0)

    model = ernn.import_(keras_model)
    small = ernn.quantize(model, x, max_error=0.05)
    small.self_test()
    small.save(tmp_path / "model.i8.ernn")

    assert model.name == "gestures"
    assert abs(model.predict(x) - expected).max() < 1e-6
    assert (small.predict(x).argmax(1) == expected.argmax(1)).mean() > 0.95


def test_what_cannot_be_imported_is_named() -> None:
    model = keras.Sequential([keras.layers.Input((12, 3)), keras.layers.Conv1D(4, 3), keras.layers.LSTM(2)])
    with pytest.raises(ernn.Error, match="conv1d") as caught:
        ernn.import_(model)
    assert "\n" not in str(caught.value)
