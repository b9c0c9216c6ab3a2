"""The test vectors of the boards: i8 bit for bit, floats to the fused or the separate reference."""

from __future__ import annotations

import json

import embedded_rnn as ernn
import numpy as np
import pytest
from conftest import ROOT

FOLDER = ROOT / "target/conformance"


def entries() -> list[dict]:
    index = FOLDER / "index.json"
    assert index.is_file(), f"{index} is missing: cargo run -p xtask-boards -- vectors"
    return json.loads(index.read_text())


def replayed(entry: dict) -> np.ndarray:
    model = ernn.Model.load(FOLDER / entry["model"])
    assert (model.dtype, model.input_size, model.output_size) == (
        entry["dtype"],
        entry["input_size"],
        entry["output_size"],
    )
    inputs = np.fromfile(FOLDER / entry["inputs"], {"i16": "<i2", "f32": "<f4"}[entry["input_type"]])
    frames = inputs.reshape(entry["steps"], entry["input_size"])
    is_i8 = model.dtype == "i8"
    step, run = (model.step_quantized, model.run_quantized) if is_i8 else (model.step, model.run)
    outputs, start = [], 0
    state = model.state()
    for steps in entry["sequences"]:
        state.reset()
        sequence = frames[start : start + steps]
        start += steps
        if entry["whole_sequences"]:
            outputs.append(run(sequence, state).ravel())
        else:
            outputs += [step(frame, state) for frame in sequence]
    assert start == entry["steps"]
    return np.concatenate(outputs)


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: f"{entry['name']}.{entry['dtype']}")
def test_outputs_are_those_of_the_boards(entry: dict) -> None:
    found = replayed(entry)
    expected = [(FOLDER / entry[key]).read_bytes() for key in ("outputs", "outputs_separate")]
    assert found.size == sum(entry["output_lens"])
    assert found.tobytes() in expected
    if entry["dtype"] == "i8":
        assert expected[0] == expected[1]
