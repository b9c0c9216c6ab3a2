"""Recurrent networks for microcontrollers and edge CPUs: train or import, quantize, verify, run.

    import embedded_rnn as ernn

    model = ernn.import_("gestures.keras")       # or ernn.train(...), or ernn.Model.load("model.ernn")
    small = ernn.quantize(model, x)              # i8: the same bits on the PC and on every board
    small.save("gestures.i8.ernn")

Arrays are batch first: [n, time, features], or [n, time] of ids for a model that starts with an Embedding.
"""

from ._native import Error, Model, State, quantize
from .importing import import_
from .inspecting import inspect
from .training import History, train

__all__ = ["Error", "History", "Model", "State", "import_", "inspect", "quantize", "train"]
