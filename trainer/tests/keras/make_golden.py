"""Writes golden.npz: the outputs and gradients that Keras computes for the cases in cases.toml.

    python3 -m venv VENV
    VENV/bin/pip install -r requirements.txt
    VENV/bin/python make_golden.py

A case is an array of one record, so `numpy.load("golden.npz")["lstm"][0]["0/kernel"]` is a weight and its gradient.
The gradients are those of a scalar in a training pass: the sum of the outputs and final states, each multiplied by a
random weight. Fields:

    x                      [2, n, time, features]  the inputs and their gradient; ids have one feature
    y                      [3, n, time, out] or    the outputs in inference, in training, and their weights in
                           [3, n, out]             the scalar; zeros for masked and padded frames
    0/kernel, ...          [2, ...]                a weight of layer 0 and its gradient; of the layers in Bidirectional
                                                   0/forward/kernel and 0/backward/kernel
    0/h, 0/c               [4, n, units]           an initial state and its gradient, the final state in training and
                                                   its weights in the scalar
    0/moving_mean, ...     [2, features]           a statistic before and after the training pass

Keras computes in f64, and the results are rounded to f32 once. Weights and inputs are multiples of 1/512 up to 4, states
multiples of 1/1024 up to 1, which f32 and half floats represent exactly.
"""

import os
import pathlib
import tomllib

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy as np
import tensorflow as tf

HERE = pathlib.Path(__file__).parent
FEATURES = 2


def hard_sigmoid_keras1(x):
    """Keras's `hard_sigmoid` up to version 2."""
    return keras.ops.clip(0.2 * x + 0.5, 0.0, 1.0)


def layer_of(table):
    """Returns the Keras layer for a layer of a config, which has the names and options of Keras."""
    options = {option: value for option, value in table.items() if option != "span"}
    kind = getattr(keras.layers, options.pop("type"))
    if issubclass(kind, keras.layers.RNN):
        options["return_state"] = True
    for option, value in table.items():
        if option == "layer":
            options[option] = layer_of(value)
        if value == "hard_sigmoid_keras1":
            options[option] = hard_sigmoid_keras1
    layer = kind(**options)
    if isinstance(layer, keras.layers.Add):
        layer.span = table.get("span", 1)
    return layer


def parts(layer):
    """Returns the inner layers of a layer, by the prefix of their array names."""
    if isinstance(layer, keras.layers.Bidirectional):
        return {"forward/": layer.forward_layer, "backward/": layer.backward_layer}
    return {"": layer}


def draw(random, *shape):
    """Draws asymmetric values whose range differs per column, so that swapped gates or axes are found."""
    size = np.linspace(0.5, 2.0, shape[-1])
    return np.round(512.0 * size * random.uniform(-0.8, 1.0, shape)) / 512.0


def inputs(random, first, valid):
    """Draws ids for an Embedding, otherwise frames."""
    if isinstance(first, keras.layers.Embedding):
        ids = random.integers(1 if first.mask_zero else 0, first.input_dim, valid.shape)
        return np.where(valid, ids, 0).astype("float64")
    return np.where(valid[..., None], 2.0 * draw(random, *valid.shape, FEATURES), getattr(first, "mask_value", 0.0))


def initial_states(random, layer, sequences):
    """Draws the states of every recurrent part of a layer: `h`, and for an LSTM `c`, all within 1."""
    sizes = {
        prefix + name: size
        for prefix, part in parts(layer).items()
        if isinstance(part, keras.layers.RNN)
        for name, size in zip("hc", np.atleast_1d(part.cell.state_size))
    }
    return {name: tf.constant(0.5 * draw(random, sequences, size)) for name, size in sizes.items()}


def run(layers, x, states, training):
    """Runs the layers over a batch; returns the outputs, and the final states of all layers.

    The mask is passed explicitly to a layer with initial states, which Keras omits."""
    mask, final = None, []
    inputs = []
    for layer, own in zip(layers, states):
        inputs.append(x)
        if isinstance(layer, keras.layers.Add):
            x = [x, inputs[-1 - layer.span]]
        given = {"initial_state": list(own.values()), "mask": mask} if own else {}
        y, mask = layer(x, training=training, **given), keras.tree.flatten(layer.compute_mask(x, mask))[0]
        x, *ends = y if own else [y]
        final += ends
    return x, final


def run_alone(layers, x, states, valid, training):
    """Runs each sequence alone, and pads the outputs."""
    outputs, finals = [], []
    for s, length in enumerate(valid.sum(axis=1)):
        own = [{name: state[s : s + 1] for name, state in layer.items()} for layer in states]
        y, final = run(layers, x[s : s + 1, :length], own, training)
        missing = [[0, 0], [0, valid.shape[1] - length], [0, 0]]
        outputs.append(keras.ops.pad(y, missing) if len(y.shape) == 3 else y)
        finals.append(final)
    return keras.ops.concatenate(outputs), [keras.ops.concatenate(final) for final in zip(*finals)]


def run_padded(layers, x, states, _, training):
    """Runs all sequences as one batch, with the mask of the first layer."""
    return run(layers, x, states, training)


def draw_weights(random, layers):
    """Sets random weights in the built layers. Returns the trained weights and the statistics, by name."""
    trained, statistics = {}, {}
    for k, layer in enumerate(layers):
        for prefix, part in parts(layer).items():
            # A Normalization keeps the statistics of `adapt`.
            for weight in [] if isinstance(part, keras.layers.Normalization) else part.weights:
                drawn = draw(random, *weight.shape)
                weight.assign(abs(drawn) + 0.25 if weight.name == "moving_variance" else drawn)
                kind = trained if weight.trainable else statistics
                kind[f"{k}/{prefix}{weight.name}"] = weight.value
    return trained, statistics


def golden(name, tables, valid, way):
    """Returns the record of a case."""
    random = np.random.default_rng(list(name.encode()))
    layers = [layer_of(table) for table in tables]
    x = tf.constant(inputs(random, layers[0], valid))
    if isinstance(layers[0], keras.layers.Normalization):
        layers[0].adapt(x.numpy()[valid])
    states = [initial_states(random, layer, len(valid)) for layer in layers]
    way(layers, x, states, valid, False)  # builds the layers
    trained, statistics = draw_weights(random, layers)
    initial = {f"{k}/{state}": value for k, own in enumerate(states) for state, value in own.items()}
    values = initial | trained | {"x": x}

    inference, _ = way(layers, x, states, valid, False)
    before = {statistic: value.numpy() for statistic, value in statistics.items()}
    mask = valid[..., None] if len(inference.shape) == 3 else np.True_
    d_y = mask * draw(random, *inference.shape)
    d_final = [draw(random, *value.shape) for value in initial.values()]
    with tf.GradientTape() as tape:
        tape.watch(list(values.values()))
        in_training, final = way(layers, x, states, valid, True)
        scalar = sum(tf.reduce_sum(value * d) for value, d in zip([in_training, *final], [d_y, *d_final]))
    gradients = tape.gradient(scalar, values, unconnected_gradients="zero")

    arrays = {key: [value, tf.convert_to_tensor(gradients[key])] for key, value in values.items()}
    arrays |= {key: [*arrays[key], *ends] for key, *ends in zip(initial, final, d_final)}
    arrays |= {statistic: [before[statistic], after] for statistic, after in statistics.items()}
    arrays["y"] = [mask * inference.numpy(), mask * in_training.numpy(), d_y]
    arrays = {key: np.stack(planes) for key, planes in arrays.items()}
    arrays["x"] = arrays["x"].reshape(2, *valid.shape, -1)
    record = np.dtype([(key, "<f4", array.shape) for key, array in arrays.items()])
    return np.array([tuple(arrays.values())], record)


def main():
    keras.config.set_floatx("float64")
    sections = tomllib.loads((HERE / "cases.toml").read_text())
    records = {}
    for section, way in [("alone", run_alone), ("padded", run_padded)]:
        valid = np.array([[frame == "#" for frame in row] for row in sections[section]["frames"]])
        for name, tables in sections[section]["cases"].items():
            print(name)
            records[name] = golden(name, tables, valid, way)
    np.savez_compressed(HERE / "golden.npz", **records)


if __name__ == "__main__":
    main()
