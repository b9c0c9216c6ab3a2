"""Writes initial_states.zip: recurrent layers whose initial states are constants of the file.

Python 3.11, onnx 1.23.2, onnxruntime 1.32.0, numpy 2.4.6.

The seed of a case follows from its name.
"""

import zlib

import numpy as np
from onnx import numpy_helper, parser

from golden import Golden, outputs

SEQUENCES, TIME, UNITS = 2, 6, 4

# Integers that the nodes read.
FIXED = {
    "zero": np.array([0]),
    "one": np.array([1]),
    "two": np.array([2]),
    "four": np.array([4]),
    "kept": np.array([-1]),
    "all_kept": np.array([-1, -1, -1]),
    "ones": np.array([1, 1, 1]),
    "joined": np.array([0, 0, -1]),
    "first": np.array(0),
    "second": np.array(1),
}
# Random constants by their shapes; those of an LSTM end in 16, those of an RNN in 4.
RANDOM = {
    **{"W": (1, 12, 3), "R": (1, 12, 4), "B": (1, 24), "W2": (2, 12, 3), "R2": (2, 12, 4), "B2": (2, 24)},
    **{"W16": (1, 16, 3), "R16": (1, 16, 4), "B16": (1, 32), "V16": (1, 16, 4), "W4": (1, 4, 3), "R4": (1, 4, 4)},
    **{"U16": (2, 16, 3), "S16": (2, 16, 4)},
    **{"h": (1, 1, 4), "c": (1, 1, 4), "hs": (2, 1, 4), "cs": (2, 1, 4), "row": (1, 4), "vector": (4,)},
}
# Two equal sequences, as an exporter with a fixed batch writes them.
EQUAL = {"h_equal": (1, 1, 4), "c_equal": (1, 1, 4)}

# The shape of the states for the batch of the input.
SHAPE = "n = Shape(x); b = Gather(n, one); t = Concat<axis=0>(one, b, four); "
BOTH = SHAPE.replace("(one, b", "(two, b")
LSTM = "Y, H, C = LSTM(x, W16, R16, B16, , {h}, {c}); y = Squeeze(Y, one)"
GRU = "Y, H = GRU(x, W, R, B, , {h}); y = Squeeze(Y, one)"
LAST = "Y, H = GRU(x, W, R, B, , {h}); y = Squeeze(H, zero)"

CASES = {
    "equal_sequences": LSTM.format(h="h_equal", c="c_equal"),
    "only_h": LSTM.format(h="h_equal", c=""),
    "only_c": LSTM.format(h="", c="c_equal"),
    "expanded": SHAPE + "i = Expand(h, t); j = Expand(c, t); " + LSTM.format(h="i", c="j"),
    "expanded_last": SHAPE + "i = Expand(h, t); " + LAST.format(h="i"),
    # The exporter of PyTorch computes the shape of expand(-1, batch, -1) from comparisons.
    "expanded_minus_one": "n = Shape(x); b = Gather(n, one); t = Concat<axis=0>(kept, b, kept); "
    "k = Equal(t, all_kept); m = Where(k, ones, t); i = Expand(h, m); " + GRU.format(h="i"),
    "expanded_row": "n = Shape(x); b = Gather(n, one); t = Concat<axis=0>(b, four); i = Expand(row, t); "
    "j = Unsqueeze(i, zero); " + GRU.format(h="j"),
    "expanded_vector": SHAPE + "i = Expand(vector, t); " + GRU.format(h="i"),
    "tiled": "n = Shape(x); b = Gather(n, one); t = Concat<axis=0>(one, b, one); i = Tile(h, t); "
    + LAST.format(h="i"),
    "one_value": SHAPE + "i = ConstantOfShape<value = float[1] {0.25}>(t); " + GRU.format(h="i"),
    "transposed": "n = Shape(x); b = Gather(n, one); t = Concat<axis=0>(b, one, four); i = Expand(h, t); "
    "j = Transpose<perm=[1,0,2]>(i); " + GRU.format(h="j"),
    "rnn": SHAPE + "i = Expand(h, t); Y, H = RNN(x, W4, R4, , , i); y = Squeeze(Y, one)",
    "reverse": SHAPE + "i = Expand(h, t); Y, H = GRU<direction='reverse'>(x, W, R, B, , i); "
    "y = Squeeze(H, zero)",
    "linear_before_reset": SHAPE + "i = Expand(h, t); Y, H = GRU<linear_before_reset=1>(x, W, R, B, , i); "
    "y = Squeeze(Y, one)",
    "bidirectional": BOTH + "i = Expand(hs, t); Y, H = GRU<direction='bidirectional'>(x, W2, R2, B2, , i); "
    "p = Transpose<perm=[0,2,1,3]>(Y); y = Reshape(p, joined)",
    "bidirectional_lstm": BOTH + "i = Expand(hs, t); j = Expand(cs, t); "
    "Y, H, C = LSTM<direction='bidirectional'>(x, U16, S16, , , i, j); p = Transpose<perm=[0,2,1,3]>(Y); "
    "y = Reshape(p, joined)",
    "concatenated": SHAPE + "i = Expand(h, t); j = Expand(c, t); k = Concat<axis=0>(i, j); "
    "Y, H = GRU<direction='bidirectional'>(x, W2, R2, B2, , k); p = Transpose<perm=[0,2,1,3]>(Y); "
    "y = Reshape(p, joined)",
    # The states of both layers are one tensor.
    "two_layers": BOTH + "i = Expand(hs, t); j = Expand(cs, t); u = Slice(i, zero, one, zero); "
    "v = Slice(j, zero, one, zero); Y, H, C = LSTM(x, W16, R16, B16, , u, v); s = Squeeze(Y, one); "
    "e = Gather<axis=0>(i, second); f = Unsqueeze(e, zero); g = Slice(j, one, two, zero); "
    "Z, J, D = LSTM(s, V16, R16, B16, , f, g); y = Squeeze(Z, one)",
}


def constants(random, nodes):
    """Returns the constants that the nodes read."""
    values = dict(FIXED)
    for name, shape in RANDOM.items():
        values[name] = random.uniform(-1, 1, shape).astype(np.float32)
    for name, shape in EQUAL.items():
        values[name] = np.tile(random.uniform(-1, 1, shape).astype(np.float32), (1, SEQUENCES, 1))
    read = {word.strip(" )") for call in nodes.split("(")[1:] for word in call.split(")")[0].split(",")}
    return {name: value for name, value in values.items() if name in read}


def case(golden, name, nodes):
    random = np.random.default_rng(zlib.crc32(name.encode()))
    for op in ("GRU", "LSTM", "RNN"):
        nodes = nodes.replace(f"= {op}(", f"= {op}<hidden_size={UNITS}>(")
        nodes = nodes.replace(f"= {op}<d", f"= {op}<hidden_size={UNITS}, d")
        nodes = nodes.replace(f"= {op}<l", f"= {op}<hidden_size={UNITS}, l")
    body = nodes.replace("'", '"').replace(";", " ")
    text = f"""<ir_version: 8, opset_import: ["" : 18]>
        g (float[T,B,3] x) => (float[T,B,N] y) {{ {body} }}"""
    model = parser.parse_model(text)
    values = constants(random, nodes)
    model.graph.initializer.extend(numpy_helper.from_array(value, key) for key, value in values.items())
    del model.graph.output[0].type.tensor_type.shape.dim[:]
    model.graph.output[0].type.tensor_type.ClearField("shape")
    x = random.standard_normal((TIME, SEQUENCES, 3), np.float32)
    y = outputs(model, [x])[0]
    y = y if y.ndim == 2 else np.swapaxes(y, 0, 1)
    golden.case(f"initial_states/{name}", model, {"x": np.swapaxes(x, 0, 1), "y": y})


def main():
    golden = Golden("initial_states.zip")
    for name, nodes in CASES.items():
        case(golden, name, nodes)
    golden.close()


if __name__ == "__main__":
    main()
