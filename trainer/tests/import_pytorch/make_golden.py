"""Writes the state dicts and `golden.json` in this folder: small networks of PyTorch, and their outputs.

    python3 -m venv VENV
    VENV/bin/pip install -r requirements.txt
    VENV/bin/python make_golden.py

The files were written with Python 3.11 and the versions in `requirements.txt` on a CPU. All random numbers of
a case follow from its name, and a second run writes the same bytes. Weights are rounded to the dtype of the
file; PyTorch then computes in float64.

golden.json is a list of cases: `name` (of the file NAME.safetensors), `args` of `ernn import`, `sequences`,
and the `outputs` for each of them as a flat list.
"""

import json
import zlib
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

HERE = Path(__file__).parent
RECURRENT = (nn.RNNBase, nn.RNNCellBase)
LENGTHS = [7, 4]


class Unused(nn.Module):
    """A part of a network that is excluded from the import; its tensors are in the file."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(2, 3, 3)


def relu(x):
    return x.clamp(min=0)


FUNCTIONS = {
    "relu": relu,
    "softmax": lambda x: x.softmax(-1),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softplus": nn.functional.softplus,
    "log_softmax": lambda x: x.log_softmax(-1),
}

# Per name: the modules in their order, the flags, and the dtype of the file.
CASES = {
    "lstm": ([("lstm", nn.LSTM(3, 4)), ("fc", nn.Linear(4, 2))], ["--activation", "fc=softmax"]),
    "gru": ([("gru", nn.GRU(3, 4)), ("fc", nn.Linear(4, 2))], []),
    "rnn": ([("rnn", nn.RNN(3, 5)), ("fc", nn.Linear(5, 2))], []),
    "rnn_relu": (
        [("rnn", nn.RNN(3, 5, nonlinearity="relu")), ("fc", nn.Linear(5, 2))],
        ["--nonlinearity", "relu"],
    ),
    "lstm_stacked": ([("lstm", nn.LSTM(2, 4, 2)), ("fc", nn.Linear(4, 1))], ["--activation", "fc=sigmoid"]),
    "gru_stacked_sequences": ([("gru", nn.GRU(2, 3, 3))], ["--return-sequences"]),
    "rnn_stacked_bidirectional": (
        [("rnn", nn.RNN(2, 4, 2, bidirectional=True)), ("fc", nn.Linear(8, 3))],
        [],
    ),
    "gru_bidirectional": ([("gru", nn.GRU(3, 3, 2, bidirectional=True)), ("fc", nn.Linear(6, 2))], []),
    "lstm_bidirectional_sequences": (
        [("lstm", nn.LSTM(3, 3, bidirectional=True)), ("fc", nn.Linear(6, 2))],
        ["--return-sequences", "--activation", "fc=softmax"],
    ),
    "lstm_without_bias": ([("lstm", nn.LSTM(3, 4, bias=False)), ("fc", nn.Linear(4, 2, bias=False))], []),
    "gru_without_bias": ([("gru", nn.GRU(3, 4, 2, bias=False, bidirectional=True))], ["--return-sequences"]),
    "cells": (
        [("a", nn.LSTMCell(3, 4)), ("b", nn.GRUCell(4, 5)), ("c", nn.RNNCell(5, 3)), ("fc", nn.Linear(3, 2))],
        ["--modules", "a,b,c,fc", "--return-sequences"],
    ),
    "cell_without_bias": ([("cell", nn.GRUCell(3, 4, bias=False))], []),
    "mixed": (
        [
            ("fc1", nn.Linear(2, 5)),
            ("rnn", nn.RNN(5, 3)),
            ("lstm", nn.LSTM(3, 6)),
            ("gru", nn.GRU(6, 4, bidirectional=True)),
        ],
        ["--modules", "fc1,rnn,lstm,gru", "--activation", "fc1=tanh"],
    ),
    "embedding": (
        [("embed", nn.Embedding(7, 3, padding_idx=0)), ("gru", nn.GRU(3, 5)), ("fc", nn.Linear(5, 2))],
        [],
    ),
    "square_embedding": ([("table", nn.Embedding(4, 4)), ("rnn", nn.RNN(4, 3))], ["--as", "table=embedding"]),
    "square_linear": (
        [("table", nn.Linear(4, 4, bias=False)), ("rnn", nn.RNN(4, 3))],
        ["--as", "table=linear"],
    ),
    "norms": (
        [
            ("bn", nn.BatchNorm1d(3)),
            ("lstm", nn.LSTM(3, 5)),
            ("norm", nn.LayerNorm(5)),
            ("fc", nn.Linear(5, 2)),
        ],
        ["--return-sequences"],
    ),
    "norms_eps": (
        [
            ("gru", nn.GRU(3, 5)),
            ("bn", nn.BatchNorm1d(5, eps=0.05, affine=False)),
            ("fc", nn.Linear(5, 4)),
            ("ln", nn.LayerNorm(4, eps=0.05)),
        ],
        ["--eps", "0.05"],
    ),
    "conv": (
        [("conv", nn.Conv1d(3, 4, 1)), ("gru", nn.GRU(4, 5)), ("head", nn.Conv1d(5, 2, 1, bias=False))],
        ["--activation", "conv=relu,head=sigmoid"],
    ),
    "ordered": (
        [
            ("lstm", nn.LSTM(3, 4)),
            ("fc.0", nn.Linear(4, 4)),
            ("fc.2", nn.Linear(4, 4)),
            ("out", nn.Linear(4, 4)),
        ],
        ["--modules", "lstm,fc.0,fc.2,out", "--activation", "fc.0=relu,fc.2=tanh"],
    ),
    "either_way": (
        [("gru", nn.GRU(3, 4)), ("fc", nn.Linear(4, 3)), ("last", nn.LSTM(3, 4, bidirectional=True))],
        ["--modules", "gru,fc,last", "--activation", "gru=relu,fc=softplus,last=log_softmax"],
    ),
    "part": (
        [("rnn", nn.LSTM(3, 4)), ("head", nn.Linear(4, 2))],
        ["--prefix", "model.decoder.", "--without", "front", "--activation", "head=sigmoid"],
    ),
    "alone": ([("", nn.LSTM(3, 4, 2))], ["--return-sequences"]),
    "f16": ([("lstm", nn.LSTM(3, 4)), ("fc", nn.Linear(4, 2))], [], torch.float16),
    "bf16": ([("gru", nn.GRU(3, 4)), ("fc", nn.Linear(4, 2))], [], torch.bfloat16),
    "f64": ([("rnn", nn.RNN(3, 4)), ("fc", nn.Linear(4, 2))], [], torch.float64),
}


def fill(module, generator, dtype):
    """Fills a module with values without symmetry, rounded to the dtype of the file."""
    for name, tensor in module.state_dict().items():
        if tensor.dtype == torch.int64:
            tensor.fill_(17)
            continue
        values = torch.rand(tensor.shape, generator=generator, dtype=torch.float64) * 1.6 - 0.7
        if name.endswith("running_var"):
            values = values.abs() + 0.3
        # Values in an f64 file are exact in f32, to which the importer rounds them.
        file = torch.float32 if dtype == torch.float64 else dtype
        tensor.copy_(values.to(file))


def run(module, x, last, sequences):
    """Runs one module over `x [time, features]`, or `[features]` after the last step has been selected."""
    if isinstance(module, nn.RNNBase):
        output, states = module(x[:, None])
        h = states[0] if isinstance(states, tuple) else states
        directions = 2 if module.bidirectional else 1
        return h[-directions:, 0].flatten() if last and not sequences else output[:, 0]
    if isinstance(module, nn.RNNCellBase):
        state, outputs = None, []
        for frame in x:
            state = module(frame[None], state)
            outputs.append((state[0] if isinstance(state, tuple) else state)[0])
        return outputs[-1] if last and not sequences else torch.stack(outputs)
    frames = x if x.ndim == (1 if isinstance(module, nn.Embedding) else 2) else x[None]
    if isinstance(module, nn.Conv1d):
        frames = module(frames.T[None])[0].T
    else:
        frames = module(frames)
    return frames if x.ndim == frames.ndim or isinstance(module, nn.Embedding) else frames[0]


def functions(args):
    if "--activation" not in args:
        return {}
    pairs = args[args.index("--activation") + 1].split(",")
    return {name: FUNCTIONS[function] for name, function in (pair.split("=") for pair in pairs)}


def case(name, modules, args, dtype=torch.float32):
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    tensors = {}
    for path, module in modules:
        module.double().eval()
        fill(module, generator, dtype)
        for leaf, tensor in module.state_dict().items():
            tensors[f"{path}.{leaf}" if path else leaf] = (
                tensor.to(dtype) if tensor.is_floating_point() else tensor
            )
    if name == "part":
        tensors = {f"model.decoder.{key}": value for key, value in tensors.items()}
        for key, value in Unused().state_dict().items():
            tensors[f"model.decoder.front.{key}"] = value.zero_()
            tensors[f"model.encoder.{key}"] = value
        tensors = {key: value.clone() for key, value in tensors.items()}
    save_file(tensors, HERE / f"{name}.safetensors")

    after = functions(args)
    sequences = "--return-sequences" in args
    last = max(k for k, (_, module) in enumerate(modules) if isinstance(module, RECURRENT))
    first = modules[0][1]
    ids = first.num_embeddings if isinstance(first, nn.Embedding) else None
    size = next(
        getattr(first, key)
        for key in ("input_size", "in_features", "in_channels", "num_features", "num_embeddings")
        if hasattr(first, key)
    )
    inputs, outputs = [], []
    for length in LENGTHS:
        if ids:
            x = torch.randint(ids, (length,), generator=generator)
        else:
            x = (torch.rand(length, size, generator=generator, dtype=torch.float32) * 3 - 1.4).double()
        inputs.append([float(v) for v in x.flatten()])
        with torch.no_grad():
            for k, (path, module) in enumerate(modules):
                x = after.get(path, lambda x: x)(run(module, x, k == last, sequences))
        outputs.append([float(v) for v in x.flatten()])
    return {"name": name, "args": args, "sequences": inputs, "outputs": outputs}


def main():
    cases = [case(name, *what) for name, what in CASES.items()]
    lines = ",\n".join(json.dumps(case) for case in cases)
    (HERE / "golden.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
