"""Training, quantization and imports."""

from __future__ import annotations

import os
import signal
import threading
import time
import warnings
from pathlib import Path

import embedded_rnn as ernn
import numpy as np
import pytest
from conftest import DIGITS, ROOT, config, sequences


def test_a_classifier_is_trained_and_quantized(trained: ernn.History) -> None:
    assert set(trained.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert trained.epoch == list(range(40)) and len(trained.history["val_loss"]) == 40
    assert trained.history["loss"][-1] < trained.history["loss"][0] / 2
    x, y = sequences(200, seed=9)
    outputs = [model.predict(x).argmax(axis=1) for model in (trained.model, trained.quantized)]
    assert (outputs[0] == y).mean() > 0.8
    assert (outputs[0] == outputs[1]).mean() > 0.97
    assert (trained.model.dtype, trained.quantized.dtype) == ("f32", "i8")


def test_training_repeats_to_the_bit_and_calls_back() -> None:
    x, y = sequences()
    calls: list[tuple[int, dict[str, float]]] = []
    first = ernn.train(config(), x, y, seed=5, on_epoch=lambda epoch, logs: calls.append((epoch, logs)))
    second = ernn.train(config(), x.astype(np.float64), y.astype(np.uint8), seed=5)
    assert bytes(first.model) == bytes(second.model) and first.history == second.history
    assert [epoch for epoch, _ in calls] == [0, 1, 2]
    assert [logs["val_loss"] for _, logs in calls] == first.history["val_loss"]
    assert bytes(ernn.train(config(), x, y, seed=6).model) != bytes(first.model)


def test_on_epoch_ends_training() -> None:
    history = ernn.train(config(), *sequences(), on_epoch=lambda epoch, logs: epoch == 1)
    assert history.epoch == [0, 1]

    def fails(epoch: int, logs: dict[str, float]) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        ernn.train(config(), *sequences(), on_epoch=fails)


def test_quantize_makes_the_i8_model_of_training(trained: ernn.History) -> None:
    x, _ = sequences()
    # The calibration data of training is all that the validation part is drawn from.
    small = ernn.quantize(trained.model, x, max_error=0.05)
    assert bytes(small) == bytes(trained.quantized)
    layers = small.quantization["layers"]
    # The stage that quantizes the input has no error of its own.
    names = [layer["name"] for layer in ernn.inspect(small)["layers"] if layer["name"] != "input"]
    assert [layer["name"] for layer in layers] == names == ["gru", "dense"]
    assert all(0 <= layer["rms"] <= layer["worst"] for layer in layers)
    assert small.quantization["classes"]["outputs"] == len(x)
    half = ernn.quantize(trained.model, x, dtype="f16")
    assert half.dtype == "f16" and half.flash < trained.model.flash
    with pytest.raises(ernn.Error, match="over 0 of|over 0"):
        ernn.quantize(trained.model, x, max_error=0.0)
    with pytest.raises(ernn.Error, match="only f32 models can be quantized"):
        ernn.quantize(small, x)
    with pytest.raises(ernn.Error, match=r"calibration: its shape is \[48, 7\]"):
        ernn.quantize(trained.model, x[:, :, 0])


def test_lengths_exclude_padding() -> None:
    x, y = sequences()
    lengths = np.full(len(x), 5)
    padded = x.copy()
    padded[:, 5:] = 1e3
    expected = ernn.train(config(), x[:, :5], y)
    found = ernn.train(config(), padded, y, lengths=lengths)
    assert bytes(found.model) == bytes(expected.model)
    joined = x[:, :5].reshape(-1, 3)
    assert bytes(ernn.train(config(), joined, y, lengths=lengths).model) == bytes(expected.model)
    small = ernn.quantize(found.model, joined, lengths=lengths)
    assert (
        bytes(small)
        == bytes(ernn.quantize(found.model, padded, lengths=lengths))
        == bytes(ernn.quantize(found.model, x[:, :5]))
    )


def test_validation_data_is_not_trained_on() -> None:
    x, y = sequences()
    one, other = (
        ernn.train(config(), x[:-10], y[:-10], validation_data=(x[-10:], labels)) for labels in (y[-10:], 1 - y[-10:])
    )
    assert bytes(one.model) == bytes(other.model) and one.history["loss"] == other.history["loss"]
    assert one.history["val_loss"] != other.history["val_loss"]
    drawn = ernn.train(config(), x, y)
    assert drawn.history["val_loss"] != one.history["val_loss"]


def test_a_config_file_and_its_dict_train_the_same_network() -> None:
    tomllib = pytest.importorskip("tomllib")
    options = tomllib.loads(DIGITS.read_text())
    options["training"]["epochs"] = 1
    options["data"]["file"] = DIGITS.parent / "digits.npz"
    found = ernn.train(options, seed=2)
    data = np.load(DIGITS.parent / "digits.npz")
    lengths = {"lengths": data["len_train"]} if "len_train" in data else {}
    del options["data"]["file"]
    arrays = ernn.train(options, data["x_train"], data["y_train"], seed=2, **lengths)
    assert found.history == arrays.history and bytes(found.quantized) == bytes(arrays.quantized)
    assert found.model.labels[:2] == ["zero", "one"]


def test_wrong_configs_and_arrays_are_rejected_with_one_line(tmp_path: Path) -> None:
    x, y = sequences()
    no_layer = {**config(), "layers": [{"type": "GRRU", "units": 6}]}
    cases = [
        (lambda: ernn.train(no_layer, x, y), "GRRU"),
        (lambda: ernn.train(config(epochs=0), x, y), r"config: training.epochs: 0"),
        (lambda: ernn.train(config(lerning_rate=1), x, y), "lerning_rate"),
        (lambda: ernn.train(config(), x, y + 1), r"y: label 2 at \[\d+\], but the network has 2 outputs"),
        (lambda: ernn.train(config(), x, y.astype(float)), "y: floats are values"),
        (lambda: ernn.train(config(), x[:5], y), "y: its shape"),
        (lambda: ernn.train(config(), np.full_like(x, np.inf), y), r"x: inf at \[0, 0, 0\]"),
        (lambda: ernn.train(config(), x.astype(str), y), "x: dtype <U32: floats and integers"),
        (lambda: ernn.train(config(learning_rate=1e38), x, y), r"training: epoch 1: batch \d: .*learning_rate"),
    ]
    for call, reason in cases:
        with pytest.raises(ernn.Error, match=reason) as caught:
            call()
        assert "\n" not in str(caught.value)
    with pytest.raises(FileNotFoundError, match="none.toml"):
        ernn.train(tmp_path / "none.toml")
    with pytest.raises(TypeError, match="x and y go together"):
        ernn.train(config(), x)


def test_ctrl_c_ends_training_between_two_batches() -> None:
    x, y = sequences(4096)
    # A job in the background of a shell ignores the signal, and Python then has no handler.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    interrupt = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
    epochs: list[int] = []
    start = time.monotonic()
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        ernn.train(config(epochs=10**6), x, y, on_epoch=lambda epoch, logs: epochs.append(epoch))
    assert time.monotonic() - start < 30 and len(epochs) < 10**6


def test_a_file_of_pytorch_is_imported_with_its_options() -> None:
    path = ROOT / "trainer/tests/import_pytorch/gru.safetensors"
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always")
        model = ernn.import_(path, activations={"fc": "softmax"}, name="gru")
        half = ernn.import_(str(path), activations={"fc": "softmax"}, dtype="f16")
    assert notes and all(note.filename == __file__ for note in notes)
    assert (model.name, model.dtype, half.dtype) == ("gru", "f32", "f16")
    y = model.run(np.random.default_rng(1).normal(size=(5, model.input_size)))
    assert abs(y.sum(axis=-1) - 1).max() < 1e-6
    for options, reason in [
        ({"activations": {"fc": "sotmax"}}, "fc: unknown function sotmax"),
        ({"roles": {"fc": "matrix"}}, "neither embedding nor linear"),
        ({"start": ["a"]}, "--from: only valid for .onnx files"),
        ({"dtype": "i8"}, "neither f32 nor f16"),
    ]:
        with pytest.raises(ernn.Error, match=reason) as caught:
            ernn.import_(path, **options)
        assert str(caught.value).startswith(str(path))
    with pytest.raises(FileNotFoundError):
        ernn.import_("none.keras")
    with pytest.raises(TypeError, match="a path or a Keras model, not int"):
        ernn.import_(3)
