"""Networks of other frameworks."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from ._native import Model, import_file


class Saves(Protocol):
    """A network with the methods of a Keras model that an import needs."""

    @property
    def name(self) -> str: ...

    def save(self, filepath: str) -> None: ...


def import_(
    source: str | os.PathLike[str] | Saves,
    *,
    name: str | None = None,
    dtype: str = "f32",
    start: Sequence[str] = (),
    end: str | None = None,
    prefix: str | None = None,
    without: Sequence[str] = (),
    modules: Sequence[str] = (),
    roles: Mapping[str, str] | None = None,
    activations: Mapping[str, str] | None = None,
    initial: Mapping[str, Sequence[str]] | None = None,
    nonlinearity: str | None = None,
    return_sequences: bool = False,
    last_step: bool = False,
    eps: float | None = None,
) -> Model:
    """Imports a network exactly, or rejects it with an Error that names the layer and the reason.

    source: a .keras, .h5, .onnx or .safetensors file, or a Keras model in memory.
    name: the name of the model; by default that in the file, or the name of the file.
    dtype: the dtype of the weights, "f32" or "f16".
    start, end: tensors inside an ONNX graph between which it is cut.
    prefix, without, modules, roles, activations, initial, nonlinearity, return_sequences, last_step, eps:
        the facts about a .safetensors file that it does not contain, as of `ernn import`:
        modules=["rnn", "fc"], roles={"table": "embedding"}, activations={"fc": "softmax"},
        initial={"rnn": ["h0", "c0"]}.

    Assumptions that the importer makes are UserWarnings.
    """
    options: dict[str, object] = {
        "name": name,
        "dtype": dtype,
        "start": list(start),
        "end": end,
        "prefix": prefix,
        "without": list(without),
        "modules": list(modules),
        "roles": list((roles or {}).items()),
        "activations": list((activations or {}).items()),
        "initial": [(module, list(states)) for module, states in (initial or {}).items()],
        "nonlinearity": nonlinearity,
        "return_sequences": return_sequences,
        "last_step": last_step,
        "eps": eps,
    }
    if isinstance(source, str | os.PathLike):
        return _imported(os.fspath(source), options)
    if not hasattr(source, "save"):
        raise TypeError(f"source: a path or a Keras model, not {type(source).__name__}")
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / f"{source.name}.keras")
        source.save(path)
        return _imported(path, options)


def _imported(path: str, options: dict[str, object]) -> Model:
    model, notes = import_file(path, options)
    for note in notes:
        warnings.warn(note, stacklevel=3)
    return model
