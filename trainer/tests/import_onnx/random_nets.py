"""Random ONNX graphs of recurrent nodes, for ../common/compare.py."""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

SEQUENCES, TIME = 3, 6
GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}
# Activations per direction: one for an RNN, two for a GRU, three for an LSTM.
FUNCTIONS = {
    "RNN": [["Tanh"], ["Relu"]],
    "LSTM": [["Sigmoid", "Tanh", "Tanh"], ["HardSigmoid", "Tanh", "Tanh"], ["Sigmoid", "Relu", "Relu"]],
    "GRU": [["Sigmoid", "Tanh"], ["HardSigmoid", "Tanh"], ["Sigmoid", "Softsign"]],
}
UNARY = [
    "Relu", "Tanh", "Sigmoid", "Elu", "Selu", "Softplus", "Softsign", "HardSigmoid", "HardSwish", "Mish",
]


class Builder:
    """A graph under construction; its current tensor is [time, sequences, features], or without time."""

    def __init__(self, rng):
        self.rng, self.nodes, self.constants, self.tensor = rng, [], {}, "X"
        self.size, self.over_time = int(rng.integers(1, 6)), True

    def node(self, op, inputs, outputs=1, **attributes):
        names = [f"t{len(self.nodes)}_{k}" if k >= 0 else "" for k in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, name=f"n{len(self.nodes)}", **attributes))
        self.tensor = names[-1]
        return names

    def constant(self, value):
        name = f"c{len(self.constants)}"
        self.constants[name] = np.asarray(value)
        return name

    def uniform(self, *shape, scale=0.7):
        return self.constant(self.rng.uniform(-scale, scale, shape).astype(np.float32))

    def recurrent(self, last):
        """Appends a node with all its time steps, or with the last one only."""
        rng, op = self.rng, str(self.rng.choice(list(GATES)))
        direction = str(rng.choice(["forward", "reverse", "bidirectional"], p=[0.6, 0.15, 0.25]))
        directions, units = 1 + (direction == "bidirectional"), int(rng.integers(1, 7))
        attributes = {"hidden_size": units, "direction": direction}
        if rng.random() < 0.4:
            functions = FUNCTIONS[op]
            chosen = [functions[rng.integers(len(functions))] for _ in range(directions)]
            attributes["activations"] = sum(chosen, [])
        if op == "GRU":
            attributes["linear_before_reset"] = int(rng.integers(2))
        gates = GATES[op] * units
        weights = [self.uniform(directions, gates, size) for size in (self.size, units)]
        inputs = [self.tensor, *weights]
        if rng.random() < 0.8:
            inputs.append(self.uniform(directions, 2 * gates))
        name, before = f"n{len(self.nodes)}", len(self.nodes)
        outputs = ["", f"t{before}_h"] if last else [f"t{before}_y"]
        self.nodes.append(helper.make_node(op, inputs, outputs, name=name, **attributes))
        self.tensor, self.size, self.over_time = outputs[-1], units * directions, not last
        axis = 0 if last else 1
        if directions == 1:
            self.node("Squeeze", [self.tensor, self.constant(np.array([axis], np.int64))])
        else:
            self.node("Transpose", [self.tensor], perm=[1, 0, 2] if last else [0, 2, 1, 3])
            shape = [0, self.size] if last else [0, 0, self.size]
            self.node("Reshape", [self.tensor, self.constant(np.array(shape, np.int64))])

    def dense(self):
        units = int(self.rng.integers(1, 6))
        weight, bias = self.uniform(self.size, units), self.uniform(units)
        if not self.over_time and self.rng.random() < 0.5:
            self.node("Gemm", [self.tensor, weight, bias], alpha=0.5, beta=2.0)
        else:
            self.node("MatMul", [self.tensor, weight])
            self.node("Add", [self.tensor, bias] if self.rng.random() < 0.5 else [bias, self.tensor])
        self.size = units

    def framewise(self):
        kind = self.rng.integers(4)
        if kind == 0:
            scale, bias = self.uniform(self.size, scale=2.0), self.uniform(self.size)
            self.node("LayerNormalization", [self.tensor, scale, bias], axis=-1, epsilon=1e-3)
        elif kind == 1:
            self.node(str(self.rng.choice(UNARY)), [self.tensor])
        elif kind == 2 and not self.over_time:
            self.node("Softmax", [self.tensor], axis=-1)
        else:
            self.dense()


def net(rng, path):
    graph = Builder(rng)
    features = graph.size
    for _ in range(rng.integers(0, 2)):
        graph.framewise()
    count, last = int(rng.integers(1, 4)), bool(rng.integers(2))
    for number in range(count):
        graph.recurrent(last and number == count - 1)
        for _ in range(rng.integers(0, 2)):
            graph.framewise()
    for _ in range(rng.integers(0, 3)):
        graph.framewise()
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    constants = [numpy_helper.from_array(value, name) for name, value in graph.constants.items()]
    onnx_graph = helper.make_graph(
        graph.nodes, "random", [value("X", [None, None, features])], [value(graph.tensor, None)], constants
    )
    model = helper.make_model(onnx_graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    file = f"{path}.onnx"
    onnx.save(model, file)
    x = rng.standard_normal((SEQUENCES, TIME, features)).astype(np.float32)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    y = session.run(None, {"X": np.swapaxes(x, 0, 1)})[0]
    return file, [], x, np.swapaxes(y, 0, 1) if graph.over_time else y
