"""Writes keras.zip: networks of Keras exported by tf2onnx.

Python 3.11, tensorflow-cpu 2.21.0, keras 3.15.1, tf_keras 2.21.0, tf2onnx 1.17.0, onnx 1.23.2,
onnxruntime 1.32.0, numpy 2.4.6.

tf2onnx exports the recurrent layers of Keras 2 as nodes, except SimpleRNN and GRU with reset_after=False,
which become Loop; of Keras 3 it exports the LSTM only. The seed of a case follows from its name.
"""

import os
import zlib

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import keras
import numpy as np
import tensorflow as tf
import tf2onnx
import tf_keras

from golden import Golden, outputs

SEQUENCES, TIME, FEATURES = 2, 6, 3


def case(golden, name, package, layers, ids=False, opset=17):
    random = np.random.default_rng(zlib.crc32(name.encode()))
    kind = tf.int32 if ids else tf.float32
    signature = [tf.TensorSpec((None, None) if ids else (None, None, FEATURES), kind, name="x")]
    first = package.Input((None,), dtype="int32") if ids else package.Input((None, FEATURES))
    model = package.Sequential([first] + layers(package.layers))
    model.set_weights(
        [
            random.uniform(0.2, 0.9, w.shape) if "variance" in w.name else random.uniform(-0.7, 0.7, w.shape)
            for w in model.weights
        ]
    )
    if package is keras:
        run = tf.function(lambda x: model(x, training=False), input_signature=signature)
        proto, _ = tf2onnx.convert.from_function(run, input_signature=signature, opset=opset)
    else:
        proto, _ = tf2onnx.convert.from_keras(model, input_signature=signature, opset=opset)
    x = (
        random.integers(0, 7, (SEQUENCES, TIME)).astype(np.int32)
        if ids
        else random.standard_normal((SEQUENCES, TIME, FEATURES), np.float32)
    )
    (y,) = outputs(proto, [x])
    golden.case(f"keras/{name}", proto, {"x": x, "y": y})


if __name__ == "__main__":
    golden = Golden("keras.zip")
    old, new = tf_keras, keras
    case(
        golden,
        "lstm",
        new,
        lambda k: [k.LSTM(4, return_sequences=True), k.LSTM(3), k.Dense(2, activation="softmax")],
    )
    case(golden, "lstm_backwards", new, lambda k: [k.LSTM(4, go_backwards=True), k.Dense(2)])
    case(
        golden,
        "lstm_both",
        new,
        lambda k: [
            k.Bidirectional(k.LSTM(4, return_sequences=True)),
            k.Bidirectional(k.LSTM(3)),
            k.Dense(2, activation="relu"),
        ],
    )
    case(
        golden,
        "lstm_norm",
        new,
        lambda k: [
            k.LSTM(4, return_sequences=True),
            k.BatchNormalization(),
            k.Dense(2, activation="sigmoid"),
        ],
    )
    case(
        golden,
        "old_lstm",
        old,
        lambda k: [
            k.LSTM(4, return_sequences=True),
            k.Dropout(0.2),
            k.LSTM(3),
            k.Dense(2, activation="softmax"),
        ],
        opset=12,
    )
    case(
        golden,
        "old_gru",
        old,
        lambda k: [k.GRU(4, return_sequences=True), k.TimeDistributed(k.Dense(2, activation="tanh"))],
    )
    case(
        golden,
        "old_gru_last",
        old,
        lambda k: [k.GRU(4, return_sequences=True), k.GRU(3), k.Dense(4, activation="relu"), k.Dense(2)],
    )
    case(
        golden,
        "old_both",
        old,
        lambda k: [
            k.Bidirectional(k.LSTM(4, return_sequences=True)),
            k.Bidirectional(k.GRU(3)),
            k.Dense(2, activation="relu"),
        ],
    )
    case(
        golden,
        "old_both_sum",
        old,
        lambda k: [
            k.Bidirectional(k.LSTM(4, return_sequences=True), merge_mode="sum"),
            k.Dense(2, activation="relu"),
        ],
    )
    case(
        golden,
        "old_both_mul",
        old,
        lambda k: [k.Bidirectional(k.GRU(4), merge_mode="mul"), k.Dense(2, activation="elu")],
    )
    case(
        golden,
        "old_both_ave",
        old,
        lambda k: [k.Bidirectional(k.GRU(4), merge_mode="ave"), k.Dense(2, activation="selu")],
    )
    case(golden, "old_ids", old, lambda k: [k.Embedding(7, 3), k.LSTM(4), k.Dense(2)], ids=True)
    case(
        golden,
        "old_norm",
        old,
        lambda k: [k.GRU(4), k.BatchNormalization(), k.Dense(3, activation="softplus"), k.Dense(2)],
    )
    golden.close()
