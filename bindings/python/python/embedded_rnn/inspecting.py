"""Summaries of models."""

from __future__ import annotations

import os
from typing import Any

from ._native import Model


def inspect(model: Model | str | os.PathLike[str]) -> dict[str, Any]:
    """Returns the layers, sizes and costs of a model or a model file, with the keys of `ernn inspect --json`.

    str(model) is the text that `ernn inspect` prints.
    """
    return (model if isinstance(model, Model) else Model.load(model)).inspect()
