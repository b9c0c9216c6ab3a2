"""Writes conformance.zip: the operator cases of RNN, LSTM and GRU of Debian's libonnx-testdata 1.12.0-2.

apt-get download libonnx-testdata && dpkg -x libonnx-testdata_*.deb DEB
python3 make_conformance.py DEB
"""

import sys
import zipfile
from pathlib import Path

folder = Path(sys.argv[1]) / "usr/share/libonnx-testdata/data/node"
with zipfile.ZipFile("conformance.zip", "w", zipfile.ZIP_DEFLATED) as out:
    for pattern in ["test_gru_*", "test_lstm_*", "test_*rnn_*"]:
        for case in sorted(folder.glob(pattern)):
            for file in sorted(case.rglob("*.*")):
                out.writestr(
                    zipfile.ZipInfo(str(file.relative_to(folder))), file.read_bytes(), zipfile.ZIP_DEFLATED
                )
