"""Writes operators.zip and argmax.zip: graphs with one operator each, before or behind a recurrent layer.

Python 3.11, onnx 1.23.2, onnxruntime 1.32.0, numpy 2.4.6.

The seed of a case follows from its name.
"""

import zlib

import numpy as np
import onnxruntime
from onnx import numpy_helper, parser

from golden import Golden, outputs

SEQUENCES, TIME, IDS = 2, 6, 5

# Constants of all cases; a case has those that it reads.
FIXED = {
    "zero": np.array([0]),
    "one": np.array([1]),
    "minus_one": np.array([-1]),
    "begin": np.array([np.iinfo(np.int64).min]),
    "half": np.float32(0.5),
    "halves": np.full(4, 0.5, np.float32),
    "two": np.float32(2),
    "epsilon": np.float32(1e-3),
    "low": np.float32(-0.1),
    "high": np.float32(0.2),
    "depth": np.array(IDS),
    "off_on": np.array([-0.5, 1.5], np.float32),
    "zero_point": np.uint8(120),
    "zero_points": np.array([0] * 12, np.int8),
}
# Random constants by their shapes.
RANDOM = {
    **{"W": (1, 12, 3), "R": (1, 12, 4), "Bias": (1, 24), "W2": (2, 12, 3), "R2": (2, 12, 4), "B2": (2, 24)},
    **{"W8": (1, 12, 8), "W5": (1, 12, IDS), "V": (4, 2), "v": (2,), "U": (2, 3)},
    **{"three": (3,), "four": (4,), "column": (4, 1), "K": (2, 4, 1), "k": (2,)},
    **{"gamma": (4,), "beta": (4,), "mean": (4,)},
}
# Random constants above 0.
POSITIVE = {"deviations": (3,), "variance": (4,), "scales": (12,), "scale": ()}
# Random integers of 8 bits.
QUANTIZED = {"WQ": ((12, 3), np.int8), "VQ": ((4, 2), np.uint8)}

X = "float[T,B,3] x"
LAYER = "Y, H = GRU(x, W, R, Bias)"
ALL = LAYER + "; s = Squeeze(Y, one)"
BOTH = "Y, H = GRU<direction='bidirectional'>(x, W2, R2, B2)"
JOIN = "; t = Transpose<perm=[0,2,1,3]>(Y); c = Reshape(t, joined)"
LSTMS = "Y, H, C = LSTM<direction='bidirectional'>(x, W16, R16, B16)" + JOIN
RNNS = "Y, H = RNN<direction='bidirectional'>(x, W15, R15, B15)" + JOIN
# The axes of a convolution: batch, features, time.
CHANNELS = "; t = Transpose<perm=[1,2,0]>(s); "
BACK = "; y = Transpose<perm=[2,0,1]>(c)"

# Input, and nodes; the output is y.
CASES = {
    # Functions that are composed.
    "leaky_relu": (X, ALL + "; y = LeakyRelu<alpha=0.3>(s)"),
    "leaky_relu_of_dense": (
        X,
        ALL + "; d = MatMul(s, V); a = Add(d, v); l = LeakyRelu(a); y = MatMul(l, U)",
    ),
    "leaky_relu_of_last": (X, LAYER + "; h = Squeeze(H, zero); y = LeakyRelu<alpha=-0.7>(h)"),
    "leaky_relu_of_input": (X, "a = LeakyRelu<alpha=0.05>(x); Y, H = GRU(a, W, R, Bias); y = Squeeze(Y, one)"),
    "elu": (X, ALL + "; y = Elu<alpha=0.3>(s)"),
    "elu_of_dense": (X, ALL + "; d = MatMul(s, V); a = Add(d, v); l = Elu<alpha=2.5>(a); y = MatMul(l, U)"),
    "celu": (X, ALL + "; y = Celu<alpha=0.4>(s)"),
    "prelu_of_equal_slopes": (X, ALL + "; y = PRelu(s, halves)"),
    "prelu": (X, ALL + "; y = PRelu(s, four)"),
    "prelu_one_slope": (X, ALL + "; y = PRelu(s, half)"),
    "prelu_channels": (X, ALL + CHANNELS + "c = PRelu(t, column)" + BACK),
    "clip": (X, ALL + "; y = Clip(s, low, high)"),
    "clip_low": (X, ALL + "; y = Clip(s, low)"),
    "clip_high": (X, ALL + "; y = Clip(s, , high)"),
    "clip_relu": (X, ALL + "; r = Relu(s); y = Clip(r, , high)"),
    "min_max": (X, ALL + "; r = Max(s, low); y = Min(high, r)"),
    "clip_of_input": (X, "a = Clip(x, low, half); Y, H = GRU(a, W, R, Bias); y = Squeeze(Y, one)"),
    # Arithmetic with constants.
    "neg": (X, ALL + "; y = Neg(s)"),
    "constant_minus_features": (X, ALL + "; y = Sub(four, s)"),
    "add_channels": (X, ALL + CHANNELS + "c = Add(t, column)" + BACK),
    "input_affine": (X, "a = Sub(x, half); b = Mul(a, two); Y, H = GRU(b, W, R, Bias); y = Squeeze(Y, one)"),
    "input_standardized": (
        X,
        "a = Sub(x, three); b = Div(a, deviations); Y, H = GRU(b, W, R, Bias); y = Squeeze(Y, one)",
    ),
    "input_functions": (
        X,
        "n = Neg(x); a = Tanh(n); b = Sub(two, a); Y, H = GRU(b, W, R, Bias); y = Squeeze(Y, one)",
    ),
    "input_batch_first": (
        "float[B,T,3] x",
        "a = Div(x, two); t = Transpose<perm=[1,0,2]>(a); Y, H = GRU(t, W, R, Bias); y = Squeeze(Y, one)",
    ),
    "input_of_two_directions": (
        X,
        "a = Mul(x, two); Y, H = GRU(a, W, R, Bias); Y2, H2 = GRU<direction='reverse'>(a, W, R, Bias); "
        "c = Concat<axis=3>(Y, Y2); y = Squeeze(c, one)",
    ),
    # Products.
    "conv": (X, ALL + CHANNELS + "c = Conv<auto_pad='SAME_UPPER', strides=[1]>(t, K, k)" + BACK),
    "conv_without_bias": (X, ALL + CHANNELS + "c = Conv<pads=[0, 0], dilations=[2]>(t, K)" + BACK),
    "open_features": ("float[T,B,F] x", "a = MatMul(x, Q); Y, H = GRU(a, W, R, Bias); y = Squeeze(Y, one)"),
    # Constants that the graph computes.
    "folded_normalization": (
        X,
        ALL + "; e = Add(variance, epsilon); r = Sqrt(e); g = Div(gamma, r); m = Mul(mean, g); n = Neg(m); "
        "o = Add(beta, n); a = Mul(s, g); y = Add(a, o)",
    ),
    "folded_broadcast": (X, ALL + "; w = Mul(column, v); p = Pow(w, two); y = MatMul(s, p)"),
    "dequantized": (
        X,
        "w = DequantizeLinear<axis=0>(WQ, scales, zero_points); u = Unsqueeze(w, zero); "
        "Y, H = GRU(x, u, R, Bias); s = Squeeze(Y, one); e = DequantizeLinear(VQ, scale, zero_point); "
        "y = MatMul(s, e)",
    ),
    # Directions.
    "reduce_mean": (X, BOTH + "; y = ReduceMean<keepdims=0>(Y, one)"),
    "reduce_sum_of_last": (X, BOTH + "; a = ReduceSum(H, zero); y = Squeeze(a, zero)"),
    "mean": (X, BOTH + "; f, b = Split<axis=1, num_outputs=2>(Y); m = Mean(f, b); y = Squeeze(m, one)"),
    "sum": (X, BOTH + "; f, b = Split<axis=1, num_outputs=2>(Y); m = Sum(b, f); y = Squeeze(m, one)"),
    # One step of two directions.
    "last_of_both": (X, LSTMS + "; l = Gather<axis=0>(c, last); y = MatMul(l, V8)"),
    "first_of_both": (X, LSTMS + "; y = Gather<axis=0>(c, first)"),
    "dense_of_last_of_both": (X, LSTMS + "; d = MatMul(c, V8); r = Relu(d); y = Gather<axis=0>(r, last)"),
    "last_of_both_rnns": (X, RNNS + "; y = Gather<axis=0>(c, last)"),
    "last_of_stacked": (
        X,
        LSTMS + "; Z, J, D = LSTM<direction='bidirectional'>(c, W17, R17, B17); "
        "u = Transpose<perm=[0,2,1,3]>(Z); e = Reshape(u, joined); y = Gather<axis=0>(e, last)",
    ),
    "first_of_reverse": (
        X,
        "Y, H, C = LSTM<direction='reverse'>(x, W18, R18, B18); s = Squeeze(Y, one); "
        "y = Gather<axis=0>(s, last)",
    ),
    # Residual connections.
    "residual": (X, "d = MatMul(x, Q4); Y, H = GRU(d, W4, R, Bias); s = Squeeze(Y, one); a = Add(d, s); y = MatMul(a, V)"),
    "residual_of_stack": (
        X,
        ALL + "; r = Relu(s); Z, J = GRU(r, W4, R, B3); u = Squeeze(Z, one); m = MatMul(u, S); a = Add(m, r); "
        "b = Tanh(a); y = Add(b, a)",
    ),
    "residual_of_input": (
        X,
        ALL + "; d = MatMul(s, V); u = MatMul(d, U); a = Add(x, u); Z, J = GRU(a, W, R, B3); y = Squeeze(Z, one)",
    ),
    # The maximum and the mean over time.
    "max_over_time": (X, ALL + "; p = ReduceMax<keepdims=0>(s, zero); y = MatMul(p, V)"),
    "mean_over_time": (X, ALL + "; r = Relu(s); m = ReduceMean(r, zero); y = Squeeze(m, zero)"),
    "max_of_reverse": (
        X,
        "Y, H = GRU<direction='reverse'>(x, W, R, Bias); s = Squeeze(Y, one); y = ReduceMax<keepdims=0>(s, zero)",
    ),
    "global_max_pool": (X, ALL + CHANNELS + "c = GlobalMaxPool(t); f = Flatten(c); y = MatMul(f, V)"),
    "global_average_pool": (
        X,
        BOTH + JOIN + "; u = Transpose<perm=[1,2,0]>(c); a = GlobalAveragePool(u); y = Squeeze(a, twos)",
    ),
    # The order of time.
    "reverse": (X, "Y, H = GRU<direction='reverse'>(x, W, R, Bias); s = Squeeze(Y, one); y = MatMul(s, V)"),
    "reverse_between": (
        X,
        "Y, H = GRU<direction='reverse'>(x, W, R, Bias); s = Squeeze(Y, one); u = MatMul(s, V); "
        "p = MatMul(u, U); Z, J = GRU(p, W, R, Bias); y = Squeeze(Z, one)",
    ),
    "flipped_layers": (
        X,
        BOTH + "; t = Transpose<perm=[0,2,1,3]>(Y); c = Reshape(t, joined); "
        "f = Slice(c, minus_one, begin, zero, minus_one); Z, J = GRU(f, W8, R, Bias); s = Squeeze(Z, one); "
        "y = Slice(s, minus_one, begin, zero, minus_one)",
    ),
    # Features.
    "features_of_input": (X, "a = Slice(x, zero, twos, twos); Y, H = GRU(a, W22, R, Bias); y = Squeeze(Y, one)"),
    "feature_of_input": (X, "a = Slice(x, one, twos, twos); Y, H = GRU(a, W1, R, Bias); y = Squeeze(Y, one)"),
    "features_of_output": (X, ALL + "; y = Slice(s, one, begin_last, twos)"),
    "features_of_product": (X, ALL + "; d = MatMul(s, V); a = Add(d, v); y = Slice(a, one, twos, twos)"),
    "gathered_features": (X, ALL + "; y = Gather<axis=2>(s, picked)"),
    "gathered_features_of_input": (
        X,
        "n = Div(x, three); a = Gather<axis=2>(n, pair); Y, H = GRU(a, W22, R, Bias); y = Squeeze(Y, one)",
    ),
    "gathered_sensors": (X, "a = Gather<axis=2>(x, pair); Y, H = GRU(a, W22, R, Bias); y = Squeeze(Y, one)"),
    "scaled_flips": (
        X,
        "a = Div(x, two); r = Slice(a, minus_one, begin, zero, minus_one); Y, H = GRU(a, W, R, Bias); "
        "Z, J = GRU(r, W, R, B3); q = Slice(Z, minus_one, begin, zero, minus_one); c = Concat<axis=3>(Y, q); "
        "y = Squeeze(c, one)",
    ),
    # Axes and ids.
    "squeeze_all": (X, LAYER + "; y = Squeeze(Y)"),
    "lengths": (
        X + ", int32[B] lengths",
        "Y, H = GRU<direction='bidirectional'>(x, W2, R2, B2, lengths); t = Transpose<perm=[1,0,2]>(H); "
        "y = Reshape(t, flat)",
    ),
    "one_hot": (
        "int64[T,B] x",
        "o = OneHot(x, depth, off_on); Y, H = GRU(o, W5, R, Bias); y = Squeeze(Y, one)",
    ),
}
FIXED |= {"twos": np.array([2]), "begin_last": np.array([-1]), "pair": np.array([2, -3])}
FIXED |= {"picked": np.array([3, 0, 1])}
RANDOM |= {"W22": (1, 12, 2), "W1": (1, 12, 1), "B3": (1, 24)}
FIXED |= {"last": np.array(-1), "first": np.array(0)}
RANDOM |= {"W16": (2, 16, 3), "R16": (2, 16, 4), "B16": (2, 32), "V8": (8, 2)}
RANDOM |= {"W17": (2, 16, 8), "R17": (2, 16, 4), "B17": (2, 32)}
RANDOM |= {"W18": (1, 16, 3), "R18": (1, 16, 4), "B18": (1, 32)}
RANDOM |= {"W15": (2, 4, 3), "R15": (2, 4, 4), "B15": (2, 8)}
FIXED |= {"joined": np.array([0, 0, -1]), "flat": np.array([0, -1])}
RANDOM |= {"Q": (3, 3), "Q4": (3, 4), "W4": (1, 12, 4), "S": (4, 4)}


def constants(random, nodes):
    """Returns the constants that the nodes read."""
    values = dict(FIXED)
    for name, shape in RANDOM.items():
        values[name] = random.uniform(-1, 1, shape).astype(np.float32)
    for name, shape in POSITIVE.items():
        values[name] = random.uniform(0.005, 0.02, shape).astype(np.float32)
    for name, (shape, dtype) in QUANTIZED.items():
        limits = np.iinfo(dtype)
        values[name] = random.integers(limits.min, limits.max, shape, dtype, endpoint=True)
    values["deviations"] = values["deviations"] * 50
    values["variance"] = values["variance"] * 50
    read = {word.strip(" )") for call in nodes.split("(")[1:] for word in call.split(")")[0].split(",")}
    return {name: np.asarray(value) for name, value in values.items() if name in read}


def case(golden, name, inputs, nodes):
    random = np.random.default_rng(zlib.crc32(name.encode()))
    for op in ("GRU", "LSTM", "RNN"):
        nodes = nodes.replace(f"{op}(", f"{op}<hidden_size=4>(").replace(f"{op}<d", f"{op}<hidden_size=4, d")
    body = nodes.replace("'", '"').replace(";", " ")
    text = f"""<ir_version: 8, opset_import: ["" : 18]>
        g ({inputs}) => (float[T,B,N] y) {{ {body} }}"""
    model = parser.parse_model(text)
    values = constants(random, nodes)
    model.graph.initializer.extend(numpy_helper.from_array(value, key) for key, value in values.items())
    del model.graph.output[0].type.tensor_type.shape.dim[:]
    model.graph.output[0].type.tensor_type.ClearField("shape")
    if inputs.startswith("int64"):
        x = random.integers(0, IDS, (TIME, SEQUENCES))
    else:
        x = random.standard_normal((TIME, SEQUENCES, 3), np.float32)
    batch_first = inputs.startswith("float[B")
    arrays = [np.swapaxes(x, 0, 1) if batch_first else x]
    if "lengths" in inputs:
        arrays.append(np.full(SEQUENCES, TIME, np.int32))
    # Further optimizations quantize the input of a product with weights that the graph dequantizes.
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    y = outputs(model, arrays, options)[0]
    y = y if y.ndim == 2 else np.swapaxes(y, 0, 1)
    golden.case(f"operators/{name}", model, {"x": np.swapaxes(x, 0, 1), "y": y})


def packed_states(golden):
    """Two LSTMs whose states are one tensor [sequences, layers, units, 2], as in DTLN."""
    name = "packed_states"
    random = np.random.default_rng(zlib.crc32(name.encode()))
    nodes, values = [], {"batch": np.array([0]), "inner": np.array([1, 3])}
    values |= {"layer_axis": np.array([1]), "last": np.array([-1])}
    for layer, size in enumerate((3, 4)):
        for part, state in enumerate("hc"):
            values[f"s{layer}{part}"] = np.array([layer, part])
            values[f"e{layer}{part}"] = np.array([layer + 1, part + 1])
            nodes += [
                f"p{layer}{part} = Slice(states, s{layer}{part}, e{layer}{part}, inner)",
                f"q{layer}{part} = Squeeze(p{layer}{part}, inner)",
                f"{state}{layer} = Unsqueeze(q{layer}{part}, batch)",
            ]
        for key, shape in {"W": (1, 16, size), "R": (1, 16, 4), "B": (1, 32)}.items():
            values[f"{key}{layer}"] = random.uniform(-1, 1, shape).astype(np.float32)
        weights = f"W{layer}, R{layer}, B{layer}, , h{layer}, c{layer}"
        nodes += [
            f"Y{layer}, H{layer}, C{layer} = LSTM<hidden_size=4>(x{layer}, {weights})",
            f"x{layer + 1} = Squeeze(Y{layer}, layer_axis)",
        ]
        for state in "HC":
            nodes += [
                f"f{state}{layer} = Squeeze({state}{layer}, batch)",
                f"g{state}{layer} = Unsqueeze(f{state}{layer}, layer_axis)",
            ]
    for state in "HC":
        nodes += [
            f"a{state} = Concat<axis=1>(g{state}0, g{state}1)",
            f"b{state} = Unsqueeze(a{state}, last)",
        ]
    nodes += ["new = Concat<axis=-1>(bH, bC)", "y = Identity(x2)"]
    model = parser.parse_model(f"""<ir_version: 8, opset_import: ["" : 18]>
        g (float[T,B,3] x0, float[B,2,4,2] states) => (float[T,B,4] y, float[B,2,4,2] new)
        {{ {" ".join(nodes)} }}""")
    model.graph.initializer.extend(numpy_helper.from_array(value, key) for key, value in values.items())
    x = random.standard_normal((TIME, SEQUENCES, 3), np.float32)
    states = random.uniform(-1, 1, (SEQUENCES, 2, 4, 2)).astype(np.float32)
    y, new = outputs(model, [x, states])
    by_layer = lambda states: states.transpose(1, 3, 0, 2).reshape(4, SEQUENCES, 4)
    arrays = {"x": np.swapaxes(x, 0, 1), "y": np.swapaxes(y, 0, 1)}
    golden.case(f"operators/{name}", model, arrays | {"initial": by_layer(states), "final": by_layer(new)})


def classes():
    """A classifier that ends in the index of its largest output, in a file of its own: argmax.zip."""
    random = np.random.default_rng(7)
    golden = Golden("argmax.zip")
    nodes = "Y, H = GRU<hidden_size=4>(x, W, R, Bias) s = Squeeze(Y, one) p = MatMul(s, M) "
    nodes += "y = ArgMax<axis=2, keepdims=0>(p)"
    model = parser.parse_model(f"""<ir_version: 8, opset_import: ["" : 18]>
        g ({X}) => (int64[T,B] y) {{ {nodes} }}""")
    values = {"one": FIXED["one"], "M": random.uniform(-1, 1, (4, 3)).astype(np.float32)}
    values |= {name: random.uniform(-1, 1, RANDOM[name]).astype(np.float32) for name in ("W", "R", "Bias")}
    model.graph.initializer.extend(numpy_helper.from_array(value, key) for key, value in values.items())
    x = random.standard_normal((TIME, SEQUENCES, 3), np.float32)
    y = outputs(model, [x])[0]
    arrays = {"x": np.swapaxes(x, 0, 1), "y": np.swapaxes(y, 0, 1).astype(np.float32)}
    golden.case("argmax/classes", model, arrays)
    golden.close()


if __name__ == "__main__":
    classes()
    golden = Golden("operators.zip")
    for name, (inputs, nodes) in CASES.items():
        case(golden, name, inputs, nodes)
    packed_states(golden)
    golden.close()
