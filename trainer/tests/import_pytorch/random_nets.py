"""Random state dicts of PyTorch, for ../common/compare.py."""

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from make_golden import FUNCTIONS, fill, run

SEQUENCES, TIME = 3, 6


def recurrent(rng, size):
    kind = [nn.LSTM, nn.GRU, nn.RNN][rng.integers(3)]
    units, both = int(rng.integers(1, 7)), bool(rng.random() < 0.3)
    layers, bias = int(rng.integers(1, 4)), bool(rng.random() < 0.8)
    return kind(size, units, layers, bias=bias, bidirectional=both), units * (1 + both)


def framewise(rng, size):
    units = int(rng.integers(1, 6))
    kind = rng.integers(4)
    if kind == 0:
        return nn.LayerNorm(size), size
    if kind == 1:
        return nn.BatchNorm1d(size), size
    if kind == 2:
        return nn.Conv1d(size, units, 1, bias=bool(rng.integers(2))), units
    return nn.Linear(size, units), units


def modules_of(rng):
    """Returns modules in their order, with the number of ids of an embedding in front, or of features."""
    size, found = int(rng.integers(1, 6)), []
    inputs = size
    if rng.random() < 0.25:
        inputs, size = int(rng.integers(3, 9)), int(rng.integers(1, 5))
        found.append(nn.Embedding(inputs, size))
    for _ in range(rng.integers(0, 2)):
        module, size = framewise(rng, size)
        found.append(module)
    for _ in range(rng.integers(1, 3)):
        module, size = recurrent(rng, size)
        found.append(module)
    for _ in range(rng.integers(0, 3)):
        module, size = framewise(rng, size)
        found.append(module)
    return found, inputs


def net(rng, path):
    generator = torch.Generator().manual_seed(int(rng.integers(1 << 31)))
    modules, inputs = modules_of(rng)
    names = [f"m{k}" for k in range(len(modules))]
    tensors, after = {}, {}
    for name, module in zip(names, modules, strict=True):
        module.double().eval()
        fill(module, generator, torch.float32)
        for leaf, tensor in module.state_dict().items():
            tensors[f"{name}.{leaf}"] = tensor.float() if tensor.is_floating_point() else tensor
        if isinstance(module, nn.Linear) and rng.random() < 0.6:
            after[name] = str(rng.choice(list(FUNCTIONS)))
    if not isinstance(modules[-1], nn.Linear):
        after = {name: function for name, function in after.items() if "softmax" not in function}
    file = f"{path}.safetensors"
    save_file(tensors, file)

    sequences = bool(rng.integers(2))
    flags = ["--modules", ",".join(names)] + ["--return-sequences"] * sequences
    if after:
        flags += ["--activation", ",".join(f"{name}={function}" for name, function in after.items())]
    if isinstance(modules[0], nn.Embedding):
        flags += ["--as", "m0=embedding"]
        x = rng.integers(0, inputs, (SEQUENCES, TIME)).astype(np.int32)
    else:
        x = rng.standard_normal((SEQUENCES, TIME, inputs)).astype(np.float32)
    last = max(k for k, module in enumerate(modules) if isinstance(module, nn.RNNBase))
    outputs = []
    for sequence in x:
        y = torch.tensor(sequence).long() if sequence.ndim == 1 else torch.tensor(sequence).double()
        with torch.no_grad():
            for k, (name, module) in enumerate(zip(names, modules, strict=True)):
                y = FUNCTIONS.get(after.get(name), lambda y: y)(run(module, y, k == last, sequences))
        outputs.append(y.numpy().astype(np.float32))
    return file, flags, x, np.stack(outputs)
