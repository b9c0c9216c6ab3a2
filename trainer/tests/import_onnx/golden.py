"""What both scripts share: a golden file is a zip of cases, each with

NAME.onnx             the network, without notes of the exporter (they hold paths of its machine)
NAME/x.npy            [sequences, time, features], or [sequences, time] of ids
NAME/y.npy            [sequences, time, out] or [sequences, out]: what ONNX Runtime makes of it
NAME/initial.npy      [states, sequences, units], if the network is given initial states: layer by layer, forwards before
                      backwards, h before c
NAME/final.npy        the same after the last step, if the network gives them
"""

import io
import zipfile

import numpy as np
import onnx
import onnxruntime


class Golden:
    """Writes one file; the same cases give the same bytes."""

    def __init__(self, path):
        self.zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)

    def _put(self, name, data):
        self.zip.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)

    def case(self, name, model, arrays):
        for message in [model, model.graph, *model.graph.node, *model.graph.input, *model.graph.output,
                        *model.graph.value_info, *model.graph.initializer]:
            message.doc_string = ""
            del message.metadata_props[:]
        del model.graph.value_info[:]
        self._put(name + ".onnx", model.SerializeToString(deterministic=True))
        for key, value in arrays.items():
            out = io.BytesIO()
            np.save(out, value.astype(np.int64 if value.dtype.kind == "i" else np.float32))
            self._put(f"{name}/{key}.npy", out.getvalue())

    def close(self):
        self.zip.close()


def answers(model, inputs):
    """All outputs for inputs in the order in which the network has them."""
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [given.name for given in session.get_inputs()]
    assert len(names) == len(inputs), names
    return session.run(None, dict(zip(names, inputs)))
