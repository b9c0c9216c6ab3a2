"""Writes losses.json: losses and gradients of Keras, for every loss, its options and weights of targets.

Each case is a Dense layer over random frames. One epoch of `fit` with one batch and SGD at a rate of 1 has the
loss before the update as its score, and moves the weights by their gradients. The Python with Keras is that of
requirements.txt. All inputs are exact in f32.
"""

import json
import pathlib

import numpy as np
import keras
from keras import layers, losses

keras.config.set_floatx("float64")

# name: loss, activation, outputs, targets (classes, binary, probabilities, values), a target per frame
CASES = {
    "categorical": (losses.CategoricalCrossentropy(), "softmax", 4, "classes", False),
    "categorical_per_frame": (losses.CategoricalCrossentropy(), "softmax", 3, "classes", True),
    "categorical_smooth": (losses.CategoricalCrossentropy(label_smoothing=0.1), "softmax", 5, "classes", False),
    "binary": (losses.BinaryCrossentropy(), "sigmoid", 1, "binary", False),
    "binary_per_frame": (losses.BinaryCrossentropy(label_smoothing=0.25), "sigmoid", 1, "binary", True),
    "binary_smooth": (losses.BinaryCrossentropy(label_smoothing=0.1), "sigmoid", 1, "binary", False),
    "multilabel": (losses.BinaryCrossentropy(), "sigmoid", 3, "probabilities", False),
    "multilabel_smooth": (losses.BinaryCrossentropy(label_smoothing=0.2), "sigmoid", 4, "probabilities", True),
    "mse": (losses.MeanSquaredError(), "linear", 3, "values", False),
    "mse_per_frame": (losses.MeanSquaredError(), "tanh", 2, "values", True),
    "mae": (losses.MeanAbsoluteError(), "linear", 3, "values", False),
    "mae_per_frame": (losses.MeanAbsoluteError(), "tanh", 2, "values", True),
    "huber": (losses.Huber(), "linear", 3, "values", False),
    "huber_delta": (losses.Huber(delta=0.4), "tanh", 2, "values", True),
}
SEQUENCES, TIME, FEATURES = 9, 4, 3
LENGTHS = [4, 2, 3, 1, 4, 4, 2, 3, 1]


def exact(values):
    return np.asarray(values, np.float32).astype(np.float64)


def short(values):
    """Returns values that are exact in f32 with the digits that f32 needs."""
    return None if values is None else json.loads("[" + ",".join(map(str, np.float32(values).ravel())) + "]")


def case(name, weighting, seed):
    loss, activation, outputs, kind, per_frame = CASES[name]
    rng = np.random.default_rng([seed, *name.encode()])
    time = TIME if per_frame else 1
    x = exact(rng.normal(0.3, 1.0, (SEQUENCES, time, FEATURES)))
    lengths = LENGTHS if per_frame else [1] * SEQUENCES
    shape = (SEQUENCES, time)
    if kind == "classes":
        # Class 0 is the rarest.
        y = np.minimum(outputs - 1, rng.integers(0, 2 * outputs, shape))
        given = keras.ops.convert_to_numpy(keras.ops.one_hot(y, outputs))
    elif kind == "binary":
        y = (rng.random(shape) < 0.3).astype(int)
        given = y[..., None]
    elif kind == "probabilities":
        y = given = (rng.random((*shape, outputs)) < 0.4).astype(float)
    else:
        y = given = exact(rng.normal(-0.2, 1.3, (*shape, outputs)))
    sample_weight = exact(rng.random(shape) * 2.5) if "sample" in weighting else None
    count = outputs if kind == "classes" else 2
    class_weight = {k: [0.5, 3.0, 1.25, 0.0, 2.0][k] for k in range(count)} if "class" in weighting else None

    weights = [exact(rng.normal(0.1, 0.6, (FEATURES, outputs))), exact(rng.normal(0.0, 0.3, outputs))]
    stack = [layers.Input((time, FEATURES))]
    if per_frame:
        for s, length in enumerate(lengths):
            x[s, length:] = 0.0
        stack.append(layers.Masking())
    stack.append(layers.Dense(outputs, activation=activation))
    if not per_frame:
        stack.append(layers.Reshape((outputs,)))
    model = keras.Sequential(stack)
    model.set_weights(weights)
    model.compile(keras.optimizers.SGD(1.0), loss)
    history = model.fit(
        x,
        given if per_frame else given[:, 0],
        batch_size=SEQUENCES,
        epochs=1,
        shuffle=False,
        sample_weight=None if sample_weight is None else sample_weight if per_frame else sample_weight[:, 0],
        class_weight=class_weight,
        verbose=0,
    )
    gradients = [before - after for before, after in zip(weights, model.get_weights())]
    return {
        "name": f"{name} {' '.join(weighting)} {seed}",
        "loss": {
            "CategoricalCrossentropy": "categorical_crossentropy",
            "BinaryCrossentropy": "binary_crossentropy",
            "MeanSquaredError": "mse",
            "MeanAbsoluteError": "mae",
            "Huber": "huber",
        }[type(loss).__name__],
        "label_smoothing": getattr(loss, "label_smoothing", 0.0),
        "delta": loss._fn_kwargs["delta"] if isinstance(loss, losses.Huber) else 1.0,
        "activation": activation,
        "outputs": outputs,
        "classes": kind in ("classes", "binary"),
        "per_frame": per_frame,
        "x": short(x),
        "lengths": lengths,
        "y": short(y),
        "sample_weight": short(sample_weight),
        "class_weight": class_weight,
        "kernel": short(weights[0]),
        "bias": short(weights[1]),
        "value": history.history["loss"][0],
        "kernel_gradient": gradients[0].ravel().tolist(),
        "bias_gradient": gradients[1].tolist(),
    }


cases = []
for name, (_, _, _, kind, per_frame) in CASES.items():
    for seed in range(3):
        for weighting in [(), ("sample",), ("class",)]:
            # Keras has no class weights for targets per frame or values, and not both kinds of weights.
            if "class" in weighting and (per_frame or kind not in ("classes", "binary")):
                continue
            cases.append(case(name, weighting, seed))
path = pathlib.Path(__file__).parent / "losses.json"
path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
