"""The search with Ray on a local cluster of two workers, where Ray is installed: requirements-ray.txt."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import embedded_rnn as ernn
import numpy as np
import pytest
from conftest import DIGITS, ROOT

ray = pytest.importorskip("ray", reason="ray is not installed: requirements-ray.txt")

EXAMPLES = ROOT / "bindings/python/examples"
sys.path.insert(0, str(EXAMPLES))
import ray_search


def dying_trial(options: dict, data: dict[str, np.ndarray], folder: str) -> None:
    """Runs a trial; the worker that comes first is killed in the middle of its training."""
    marker = Path(folder) / "victim"

    def die(epoch: int, logs: dict[str, float]) -> None:
        if epoch == 3:
            marker.write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        marker.touch(exist_ok=False)
    except FileExistsError:
        ray_search.trial(options, data, folder)
    else:
        ernn.train(ray_search.config(options), data["x"], data["y"], lengths=data["lengths"], on_epoch=die)


def test_a_search_survives_the_death_of_a_worker(tmp_path: Path) -> None:
    data = ray_search.read(DIGITS.parent / "digits.npz")
    paths = os.pathsep.join([str(EXAMPLES), str(Path(__file__).parent)])
    environment = {"env_vars": {"RAYON_NUM_THREADS": "1", "PYTHONPATH": paths}}
    ray.init(num_cpus=2, include_dashboard=False, runtime_env=environment)
    try:
        results = ray_search.search(data, tmp_path, trials=4, trial=dying_trial)
    finally:
        ray.shutdown()
    victim = int((tmp_path / "victim").read_text())
    assert len(results) == 4 and results.num_errors == 0
    assert victim not in [result.metrics["pid"] for result in results]
    for result in results:
        model = ernn.Model.load(tmp_path / result.metrics["model"])
        model.self_test()
        # A trial repeats to the bit here.
        again = ernn.train(ray_search.config(result.config), data["x"], data["y"], lengths=data["lengths"])
        assert bytes(again.quantized) == bytes(model)
