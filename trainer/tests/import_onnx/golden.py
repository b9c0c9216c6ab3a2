"""Golden files of the ONNX tests. A golden file is a zip of cases, each with

NAME.onnx             the network, without notes of the exporter (they contain paths of its machine)
NAME/x.npy            [sequences, time, features], or [sequences, time] of ids
NAME/y.npy            [sequences, time, out] or [sequences, out]: the output of ONNX Runtime
NAME/initial.npy      [states, sequences, units], if initial states are inputs: layer by layer, the forward
                      direction before the backward one, h before c
NAME/final.npy        the same after the last step, if final states are outputs
"""

import io
import zipfile

import numpy as np
import onnx
import onnxruntime


class Golden:
    """Writes one golden file; the same cases produce the same bytes."""

    def __init__(self, path):
        self.zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)

    def _put(self, name, data):
        self.zip.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)

    def case(self, name, model, arrays):
        for message in [
            model,
            model.graph,
            *model.graph.node,
            *model.graph.input,
            *model.graph.output,
            *model.graph.value_info,
            *model.graph.initializer,
        ]:
            message.doc_string = ""
            del message.metadata_props[:]
        del model.graph.value_info[:]
        self._put(name + ".onnx", model.SerializeToString(deterministic=True))
        for key, value in arrays.items():
            out = io.BytesIO()
            value = value.astype(np.int64 if value.dtype.kind == "i" else np.float32)
            np.save(out, np.ascontiguousarray(value))
            self._put(f"{name}/{key}.npy", out.getvalue())

    def close(self):
        self.zip.close()


def outputs(model, inputs, options=None):
    """Returns all outputs for inputs in the order of the network."""
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    names = [value.name for value in session.get_inputs()]
    assert len(names) == len(inputs), names
    return session.run(None, dict(zip(names, inputs)))
