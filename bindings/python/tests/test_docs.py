"""The complete example of docs/python.md, run as it stands there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from conftest import DIGITS, ROOT


def test_the_complete_example_runs(tmp_path: Path) -> None:
    text = (ROOT / "docs/python.md").read_text()
    (program,) = re.findall(r"## A complete example\n.*?```python\n(.*?)```", text, re.DOTALL)
    (output,) = re.findall(r"## A complete example\n.*?```text\n(.*?)```", text, re.DOTALL)
    shutil.copy(DIGITS.parent / "digits.npz", tmp_path)
    (tmp_path / "example.py").write_text(program)
    ran = subprocess.run([sys.executable, "example.py"], check=False, cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == output
