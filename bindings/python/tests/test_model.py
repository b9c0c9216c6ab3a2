"""Models and states: loading, running, saving, errors."""

from __future__ import annotations

import copy
import pickle
import re
import threading
from pathlib import Path

import embedded_rnn as ernn
import numpy as np
import pytest
from conftest import TINY

RNG = np.random.default_rng(7)


def frames(model: ernn.Model, steps: int = 9) -> np.ndarray:
    return RNG.normal(size=(steps, model.input_size)).astype(np.float32)


def test_facts_are_those_of_the_file(tiny: ernn.Model) -> None:
    assert (tiny.dtype, tiny.input_size, tiny.output_size, tiny.input_ids) == ("i8", 2, 3, None)
    assert tiny.flash == (TINY / "tiny.i8.ernn").stat().st_size == len(bytes(tiny))
    summary = ernn.inspect(tiny)
    assert (summary["ram_bytes"], summary["self_test"]) == (tiny.ram, "passed")
    assert summary == ernn.inspect(TINY / "tiny.i8.ernn")
    assert str(tiny).splitlines()[1] == "input: 2 features per time step"
    assert repr(tiny).startswith("<embedded_rnn.Model ") and "i8, 2 to 3 values" in repr(tiny)
    letters = ernn.Model.load(TINY / "letters.i8.ernn")
    assert letters.labels[1] == "a" and letters.input_ids == len(letters.labels)


@pytest.mark.parametrize("name", ["tiny.ernn", "tiny.f16.ernn", "tiny.i8.ernn"])
def test_steps_chunks_and_whole_sequences_have_the_same_bits(name: str) -> None:
    model = ernn.Model.load(TINY / name)
    x = frames(model)
    state = model.state()
    steps = [model.step(frame, state) for frame in x]
    assert all(y.dtype == np.float32 and y.shape == (model.output_size,) for y in steps)
    whole = model.run(x)
    np.testing.assert_array_equal(
        whole if model.returns_sequences else whole[None], steps if model.returns_sequences else steps[-1:]
    )
    state.reset()
    model.run(x[:4], state)
    np.testing.assert_array_equal(model.run(x[4:], state), whole[4:] if model.returns_sequences else whole)
    batch = np.stack([x, x[::-1]])
    found = model.predict(batch)
    np.testing.assert_array_equal(found, [model.run(x), model.run(x[::-1])])


def test_other_arrays_are_converted(tiny: ernn.Model) -> None:
    x = np.asfortranarray(frames(tiny).astype(np.float64))
    expected = tiny.run(x.astype(np.float32).copy())
    np.testing.assert_array_equal(tiny.run(x), expected)
    np.testing.assert_array_equal(tiny.run(x.tolist()), expected)
    wide = np.repeat(x.astype(np.float32), 2, axis=1)[:, ::2]
    np.testing.assert_array_equal(tiny.run(wide), expected)


def test_integers_are_the_numbers_behind_the_real_values(tiny: ernn.Model) -> None:
    x = frames(tiny)
    state, other = tiny.state(), tiny.state()
    for frame in x:
        y = tiny.step_quantized(tiny.quantize_input(frame), state)
        assert y.dtype == np.int32
        np.testing.assert_array_equal(tiny.dequantize_output(y), tiny.step(frame, other))


def test_a_restored_state_continues_with_the_same_bits(tiny: ernn.Model) -> None:
    x = frames(tiny)
    state = tiny.state()
    for frame in x[:4]:
        tiny.step(frame, state)
    saved = state.save()
    others = [state.copy(), copy.copy(state), copy.deepcopy(state), pickle.loads(pickle.dumps(state))]
    others.append(tiny.restored(saved))
    expected = [tiny.step(frame, state) for frame in x[4:]]
    for other in others:
        np.testing.assert_array_equal([tiny.step(frame, other) for frame in x[4:]], expected)
    assert state.save() != saved
    state.restore(saved)
    np.testing.assert_array_equal([tiny.step(frame, state) for frame in x[4:]], expected)


def test_models_are_pickled_and_saved(tiny: ernn.Model, tmp_path: Path) -> None:
    assert bytes(pickle.loads(pickle.dumps(tiny))) == bytes(tiny)
    tiny.save(tmp_path / "copy.ernn")
    assert (tmp_path / "copy.ernn").read_bytes() == bytes(ernn.Model(bytes(tiny)))


def test_threads_step_separate_states_of_one_model(tiny: ernn.Model) -> None:
    x = RNG.normal(size=(8, 2000, 2)).astype(np.float32)
    found: list[np.ndarray | None] = [None] * 8

    def work(k: int) -> None:
        state = tiny.state()
        for frame in x[k]:
            found[k] = tiny.step(frame, state)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(
        found, [tiny.run(x[k]) if not tiny.returns_sequences else tiny.run(x[k])[-1] for k in range(8)]
    )


def test_a_state_in_use_is_rejected_while_other_threads_go_on(tiny: ernn.Model) -> None:
    state = tiny.state()
    long = np.zeros((3_000_000, 2), np.float32)
    thread = threading.Thread(target=tiny.run, args=(long, state))
    thread.start()
    rejected = other = 0
    while thread.is_alive():
        # That this thread gets here shows that the GIL is released.
        tiny.step([0.5, 0.25], tiny.state())
        other += 1
        try:
            tiny.step([0.5, 0.25], state)
        except RuntimeError:
            rejected += 1
    thread.join()
    assert rejected > 0 and other > 1


def test_an_encoder_decoder_generates() -> None:
    model = ernn.Model.load(TINY / "decoder.i8.ernn")
    ids = model.generate([3, 1, 4], limit=5)
    assert ids.dtype == np.uint16 and len(ids) <= 5
    np.testing.assert_array_equal(model.generate(np.array([[3], [1], [4]]), limit=2), ids[:2])
    with pytest.raises(ernn.Error, match="use generate"):
        model.predict([[3, 1, 4]])


def one_line(caught: pytest.ExceptionInfo[ernn.Error]) -> str:
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_damaged_files_are_rejected_with_one_line(tiny: ernn.Model, tmp_path: Path) -> None:
    damaged = bytearray(bytes(tiny))
    damaged[200] ^= 1
    path = tmp_path / "damaged.ernn"
    path.write_bytes(damaged)
    for make in (lambda: ernn.Model(bytes(damaged)), lambda: ernn.Model.load(path)):
        with pytest.raises(ernn.Error, match="model file damaged: CRC-32") as caught:
            make()
        one_line(caught)
    with pytest.raises(ernn.Error, match="truncated"):
        ernn.Model(bytes(tiny)[:-1])
    with pytest.raises(ValueError, match="not a model file"):
        ernn.Model(b"abc" * 50)
    with pytest.raises(FileNotFoundError, match=re.escape(str(tmp_path / "none.ernn"))):
        ernn.Model.load(tmp_path / "none.ernn")


def test_wrong_shapes_dtypes_and_states_are_rejected(tiny: ernn.Model) -> None:
    state = tiny.state()
    cases = [
        (lambda: tiny.step(np.zeros(3), state), r"x: its shape is \[3\], but a time step has shape \[2\]"),
        (lambda: tiny.step(np.zeros((1, 2)), state), r"its shape is \[1, 2\]"),
        (lambda: tiny.run(np.zeros((2, 4, 2))), r"a sequence has shape \[time, 2\]"),
        (lambda: tiny.run(np.zeros((0, 2))), "input of 0 values"),
        (lambda: tiny.predict(np.zeros((4, 2))), r"x: its shape is \[4, 2\], not \[n, time, 2\]"),
        (lambda: tiny.predict(np.full((1, 2, 2), np.nan)), r"x: NaN at \[0, 0, 0\]"),
        (lambda: ernn.Model.load(TINY / "tiny.ernn").step([0, 0], state), "state of another model"),
        (lambda: ernn.Model.load(TINY / "tiny.ernn").quantize_input([0, 0]), "the model is not i8"),
        (lambda: state.restore(b"abc"), "saved state is damaged"),
        (
            lambda: ernn.Model.load(TINY / "bidirectional.i8.ernn").step(
                [0, 0], ernn.Model.load(TINY / "bidirectional.i8.ernn").state()
            ),
            "whole sequences",
        ),
        (lambda: tiny.generate([[0, 0]]), "no encoder-decoder"),
    ]
    for call, reason in cases:
        with pytest.raises(ernn.Error, match=reason) as caught:
            call()
        one_line(caught)
    with pytest.raises(TypeError):
        tiny.step([1j, 2j], state)
    with pytest.raises(TypeError):
        tiny.step_quantized(np.zeros(2, np.float32), state)


def test_docstrings_state_shapes() -> None:
    for function in (ernn.Model.step, ernn.Model.run, ernn.Model.predict, ernn.quantize, ernn.train):
        assert "[n" in function.__doc__ or "[time" in function.__doc__ or "[input_size]" in function.__doc__
