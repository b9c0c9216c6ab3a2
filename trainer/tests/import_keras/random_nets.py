"""Random Keras models, for ../common/compare.py."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import absl.logging
import keras
import numpy as np

# Every file of HDF5 is one that Keras advises against.
absl.logging.set_verbosity("error")
L = keras.layers
SEQUENCES, TIME, MASKED = 3, 6, -9.0
FUNCTIONS = ["linear", "tanh", "relu", "sigmoid", "hard_sigmoid", "softsign", "elu", "silu"]
HEADS = [*FUNCTIONS, "softmax", "gelu", "selu", "softplus", "leaky_relu", "relu6", "mish"]


def option(rng, probability, **options):
    """Returns one option with its values, some of the time."""
    chosen = {key: values[rng.integers(len(values))] for key, values in options.items()}
    return {key: value for key, value in chosen.items() if rng.random() < probability}


def recurrent(rng, sequences):
    kind = [L.LSTM, L.GRU, L.SimpleRNN][rng.integers(3)]
    options = option(rng, 0.25, activation=FUNCTIONS, use_bias=[False])
    if kind is not L.SimpleRNN:
        options |= option(rng, 0.25, recurrent_activation=["sigmoid", "hard_sigmoid"])
    if kind is L.GRU:
        options["reset_after"] = bool(rng.integers(2))
    both = rng.random() < 0.3
    if not both and rng.random() < 0.15:
        options["go_backwards"] = True
    layer = kind(int(rng.integers(1, 7)), return_sequences=sequences, **options)
    mode = str(rng.choice(["concat", "sum", "ave", "mul"]))
    return L.Bidirectional(layer, merge_mode=mode) if both else layer


def framewise(rng):
    kind = rng.integers(6)
    if kind == 0:
        return L.BatchNormalization(**option(rng, 0.3, center=[False], scale=[False], epsilon=[0.01]))
    if kind == 1:
        return L.LayerNormalization(**option(rng, 0.3, center=[False], scale=[False], epsilon=[0.01]))
    if kind == 2:
        return L.Activation(str(rng.choice(FUNCTIONS)))
    if kind == 3:
        return L.Dropout(0.3)
    use_bias = bool(rng.random() < 0.8)
    dense = L.Dense(int(rng.integers(1, 6)), activation=str(rng.choice(HEADS)), use_bias=use_bias)
    return L.TimeDistributed(dense) if kind == 4 else dense


def layers_of(rng):
    """Returns the layers, with the number of ids or 0, the features, and whether time steps are masked."""
    masked, ids, features = rng.random() < 0.25, 0, int(rng.integers(1, 5))
    if rng.random() < 0.25:
        ids = int(rng.integers(3, 9))
        embedding = L.Embedding(ids, int(rng.integers(1, 5)), mask_zero=masked)
        layers = [L.Input((None,), dtype="int32"), embedding]
    else:
        layers = [L.Input((TIME, features))] + [L.Masking(MASKED)] * masked
    layers += [framewise(rng) for _ in range(rng.integers(0, 2))]
    count, last = int(rng.integers(1, 4)), masked or bool(rng.integers(2))
    for number in range(count):
        layers.append(recurrent(rng, not (last and number == count - 1)))
        if number < count - 1 or not last:
            layers += [framewise(rng) for _ in range(rng.integers(0, 2))]
    heads = [framewise(rng) for _ in range(rng.integers(0, 3))]
    # No frames are left to distribute over after the last one.
    layers += [head for head in heads if not (last and isinstance(head, L.TimeDistributed))]
    return layers, ids, features, masked


def net(rng, path):
    keras.backend.clear_session()
    layers, ids, features, masked = layers_of(rng)
    model = keras.Sequential(layers)
    for variable in model.variables:
        if "seed" in variable.path:
            continue
        values = rng.uniform(-0.7, 0.9, variable.shape)
        variable.assign(np.abs(values) + 0.3 if "variance" in variable.path else values)
    if ids:
        x = rng.integers(0, ids, (SEQUENCES, TIME)).astype(np.int32)
        x[:, 0] = np.maximum(x[:, 0], 1)
    else:
        x = rng.standard_normal((SEQUENCES, TIME, features)).astype(np.float32)
        if masked:
            x[:, 1:][rng.random((SEQUENCES, TIME - 1)) < 0.3] = MASKED
    file = f"{path}.{'keras' if rng.random() < 0.6 else 'h5'}"
    model.save(file)
    return file, [], x, np.asarray(model(x, training=False))
