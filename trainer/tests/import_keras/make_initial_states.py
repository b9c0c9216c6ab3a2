"""Writes initial_states.zip.gz: Functional models whose initial states are constants, inputs, and outputs.

    python3 -m venv VENV
    VENV/bin/pip install -r requirements.txt
    VENV/bin/python make_initial_states.py

Keras 2 accepts such a state for batches of its own size only. Weights and inputs are multiples of 1/512, made
from the case's name.
"""

import gzip
import io
import os
import pathlib
import zipfile
import zlib

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
import tensorflow as tf

HERE = pathlib.Path(__file__).parent
L = keras.layers
FEATURES, TIME, SEQUENCES = 2, 5, 3
MASKED = -9.0


def rounded(rng, shape):
    return (np.round(512 * rng.uniform(-1, 1, shape)) / 512).astype("float32")


def states(rng, count, batch=1):
    return [tf.constant(np.tile(rounded(rng, (1, 3)), (batch, 1))) for _ in range(count)]


def model(layer, given):
    x = L.Input((None, FEATURES))
    return keras.Model(x, L.Dense(2)(layer(x, initial_state=given)))


def positional(rng):
    x = L.Input((None, FEATURES))
    return keras.Model(x, L.GRU(3)(x, states(rng, 1)[0]))


def masked(rng):
    x = L.Input((None, FEATURES))
    y = L.Masking(MASKED)(x)
    return keras.Model(x, L.LSTM(3, name="lstm")(y, initial_state=states(rng, 2)))


ALL = dict(return_sequences=True)
CASES = {
    "lstm": lambda rng: model(L.LSTM(3, **ALL), states(rng, 2)),
    "equal_sequences": lambda rng: model(L.LSTM(3), states(rng, 2, batch=SEQUENCES)),
    "gru": lambda rng: model(L.GRU(3, **ALL), states(rng, 1)),
    "gru_reset_before": lambda rng: model(L.GRU(3, reset_after=False), states(rng, 1)[0]),
    "array": lambda rng: model(L.GRU(3), rounded(rng, (1, 3))),
    "backwards": lambda rng: model(L.SimpleRNN(3, go_backwards=True, **ALL), states(rng, 1)),
    "bidirectional": lambda rng: model(L.Bidirectional(L.LSTM(3, **ALL)), states(rng, 4)),
    "bidirectional_last": lambda rng: model(L.Bidirectional(L.GRU(3)), states(rng, 2)),
    "positional": positional,
    "zeros": lambda rng: model(L.GRU(3), tf.zeros((1, 3))),
}
REJECTED = {
    "other_sequences": lambda rng: model(L.GRU(3, name="gru"), tf.constant(rounded(rng, (SEQUENCES, 3)))),
    "doubles": lambda rng: model(L.GRU(3, name="gru"), rounded(rng, (1, 3)).astype("float64")),
    # Keras passes no mask beside such states.
    "masked": masked,
    "stateful": lambda rng: of_one_size(rng),
}


def of_one_size(rng):
    x = L.Input((None, FEATURES), batch_size=1)
    return keras.Model(x, L.GRU(3, stateful=True, name="gru")(x, initial_state=states(rng, 1)))


def put(zipped, name, data):
    """Adds a member to a zip, with a constant date."""
    zipped.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)


def save(zipped, name, net):
    path = HERE / "model.keras"
    net.save(path)
    put(zipped, f"{name}.keras", path.read_bytes())
    path.unlink()


def main():
    print("Keras", keras.__version__, "TensorFlow", tf.__version__, "numpy", np.__version__)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for name, make in CASES.items():
            rng = np.random.default_rng(zlib.crc32(name.encode()))
            net = make(rng)
            net.set_weights([rounded(rng, value.shape) for value in net.get_weights()])
            x = rounded(rng, (SEQUENCES, TIME, FEATURES))
            save(zipped, name, net)
            for key, values in {"x": x, "y": np.asarray(net(x, training=False))}.items():
                array = io.BytesIO()
                np.save(array, values)
                put(zipped, f"{name}.{key}.npy", array.getvalue())
        for name, make in REJECTED.items():
            save(zipped, f"rejected/{name}", make(np.random.default_rng(zlib.crc32(name.encode()))))
    (HERE / "initial_states.zip.gz").write_bytes(gzip.compress(buffer.getvalue(), mtime=0))


if __name__ == "__main__":
    main()
