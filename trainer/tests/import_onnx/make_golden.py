"""Writes torch.zip: networks exported by both of PyTorch's exporters, and graphs assembled node by node.

Python 3.11, torch 2.15.0, onnx 1.23.2, onnxscript 0.7.2, onnxruntime 1.32.0, numpy 2.4.6.

The seed of a case follows from its name.
"""

import io
import warnings
import zlib

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from golden import Golden, outputs

warnings.filterwarnings("ignore")

SEQUENCES, TIME, FEATURES, UNITS, OUT = 2, 6, 3, 4, 2

HEADS = {
    "linear": lambda size: nn.Linear(size, OUT),
    "mlp": lambda size: nn.Sequential(nn.Linear(size, 5), nn.ReLU(), nn.Dropout(0.3), nn.Linear(5, OUT)),
    "softmax": lambda size: nn.Sequential(nn.Linear(size, OUT), nn.Softmax(-1)),
    "log_softmax": lambda size: nn.Sequential(nn.Linear(size, OUT), nn.LogSoftmax(-1)),
    "sigmoid": lambda size: nn.Sequential(nn.Linear(size, OUT), nn.Sigmoid()),
    "silu": lambda size: nn.Sequential(nn.Linear(size, OUT), nn.SiLU()),
    "gelu": lambda size: nn.Sequential(nn.Linear(size, OUT), nn.GELU()),
    "norm": lambda size: nn.Sequential(nn.LayerNorm(size), nn.Tanh(), nn.Linear(size, OUT)),
    "none": lambda size: nn.Identity(),
}


class Net(nn.Module):
    """A recurrent network with a head on all steps, on the last one, or on the final states."""

    def __init__(self, kind, take, head, ids=False, layers=1, both=False, batch_first=True, **more):
        super().__init__()
        self.take, self.both, self.first = take, both, batch_first
        self.rnn = getattr(nn, kind)(
            FEATURES, UNITS, layers, bidirectional=both, batch_first=batch_first, **more
        )
        size = UNITS * (2 if both else 1)
        self.before = nn.Embedding(7, FEATURES) if ids else nn.Identity()
        self.head = HEADS[head](size)

    def run(self, x, states):
        y, final = self.rnn(self.before(x), states)
        h = final[0] if isinstance(final, tuple) else final
        if self.take == "last":
            y = y[:, -1] if self.first else y[-1]
        elif self.take == "h_n":
            y = torch.cat((h[-2], h[-1]), 1) if self.both else h[-1]
        return self.head(y), final

    def forward(self, x):
        return self.run(x, None)[0]


class Stateful(Net):
    def forward(self, x, h):
        return self.run(x, h)


class StatefulLstm(Net):
    def forward(self, x, h, c):
        y, (h, c) = self.run(x, (h, c))
        return y, h, c


def export(net, inputs, dynamo):
    """Exports a network for sequences of any number and length."""
    first = 0 if net.first else 1
    sizes = [{first: "sequences", 1 - first: "time"}] + [{1: "sequences"}] * (len(inputs) - 1)
    names = ["x", "h0", "c0"][: len(inputs)]
    out = io.BytesIO()
    if dynamo:
        dims = torch.export.Dim.AUTO
        shapes = tuple({axis: dims for axis in size} for size in sizes)
        torch.onnx.export(
            net, tuple(inputs), dynamic_shapes=shapes, input_names=names, dynamo=True, verbose=False
        ).save(out)
    else:
        torch.onnx.export(
            net, tuple(inputs), out, input_names=names, dynamic_axes=dict(zip(names, sizes)), dynamo=False
        )
    return onnx.load_from_string(out.getvalue())


def by_layer(states):
    """Interleaves h and c, each [layers * directions, ...], as the runtime has them: h before c per layer."""
    return np.stack(states, axis=1).reshape(-1, *states[0].shape[1:])


def torch_case(golden, name, kind, take, head, states=False, ids=False, **options):
    # The newer exporter unrolls an RNN over the steps of its example input.
    for exporter in ["script"] if kind == "RNN" else ["script", "dynamo"]:
        torch.manual_seed(zlib.crc32(name.encode()))
        random = np.random.default_rng(zlib.crc32(name.encode()))
        network = Net if not states else StatefulLstm if kind == "LSTM" else Stateful
        net = network(kind, take, head, ids=ids, **options).eval()
        x = random.standard_normal((SEQUENCES, TIME, FEATURES), np.float32)
        if ids:
            x = random.integers(0, 7, (SEQUENCES, TIME))
        first_input = x if net.first else np.swapaxes(x, 0, 1)
        count = net.rnn.num_layers * (2 if net.both else 1)
        initial = [
            random.standard_normal((count, SEQUENCES, UNITS), np.float32)
            for _ in range(2 if kind == "LSTM" else 1)
        ]
        inputs = [first_input] + (initial if states else [])
        model = export(
            net, [torch.from_numpy(np.ascontiguousarray(value)) for value in inputs], exporter == "dynamo"
        )
        y, *final = outputs(model, inputs)
        if take == "all" and not net.first:
            y = np.swapaxes(y, 0, 1)
        arrays = {"x": x, "y": y}
        if states:
            arrays |= {"initial": by_layer(initial), "final": by_layer(final)}
        golden.case(f"torch_{exporter}/{name}", model, arrays)


def torch_cases(golden):
    heads = list(HEADS)
    number = 0
    for kind, more in [("RNN", {}), ("RNN", {"nonlinearity": "relu"}), ("LSTM", {}), ("GRU", {})]:
        for layers in [1, 2]:
            for both in [False, True]:
                take = ["all", "h_n"][number % 2] if both else ["last", "all", "h_n"][number % 3]
                head = heads[number % len(heads)]
                options = dict(layers=layers, both=both, batch_first=number % 4 < 2, **more)
                name = "_".join(
                    [
                        more.get("nonlinearity", kind).lower(),
                        str(layers),
                        "both" if both else "one",
                        take,
                        head,
                    ]
                )
                torch_case(golden, name, kind, take, head, **options)
                number += 1
    for kind in ["RNN", "LSTM", "GRU"]:
        for both in [False, True]:
            name = f"{kind.lower()}_states_{'both' if both else 'one'}"
            torch_case(
                golden, name, kind, "all", "linear", states=True, layers=2, both=both, batch_first=both
            )
    torch_case(golden, "lstm_states_single", "LSTM", "last", "linear", states=True)
    torch_case(golden, "gru_ids", "GRU", "last", "softmax", ids=True)
    torch_case(golden, "gru_no_bias", "GRU", "all", "linear", bias=False)


def unrolled(golden):
    """Writes the networks that are not supported."""
    net = Net("RNN", "all", "linear").eval()
    golden.case("refused/unrolled", export(net, [torch.zeros(SEQUENCES, TIME, FEATURES)], True), {})
    net = Net("GRU", "last", "linear", both=True).eval()
    golden.case("refused/last_step_of_both", export(net, [torch.zeros(SEQUENCES, TIME, FEATURES)], False), {})


def weights(random, gates, directions, features=FEATURES):
    shapes = {
        "W": (directions, gates * UNITS, features),
        "R": (directions, gates * UNITS, UNITS),
        "B": (directions, 2 * gates * UNITS),
    }
    return {name: random.uniform(-0.7, 0.7, shape).astype(np.float32) for name, shape in shapes.items()}


GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}


def node_case(golden, name, op, node_outputs=("Y",), opset=22, after=(), typed=None, **attributes):
    """Writes a graph of one recurrent node and the nodes `after` it; the last tensor is the output."""
    random = np.random.default_rng(zlib.crc32(name.encode()))
    directions = 2 if attributes.get("direction") == "bidirectional" else 1
    constants = weights(random, GATES[op], directions)
    x = random.standard_normal((SEQUENCES, TIME, FEATURES), np.float32)
    layout = attributes.get("layout", 0)
    nodes = [helper.make_node(op, ["X", "W", "R", "B"], list(node_outputs), hidden_size=UNITS, **attributes)]
    for node, more in after:
        nodes.append(node)
        constants |= more(random)
    convert = {
        None: lambda value: value,
        "float16": lambda value: value.astype(np.float16),
        "double": lambda value: value.astype(np.float64),
    }[typed]
    kind = {None: TensorProto.FLOAT, "float16": TensorProto.FLOAT16, "double": TensorProto.DOUBLE}[typed]
    initializers = [
        numpy_helper.from_array(convert(value) if value.dtype == np.float32 else value, key)
        for key, value in constants.items()
    ]
    shape = [None, None, FEATURES]
    output = helper.make_tensor_value_info(nodes[-1].output[-1], kind, None)
    graph = helper.make_graph(
        nodes, name, [helper.make_tensor_value_info("X", kind, shape)], [output], initializers
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10 if opset > 20 else 8
    )
    # ONNX Runtime supports layout 0 and f32 only: an equivalent graph of these computes the output.
    equivalent = onnx.ModelProto()
    equivalent.CopyFrom(model)
    if layout == 1 or typed:
        equivalent = layout_0_f32(model)
    y = outputs(equivalent, [np.swapaxes(x, 0, 1)])[0]
    golden.case(f"nodes/{name}", model, {"x": x, "y": batch_first(y, node_outputs)})


def layout_0_f32(model):
    """Returns the graph in layout 0 and f32."""
    equivalent = onnx.ModelProto()
    equivalent.CopyFrom(model)
    for node in equivalent.graph.node:
        for attribute in node.attribute:
            if attribute.name == "layout":
                attribute.i = 0
    for tensor in equivalent.graph.initializer:
        value = numpy_helper.to_array(tensor)
        if value.dtype.kind == "f":
            tensor.CopyFrom(numpy_helper.from_array(value.astype(np.float32), tensor.name))
    for value in [*equivalent.graph.input, *equivalent.graph.output]:
        value.type.tensor_type.elem_type = TensorProto.FLOAT
    return equivalent


def batch_first(y, node_outputs):
    """Converts [time, directions, sequences, units], or that without time, to [sequences, time, features]."""
    if y.ndim == 4:
        return y.transpose(2, 0, 1, 3).reshape(SEQUENCES, TIME, -1)
    if y.ndim == 3 and y.shape[-2] == SEQUENCES and "Y_h" in node_outputs:
        return y.transpose(1, 0, 2).reshape(SEQUENCES, -1)
    return y if y.ndim == 2 else np.swapaxes(y, 0, 1)


def node_cases(golden):
    last = ("", "Y_h")
    node_case(golden, "lstm", "LSTM")
    node_case(golden, "lstm_last_f16", "LSTM", last, typed="float16")
    node_case(golden, "gru_double", "GRU", typed="double")
    node_case(golden, "gru_layout_1", "GRU", layout=1)
    node_case(golden, "lstm_layout_1_both", "LSTM", last, layout=1, direction="bidirectional")
    node_case(golden, "gru_reverse", "GRU", last, direction="reverse", linear_before_reset=1)
    node_case(golden, "rnn_both", "RNN", direction="bidirectional", activations=["Relu", "Tanh"])
    node_case(
        golden,
        "gru_both_unlike",
        "GRU",
        last,
        direction="bidirectional",
        activations=["HardSigmoid", "Tanh", "Sigmoid", "Softsign"],
        activation_alpha=[0.2],
        activation_beta=[0.5],
    )
    node_case(
        golden,
        "lstm_hard",
        "LSTM",
        activations=["hardsigmoid", "ELU", "Elu"],
        activation_alpha=[0.2, 1.0, 1.0],
        activation_beta=[0.5],
    )
    node_case(
        golden, "rnn_linear", "RNN", activations=["Affine"], activation_alpha=[1.0], activation_beta=[0.0]
    )

    def dense(random):
        return {
            "V": random.uniform(-1, 1, (UNITS, OUT)).astype(np.float32),
            "v": random.uniform(-1, 1, OUT).astype(np.float32),
        }

    def nothing(_):
        return {}

    squeeze = (
        helper.make_node("Squeeze", ["Y_h", "zero"], ["h"]),
        lambda _: {"zero": np.array([0], np.int64)},
    )
    gemm = (helper.make_node("Gemm", ["h", "V", "v"], ["g"], alpha=0.5, beta=2.0), dense)
    for name, op, attributes in [
        ("relu6", "Clip", None),
        ("leaky", "LeakyRelu", {"alpha": 0.2}),
        ("elu", "Elu", {}),
        ("selu", "Selu", {}),
        ("softplus", "Softplus", {}),
        ("softsign", "Softsign", {}),
        ("hard_sigmoid", "HardSigmoid", {}),
        ("exp", "Exp", {}),
        ("hard_sigmoid_6", "HardSigmoid", {"alpha": 1 / 6}),
        ("hard_swish", "HardSwish", {}),
        ("mish", "Mish", {}),
        ("celu", "Celu", {}),
    ]:
        inputs, more = ["g"], nothing
        if attributes is None:
            inputs, attributes = ["g", "low", "high"], {}
            more = lambda _: {"low": np.array(0, np.float32), "high": np.array(6, np.float32)}
        node_case(
            golden,
            "head_" + name,
            "GRU",
            last,
            after=[squeeze, gemm, (helper.make_node(op, inputs, ["y"], **attributes), more)],
        )


if __name__ == "__main__":
    golden = Golden("torch.zip")
    torch_cases(golden)
    node_cases(golden)
    unrolled(golden)
    golden.close()
