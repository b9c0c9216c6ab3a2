"""Writes VERSION.zip.gz: models as this version of Keras saves them, inputs, and its outputs.

    python3 -m venv VENV
    VENV/bin/pip install -r requirements.txt
    VENV/bin/python make_golden.py

This writes 3.15.1.zip.gz with all cases, and rejected.zip.gz. The files of other versions have the cases of
`OF_ALL_VERSIONS`, and each needs an environment of its own:

    2.13.1, 2.15.0              pip install tensorflow-cpu==VERSION (2.15.1 for 2.15.0), Python 3.11
    3.0.5, 3.3.3, 3.8.0         pip install tensorflow-cpu==2.15.1, keras==VERSION with --no-deps,
                                make_golden.py keras

A case is CASE.keras or CASE.h5 or both, CASE.x.npy and CASE.y.npy. The zips are not compressed, as one
stream over all of them is smaller. Weights and inputs are multiples of 1/512, made from the case's name.
"""

import contextlib
import gzip
import io
import os
import pathlib
import sys
import zipfile
import zlib

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import h5py
import numpy as np
import tensorflow as tf

HERE = pathlib.Path(__file__).parent
if tf.__version__ < "2.16" and "keras" not in sys.argv:
    keras = tf.keras
    KERAS_2 = True
    VERSION = {"2.15.1": "2.15.0"}.get(tf.__version__, tf.__version__)
else:
    import keras

    KERAS_2 = False
    VERSION = keras.__version__
L = keras.layers
TWO_VERSIONS = ["2.15.0", "3.15.1"]
IDS, FEATURES, TIME, SEQUENCES = 7, 2, 5, 3
MASKED = -9.0


def frames(time=None):
    return L.Input((time, FEATURES))


def ids():
    return L.Input((None,), dtype="int32")


def rows(features=3):
    return L.Input((features,))


CELLS = {
    "rnn": L.SimpleRNN, "lstm": L.LSTM, "gru": L.GRU,
    "before": lambda *a, **k: L.GRU(*a, reset_after=False, **k),
}


def seq(cell, units, **options):
    return CELLS[cell](units, return_sequences=True, **options)


def chains():
    """Yields chains of layers, by name."""
    yield "masked_stack", lambda: [
        frames(), L.Masking(MASKED), seq("lstm", 3), L.Dropout(0.5), seq("lstm", 4, name="zebra"),
        L.BatchNormalization(),
        seq("gru", 3, name="lstm_7"), L.LayerNormalization(), L.Dense(3, activation="relu"), seq("lstm", 3),
        seq("before", 3), L.SimpleRNN(3), L.Dense(2, name="dense_5"), L.Dense(3), L.Activation("softmax"),
    ]
    yield "both_ways", lambda: [
        frames(), L.Bidirectional(L.GRU(3, return_sequences=True)),
        L.Bidirectional(L.LSTM(3, return_sequences=True), merge_mode="sum", name="forward_both"),
        L.TimeDistributed(L.Dense(3, activation="tanh")), L.TimeDistributed(L.Dense(4)),
        L.Bidirectional(L.SimpleRNN(3), merge_mode="mul"),
    ]
    yield "hard_sigmoid", lambda: [
        frames(), seq("gru", 3, recurrent_activation="hard_sigmoid"), L.Dense(3, activation="hard_sigmoid"),
        L.Activation("hard_sigmoid"), L.LSTM(3, recurrent_activation="hard_sigmoid"),
    ]
    yield "words", lambda: [
        ids(), L.Embedding(IDS, 3, mask_zero=True), L.GRU(3), L.Dense(3, activation="softmax")
    ]
    yield "parts_off", lambda: [
        frames(), seq("lstm", 3, use_bias=False), L.LayerNormalization(center=False, scale=False),
        L.BatchNormalization(center=False), L.LayerNormalization(scale=False), L.Dense(3, use_bias=False),
        L.LayerNormalization(center=False), L.BatchNormalization(scale=False, epsilon=0.01),
        L.SimpleRNN(4, use_bias=False),
    ]
    yield "leaky", lambda: [
        frames(), L.LSTM(3), L.Dense(4, activation="leaky_relu"), L.Dense(3, activation="elu")
    ]
    yield "layers_as_activations", lambda: [
        frames(), seq("rnn", 4), L.ReLU(), L.Dense(4), L.LeakyReLU(0.2), L.Dense(4), L.ELU(), L.Dense(4),
        L.ReLU(6.0),
        L.Dense(3, activation=L.ReLU()), L.Softmax(),
    ]


OF_ALL_VERSIONS = [name for name, _ in chains()]


def of_two_versions():
    """Yields the cases of the newest Keras 2 and the newest Keras 3."""
    yield "normalized", lambda: [
        frames(), L.Normalization(), seq("gru", 3), L.Rescaling(-2.0, offset=0.5), L.Normalization(axis=None),
        L.LSTM(3), L.Dense(2), L.Normalization(invert=True),
    ]
    yield "normalized_by_config", lambda: [
        frames(), L.Rescaling([0.25, -3.0], offset=1.5),
        L.Normalization(mean=[0.5, -2.0], variance=[4.0, 0.0625]), seq("lstm", 3),
        L.Normalization(mean=0.25, variance=0.0625),
        L.TimeDistributed(L.Normalization(mean=[0.5, 0.25, 0.125], variance=[1.0, 0.5, 2.0])), L.GRU(3),
    ]
    yield "normalization_first", lambda: [
        frames(), L.Normalization(mean=[0.5, -2.0], variance=[4.0, 0.0]), L.LSTM(3), L.Dense(2)
    ]
    yield "same_frames", lambda: [
        frames(TIME), L.Reshape((TIME, FEATURES)), L.Permute((1, 2)), seq("lstm", 3), L.Reshape((-1, 3)),
        L.TimeDistributed(L.Flatten()), L.LSTM(3), L.Flatten(), L.Reshape((3,)), L.Permute((1,)), L.Dense(2),
    ]
    yield "one_step", lambda: [
        frames(1), seq("lstm", 3), L.Flatten(), L.Dense(4), L.RepeatVector(1), seq("gru", 3),
        L.GlobalAveragePooling1D(), L.Dense(3), L.Reshape((1, 3)), L.GlobalMaxPooling1D(keepdims=True),
        L.LSTM(3), L.Dense(2),
    ]
    yield "row_as_step", lambda: [rows(3), L.Reshape((1, 3)), L.LSTM(4), L.Dense(2)]
    yield "convolution", lambda: [
        frames(), L.Conv1D(4, 1, activation="relu"), seq("lstm", 3),
        L.Conv1D(3, 1, padding="same", use_bias=False), L.LSTM(3),
    ]
    yield "slopes", lambda: [
        frames(TIME), L.LeakyReLU(3.0), L.Dense(4), L.LeakyReLU(), seq("lstm", 3), L.LeakyReLU(0.75),
        L.Dense(3, use_bias=False), L.ReLU(negative_slope=0.0625), L.TimeDistributed(L.LeakyReLU(0.01)),
        L.PReLU(shared_axes=[1]), seq("gru", 3, activation="linear"), L.TimeDistributed(L.PReLU()), L.LSTM(3),
        L.PReLU(), L.Dense(2, activation="tanh"), L.LeakyReLU(0.5),
    ]
    yield "mean", lambda: [
        frames(TIME), seq("lstm", 3), L.Dense(4, activation="tanh"), L.GlobalAveragePooling1D(), L.Dense(2)
    ]
    yield "mean_of_open_length", lambda: [
        frames(), L.Bidirectional(seq("gru", 3)), L.GlobalAveragePooling1D(), L.Dense(2)
    ]
    yield "maximum", lambda: [frames(), seq("lstm", 3), L.Dense(4), L.GlobalMaxPooling1D(), L.Dense(2)]
    yield "limits", lambda: [
        frames(), L.ReLU(0.75), L.Dense(4), L.ReLU(1.0), seq("lstm", 3), L.TimeDistributed(L.ReLU(0.125)),
        L.LSTM(3), L.Dense(3), L.ReLU(0.5), L.Dense(2),
    ]
    yield "stateful", lambda: [
        L.Input((TIME, FEATURES), batch_size=SEQUENCES), seq("lstm", 3, stateful=True),
        L.GRU(3, stateful=True),
    ]
    yield "nested", lambda: [
        frames(),
        keras.Sequential(
            [seq("lstm", 3), L.Bidirectional(seq("gru", 3)), L.TimeDistributed(L.Dense(3))], name="encoder"
        ),
        L.Dense(3, activation="relu"),
        keras.Sequential([L.Input((None, 3)), L.LSTM(3), L.BatchNormalization(), L.Dense(3)], name="head"),
        L.Dense(2),
    ]
    if KERAS_2:
        # Keras 3 does not store the shapes.
        yield "input_shape_inside", lambda: [
            frames(), L.Bidirectional(seq("lstm", 3, input_shape=(TIME, FEATURES))),
            L.TimeDistributed(L.Dense(4, input_shape=(6,))), L.Bidirectional(L.GRU(3, input_shape=(TIME, 4))),
        ]


def of_this_version():
    """Yields the cases of the newest version only."""
    for cell in CELLS:
        for suffix, options in [("", {}), ("_last_first", {"go_backwards": True})]:
            yield f"{cell}{suffix}", lambda c=cell, o=options: [frames(), CELLS[c](4, **o)]
            yield f"{cell}{suffix}_sequences", lambda c=cell, o=options: [frames(), seq(c, 3, **o)]
        yield f"{cell}_masked", lambda c=cell: [frames(), L.Masking(MASKED), CELLS[c](3)]
        yield f"{cell}_masked_last_first", lambda c=cell: [
            frames(), L.Masking(MASKED), CELLS[c](3, go_backwards=True)
        ]
        yield f"{cell}_masked_sequences", lambda c=cell: [frames(), L.Masking(MASKED), seq(c, 3)]
        yield f"{cell}_no_bias", lambda c=cell: [frames(), CELLS[c](3, use_bias=False, activation="softsign")]
        yield f"{cell}_unrolled", lambda c=cell: [
            frames(TIME), L.Masking(MASKED), seq(c, 3, unroll=True, dropout=0.2, recurrent_dropout=0.1),
            CELLS[c](3, unroll=True, implementation=1) if KERAS_2 else CELLS[c](3, unroll=True),
        ]
        yield f"{cell}_relu", lambda c=cell: [frames(), CELLS[c](3, activation="relu")]
    for mode in ["concat", "sum", "ave", "mul"]:
        yield f"{mode}_sequences", lambda m=mode: [
            frames(), L.Masking(MASKED), L.Bidirectional(seq("lstm", 3), merge_mode=m),
            L.Dense(3, activation="tanh"),
        ]
        yield f"{mode}_last", lambda m=mode: [
            frames(), L.Masking(MASKED), L.Bidirectional(seq("before", 3), merge_mode=m),
            L.Bidirectional(L.GRU(3), merge_mode=m, name=m),
        ]
    yield "mirrored", lambda: [
        frames(),
        L.Bidirectional(
            seq("lstm", 3), backward_layer=seq("lstm", 3, go_backwards=True, dropout=0.1, name="other")
        ),
    ]
    yield "per_frame", lambda: [
        frames(), L.Masking(MASKED), seq("lstm", 3), L.TimeDistributed(L.Dense(4, activation="gelu")),
        L.TimeDistributed(L.Activation("tanh")), L.TimeDistributed(L.BatchNormalization()),
        L.TimeDistributed(L.LayerNormalization(scale=False)), L.TimeDistributed(L.Dropout(0.3)), L.GRU(3),
        L.Dense(2),
    ]
    yield "of_training", lambda: [
        frames(), L.Dropout(0.1), L.Masking(MASKED), L.SpatialDropout1D(0.1), seq("gru", 3, dropout=0.5),
        L.GaussianNoise(0.1), L.GaussianDropout(0.1), L.AlphaDropout(0.1), L.ActivityRegularization(0.1),
        L.Identity(),
        L.LSTM(
            3, kernel_regularizer="l2", bias_constraint="non_neg", recurrent_dropout=0.5,
            kernel_initializer="zeros",
        ),
        L.Dropout(0.2),
        L.Dense(2, kernel_regularizer=keras.regularizers.L1L2(0.1), activity_regularizer="l1"),
    ]
    yield "axes", lambda: [
        frames(), L.BatchNormalization(axis=2), L.LayerNormalization(axis=2), L.LSTM(3),
        L.BatchNormalization(axis=1),
        L.LayerNormalization(axis=-1, epsilon=0.01), L.Softmax(axis=1),
    ]
    yield "embedding", lambda: [ids(), L.Embedding(IDS, 3)]
    yield "words_every_step", lambda: [
        ids(), L.Embedding(IDS, 4, mask_zero=True), L.Bidirectional(seq("lstm", 3)), seq("gru", 3),
        L.Dense(3, activation="softmax"),
    ]
    yield "no_time", lambda: [
        rows(), L.Dense(4, activation="relu"), L.BatchNormalization(), L.Dense(3), L.Softmax()
    ]
    yield "zeros_without_mask", lambda: [frames(), L.LSTM(3, zero_output_for_mask=True)]
    yield "nested_twice", lambda: [
        frames(),
        keras.Sequential(
            [
                seq("lstm", 3), keras.Sequential([L.Dense(4, activation="relu"), L.Dense(3)], name="inner"),
                L.Dense(3),
            ],
            name="outer",
        ),
        L.Dense(4), L.LSTM(3),
    ]
    yield "words_nested", lambda: [
        ids(), keras.Sequential([L.Embedding(IDS, 3, mask_zero=True), L.GRU(3)], name="words"), L.Dense(2)
    ]
    yield "rescaled_by_array", lambda: [frames(), L.Rescaling(np.array([0.5, 4.0])), L.LSTM(3)]
    yield "named_like_the_default", lambda: [
        frames(), seq("lstm", 3, name="lstm_1"), seq("lstm", 3, name="lstm"), L.LSTM(3, name="lstm_2")
    ]
    # Every activation, within a Dense layer and as a layer.
    for activation in [
        "celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh",
        "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid",
        "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid",
        "squareplus", "tanh", "tanh_shrink",
    ]:
        yield f"activation_{activation}", lambda a=activation: [
            rows(2), L.Dense(3, activation=a), L.Activation(a), L.Dense(3, activation="tanh")
        ]


def row(layers):
    """Returns a Functional model of a chain of layers."""
    x, *layers = layers
    y = x
    for layer in layers:
        y = layer(y)
    return keras.Model(x, y)


def functional():
    """Yields Functional models, by name."""
    for name in ["masked_stack", "both_ways", "words", "leaky"]:
        yield f"functional_{name}", lambda n=name: row(dict(chains())[n]())
    if VERSION in TWO_VERSIONS:
        yield "last_step", lambda: last_step("lstm", (slice(None), -1))
        yield "arithmetic", arithmetic
        yield "residual", residual
        yield "residual_of_input", residual_of_input
        index = (slice(None), -1, slice(None))
        yield "last_step_backwards", lambda: last_step("gru", index, go_backwards=True)
        for name in ["nested", "normalized"]:
            yield f"functional_{name}", lambda n=name: row(dict(of_two_versions())[n]())
    if KERAS_2 or "keras" in sys.argv:
        return
    yield "functional_nested_twice", lambda: row(dict(of_this_version())["nested_twice"]())
    for name in ["per_frame", "of_training", "no_time"]:
        yield f"functional_{name}", lambda n=name: row(dict(of_this_version())[n]())
    yield "states_unused", states_unused


def arithmetic():
    x = frames()
    y = 2.0 * (x / 255.0 - 0.5) + 0.25
    y = 1 - L.LSTM(3)(-y)
    return keras.Model(x, 0.75 + L.Dense(2)(y) / -3 * 0.5)


def residual():
    x = frames()
    y = L.Dense(3)(x)
    y = L.Add()([seq("gru", 3)(seq("lstm", 3)(y)), y])
    y = y + L.LeakyReLU(0.25)(seq("gru", 3)(y))
    y = L.Dense(3)(L.LSTM(4)(y))
    return keras.Model(x, L.Add()([y, L.Dense(3, activation="tanh")(y)]))


def residual_of_input():
    x = frames()
    return keras.Model(x, L.Dense(2)(L.LSTM(3)(x + seq("lstm", 2)(x))))


def last_step(cell, index, **options):
    x = frames()
    y = L.Dense(4, activation="relu")(seq(cell, 3, **options)(seq("lstm", 3)(x)))
    return keras.Model(x, L.Dense(2)(y[index]))


def states_unused():
    x = frames()
    y, _, _ = L.LSTM(3, return_state=True)(x)
    return keras.Model(x, L.Dense(2)(y))


def rejected():
    """Yields unsupported models, by name."""
    x = frames()
    lstm = L.LSTM(3, name="lstm")(x)
    added = L.Add(name="add")([lstm, L.GRU(3, name="gru")(x)])
    yield "branch", keras.Model(x, L.Dense(2, name="head")(added))
    yield "skip", keras.Model(x, L.Concatenate(name="cat")([seq("lstm", 3, name="a")(x), x]))
    yield "two_outputs", keras.Model(x, [L.Dense(2, name="p")(lstm), L.Dense(2, name="q")(lstm)])
    x2 = frames()
    yield "two_inputs", keras.Model([x, x2], L.Dense(2)(L.Concatenate()([lstm, L.LSTM(3)(x2)])))
    dense = L.Dense(3, name="twice")
    yield "shared", keras.Model(x, dense(dense(lstm)))
    y, h, c = L.LSTM(3, return_state=True, name="states")(x)
    yield "state_used", keras.Model(x, L.Dense(2, name="of_h")(h))
    y, h, c = seq("lstm", 3, return_state=True, name="encoder")(x)
    yield "state_given", keras.Model(x, L.LSTM(3, name="decoder")(y, initial_state=[h, c]))
    yield "training", keras.Model(x, L.Dropout(0.5, name="always")(x, training=True))
    inner = keras.Model(x, L.LSTM(3)(x), name="inner")
    yield "nested", keras.Sequential([frames(), inner, L.Dense(2)])
    for name, layers in [("masked_nested", [L.LSTM(3)]), ("nested_mask", [L.Masking(MASKED)])]:
        inner = keras.Sequential([frames()] + layers, name="inner")
        before = [frames(), L.Masking(MASKED)] if name == "masked_nested" else [frames()]
        yield name, keras.Sequential(before + [inner] + ([] if len(before) == 2 else [L.LSTM(3)]))
    yield "lambda", keras.Sequential([frames(), L.LSTM(3), L.Lambda(lambda x: x * 2, name="twice")])
    yield "conv", keras.Sequential([frames(), L.Conv1D(3, 2, name="conv"), L.LSTM(3)])
    yield "flatten", keras.Sequential([frames(TIME), seq("lstm", 3), L.Flatten(name="flatten"), L.Dense(2)])
    for name, layer in [("permute", L.Permute((2, 1), name="p")), ("reshape", L.Reshape((2, 5), name="r"))]:
        yield name, keras.Sequential([frames(TIME), layer, L.Dense(2)])
    yield "repeat", keras.Sequential([frames(), L.LSTM(3), L.RepeatVector(4, name="repeat"), L.LSTM(3)])
    step = L.RepeatVector(1, name="step")
    yield "step_again", keras.Sequential([frames(), L.LSTM(3), step, L.LSTM(3)])
    late = [L.Masking(MASKED), seq("lstm", 3), L.GlobalAveragePooling1D(name="pool")]
    yield "masked_mean", keras.Sequential([frames(TIME)] + late)
    kept = L.GlobalMaxPooling1D(keepdims=True, name="pool")
    yield "kept_axis", keras.Sequential([frames(), seq("lstm", 3), kept, L.LSTM(3)])
    y = seq("lstm", 3, name="a")(x)
    yield "first_step", keras.Model(x, y[:, 0])
    yield "last_features", keras.Model(x, y[:, :, -1])
    yield "last_of_both", keras.Model(x, L.Bidirectional(seq("gru", 3), name="both")(x)[:, -1])
    yield "two_tensors", keras.Model(x, y + y)
    yield "divided", keras.Model(x, L.Dense(2)(1 / L.LSTM(3, name="lstm")(x)))
    yield "masked_arithmetic", keras.Model(x, L.LSTM(3)(L.Masking(MASKED)(x) * 2))
    yield "last_of_none", keras.Model(x, L.Dense(3, name="dense")(x)[:, -1])
    yield "last_of_masked", keras.Model(x, seq("lstm", 3, name="lstm")(L.Masking(MASKED)(x))[:, -1])
    late = L.Rescaling(2.0, name="r")
    yield "rescaled_late", keras.Sequential([frames(), L.Masking(MASKED), late, L.LSTM(3)])
    times = L.Normalization(axis=[1, 2], name="n")
    yield "normalized_times", keras.Sequential([frames(TIME), times, L.LSTM(3)])
    batch = L.Input((None, 2), batch_size=1)
    stateful = L.LSTM(3, stateful=True, go_backwards=True, name="stateful")
    yield "stateful", keras.Sequential([batch, stateful])
    both = L.Bidirectional(L.LSTM(3, stateful=True), name="both")
    yield "stateful_both", keras.Sequential([batch, both])
    yield "rnn_of_cells", keras.Sequential([frames(), L.RNN([L.LSTMCell(3), L.LSTMCell(3)], name="cells")])
    yield "half", keras.Sequential([frames(), L.LSTM(3, dtype="mixed_float16", name="half")])
    yield "custom", keras.Sequential([frames(), L.LSTM(3), L.Dense(2, activation=mine, name="dense")])
    yield "two_outputs_of_one", keras.Model(x, L.Bidirectional(L.LSTM(3), merge_mode=None, name="apart")(x))
    different = L.GRU(3, go_backwards=True, activation="relu", name="b")
    pair = L.Bidirectional(L.GRU(3), backward_layer=different, name="pair")
    yield "not_mirrored", keras.Sequential([frames(), pair])
    yield "mask_late", keras.Sequential([frames(), seq("lstm", 3), L.Masking(name="late"), L.LSTM(3)])
    masked = L.Masking(MASKED)
    yield "mask_alone", keras.Sequential([frames(), L.Masking(MASKED, name="masking"), L.Dense(4)])
    turned = seq("lstm", 3, go_backwards=True, name="turned")
    yield "mask_not_turned", keras.Sequential([frames(), masked, turned, L.LSTM(3)])
    zeros = L.LSTM(3, zero_output_for_mask=True, name="zeros")
    yield "zeros_at_the_end", keras.Sequential([frames(), masked, zeros])
    masked = L.Masking(MASKED)(x)
    own = keras.ops.any(x > 0, axis=-1)
    yield "own_mask", keras.Model(x, L.LSTM(3, name="lstm")(masked, mask=own))
    late = [L.Masking(MASKED), seq("lstm", 3), L.GlobalMaxPooling1D(name="pool")]
    yield "masked_maximum", keras.Sequential([frames()] + late)
    masked = L.Masking(MASKED)(x)
    yield "masked_sum", keras.Model(x, L.LSTM(3)(L.Add(name="add")([masked, seq("lstm", 2)(masked)])))
    dense = L.Dense(6)(x)
    both = L.Bidirectional(seq("lstm", 3), name="both")(dense)
    yield "sum_of_both", keras.Model(x, L.LSTM(3)(L.Add(name="add")([dense, both])))
    yield "broadcast_sum", keras.Model(x, L.LSTM(3)(L.Add(name="add")([L.Dense(1)(x), x])))
    lora = keras.Sequential([frames(), L.Dense(3, name="lora")])
    lora.layers[-1].enable_lora(1)
    yield "lora", lora
    quantized = keras.Sequential([frames(), L.Dense(3, name="quantized")])
    quantized.quantize("int8")
    yield "quantized", quantized


def hostile():
    """Yields hostile files, by name: they declare more data than they contain."""
    model = keras.Sequential([frames(), L.LSTM(3, name="lstm")], name="seq")
    model_bytes = saved(model, ".h5")
    lstm = "model_weights/lstm/seq/lstm/lstm_cell"

    @contextlib.contextmanager
    def edited():
        buffer = io.BytesIO(model_bytes)
        with h5py.File(buffer, "r+") as file:
            yield buffer, file

    with edited() as (link_to_itself, file):
        del file["model_weights/lstm/seq"]
        file["model_weights/lstm/seq"] = file["model_weights/lstm"]
    yield "cyclic_links.h5", link_to_itself
    with edited() as (soft_link, file):
        del file["model_weights/lstm"]
        file["model_weights/lstm"] = h5py.SoftLink("/model_weights/lstm")
    yield "soft_link_to_itself.h5", soft_link
    with edited() as (external, file):
        del file["model_weights/lstm"]
        file["model_weights/lstm"] = h5py.ExternalLink("other.h5", "/lstm")
    yield "external_link.h5", external
    with edited() as (other_shape, file):
        del file[f"{lstm}/kernel"]
        file.create_dataset(f"{lstm}/kernel", (1 << 40, 12), "float32", chunks=(1 << 16, 12))
    yield "huge_array.h5", other_shape
    with edited() as (huge, file):
        file.attrs["model_config"] = file.attrs["model_config"].replace('"units": 3', f'"units": {1 << 24}')
        del file[f"{lstm}/kernel"]
        file.create_dataset(f"{lstm}/kernel", (2, 4 << 24), "float32", chunks=(1, 1 << 16))
    yield "huge_as_it_says.h5", huge
    with edited() as (bomb, file):
        del file[f"{lstm}/kernel"]
        kernel = file.create_dataset(f"{lstm}/kernel", (2, 12), "float32", chunks=(2, 12), compression="gzip")
        kernel.id.write_direct_chunk((0, 0), zlib.compress(bytes(1 << 24), 9)[: 1 << 15])
    yield "gzip_bomb.h5", bomb
    # Five hundred references to a string of 60 kB.
    with edited() as (references, file):
        text = h5py.string_dtype()
        file["model_weights/lstm"].attrs.create("weight_names", ["x" * 60_000] + ["y"] * 500, dtype=text)
    data = bytearray(references.getvalue())
    at = data.index((60_000).to_bytes(4, "little"), data.index(b"weight_names"))
    while data[at + 16 : at + 20] != (1).to_bytes(4, "little"):
        at = data.index((60_000).to_bytes(4, "little"), at + 1)
    data[at : at + 16 * 501] = 501 * data[at : at + 16]
    yield "text_bomb.h5", io.BytesIO(data)


def mine(x):
    return x + 1


def rewritten(data):
    """Yields the same .h5 file as other versions of Keras and of HDF5 write it, by the difference."""

    def copy(options, text, split, **storage):
        buffer = io.BytesIO()
        with h5py.File(io.BytesIO(data)) as old, h5py.File(buffer, "w", **options) as new:

            def visit(name, item):
                if isinstance(item, h5py.Dataset):
                    new.create_dataset(name, data=item[()], **storage)
                target = new[name] if name in new else new.create_group(name)
                for key, value in item.attrs.items():
                    if split and key in ["layer_names", "weight_names"] and len(value):
                        target.attrs[f"{key}0"], target.attrs[f"{key}1"] = text(value[:1]), text(value[1:])
                    else:
                        target.attrs[key] = text(value)

            visit("/", old)
            old.visititems(visit)
            for number in range(20):
                new.attrs[f"number {number}"] = number
        return buffer.getvalue()

    def fixed(value):
        """Returns strings of a fixed length."""
        return np.bytes_(value.encode()) if isinstance(value, str) else np.array(value, "S")

    def same(value):
        return value if isinstance(value, str) or not len(value) else np.array(value, h5py.string_dtype())

    yield "old_texts", copy({"libver": "earliest"}, fixed, False)
    yield "split_names", copy({}, fixed, True)
    yield "newest_format", copy(
        {"libver": "latest"}, same, False, chunks=True, compression="gzip", shuffle=True, fletcher32=True
    )


def put_weights(model, rng):
    """Sets asymmetric weights, and variances well above zero."""
    for layer in model.layers:
        for weight in layer.weights:
            name = getattr(weight, "path", weight.name)
            if "seed" in name or "count" in name:
                continue
            values = np.round(512 * rng.uniform(-0.8, 1.0, weight.shape)) / 512
            weight.assign(np.abs(values) + 0.25 if "variance" in name else values)
        if isinstance(layer, L.Normalization):
            layer.finalize_state()


def inputs(model, rng):
    first = model.layers[0] if not isinstance(model.layers[0], L.InputLayer) else model.layers[1]
    if isinstance(first, L.Embedding) or first.name == "words":
        return rng.integers(0, IDS, (SEQUENCES, TIME)).astype("int32")
    shape = model.input_shape
    shape = (SEQUENCES, shape[1] or TIME, shape[-1]) if len(shape) == 3 else (SEQUENCES, shape[-1])
    x = np.round(512 * rng.uniform(-1.5, 1.0, shape)) / 512
    if any(isinstance(layer, L.Masking) for layer in model.layers):
        x[0, 3:] = MASKED
        x[1, [0, 2]] = MASKED
    return x.astype("float32")


def saved(model, extension):
    path = HERE / f"model{extension}"
    model.save(path)
    data = path.read_bytes()
    path.unlink()
    return data


def save(zipped, name, model, formats):
    for extension in formats:
        put(zipped, f"{name}{extension}", saved(model, extension))


def extensions(name):
    """Returns the formats of a case: both if they may differ; .h5 of Keras 3 from the newest version only."""
    plain = name.removeprefix("functional_")
    both = plain in OF_ALL_VERSIONS + ["per_frame", "of_training", "mirrored", "no_time", "states_unused"]
    both = both or plain in [name for name, _ in of_two_versions()] + ["nested_twice", "last_step", "arithmetic"]
    return [".keras", ".h5"] if both and VERSION in TWO_VERSIONS else [".keras"]


def put(zipped, name, data):
    """Adds a member to a zip, with a constant date."""
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    zipped.writestr(info, data)


@contextlib.contextmanager
def packed(name):
    """Provides a zip to write to, which becomes NAME.zip.gz."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        yield zipped
    (HERE / f"{name}.zip.gz").write_bytes(gzip.compress(buffer.getvalue(), mtime=0))


def save_array(zipped, name, values):
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(values, "float32"))
    put(zipped, f"{name}.npy", buffer.getvalue())


def main():
    print("Keras", VERSION, "TensorFlow", tf.__version__, "numpy", np.__version__)
    newest = not KERAS_2 and "keras" not in sys.argv
    cases = {name: (lambda l=layers: keras.Sequential(l())) for name, layers in chains()}
    if VERSION in TWO_VERSIONS:
        cases |= {name: (lambda l=layers: keras.Sequential(l())) for name, layers in of_two_versions()}
    if newest:
        cases |= {name: (lambda l=layers: keras.Sequential(l())) for name, layers in of_this_version()}
    cases |= dict(functional())
    with packed(VERSION) as zipped:
        for name, make in cases.items():
            rng = np.random.default_rng(zlib.crc32(name.encode()))
            keras.backend.clear_session()
            model = make()
            put_weights(model, rng)
            x = inputs(model, rng)
            try:
                y = np.asarray(model(x, training=False))
            except Exception as error:
                print("Keras itself fails:", name, str(error).splitlines()[-1][:150])
                continue
            names = [name]
            save(zipped, name, model, extensions(name))
            if newest and name == "both_ways":
                for how, data in rewritten(saved(model, ".h5")):
                    names.append(f"{name}_{how}")
                    put(zipped, f"{names[-1]}.h5", data)
            for name in names:
                save_array(zipped, f"{name}.x", x)
                save_array(zipped, f"{name}.y", y)
    if newest:
        with packed("rejected") as zipped:
            for name, model in rejected():
                save(zipped, name, model, [".keras"])
            for name, buffer in hostile():
                put(zipped, name, buffer.getvalue())
            weights = keras.Sequential([frames(), L.LSTM(3)])
            path = HERE / "alone.weights.h5"
            weights.save_weights(path)
            put(zipped, "weights_alone.h5", path.read_bytes())
            path.unlink()


main()
