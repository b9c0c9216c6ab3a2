"""Compares imports with the engine that made the networks: random networks, saved by the engine, imported by
`ernn`, and run by both.

    python compare.py FOLDER ERNN OUT --count N --seed S

FOLDER has a module `random_nets` with a function `net(rng, path)`: it writes a random network to files that
begin with `path` and returns its file, the flags of `ernn import`, inputs `x`, batch first, and the engine's
outputs `y`. A network either has these outputs, or is rejected by name. The files of every other one stay in
OUT. `cargo xtask compare keras --count N` installs the engine and runs this script.
"""

import argparse
import collections
import pathlib
import re
import subprocess
import sys

import numpy as np

# The largest difference, relative to outputs above 1. Rounding of f32 in another order is far below it, and a
# wrong gate, option or axis is far above.
TOLERANCE = 1e-4


def ernn(program, *args):
    """Runs a command; returns its exit status and its standard error."""
    run = subprocess.run([program, *args], capture_output=True, text=True, timeout=120, check=False)
    return run.returncode, run.stderr.strip()


def compare(program, rng, path):
    """Makes and compares one network; returns the kind of the result, and a detail."""
    import random_nets

    file, flags, x, y = random_nets.net(rng, path)
    model, inputs, outputs = (f"{path}.{name}" for name in ("ernn", "x.npy", "y.npy"))
    np.save(inputs, x)
    np.save(outputs, y)
    status, error = ernn(program, "import", file, "-o", model, "--force", *flags)
    if status == 2 and error.count("\n") == 0:
        return "rejected", re.sub(r"\d+", "N", error.split(": ", 2)[-1])
    if status != 0:
        return "failed", f"import: exit status {status}: {error}"
    found = f"{path}.found.npy"
    status, error = ernn(program, "predict", model, "--input", inputs, "--output", found, "--force")
    if status != 0:
        return "failed", f"predict: exit status {status}: {error}"
    found = np.load(found)
    if found.shape != y.shape:
        return "wrong", f"shape {found.shape}, expected {y.shape}"
    if not np.isfinite(y).all():
        return "wrong", "imported, although the engine's outputs are not finite"
    difference = np.abs(found - y).max() / max(1.0, np.abs(y).max())
    return ("agree" if difference <= TOLERANCE else "wrong"), difference


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("ernn")
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    sys.path.insert(0, str(args.folder))
    args.out.mkdir(parents=True, exist_ok=True)

    results, reasons, largest = collections.Counter(), collections.Counter(), 0.0
    for number in range(args.count):
        path = args.out / f"{args.seed}-{number}"
        kind, detail = compare(args.ernn, np.random.default_rng([args.seed, number]), path)
        results[kind] += 1
        if kind == "agree":
            largest = max(largest, detail)
        elif kind == "rejected":
            reasons[detail] += 1
        else:
            print(f"{path}: {kind}: {detail}")
        if kind in ("agree", "rejected"):
            for file in args.out.glob(f"{path.name}.*"):
                file.unlink()
    for reason, count in reasons.most_common():
        print(f"rejected {count} times: {reason}")
    counts = ", ".join(f"{results[kind]} {kind}" for kind in ("agree", "rejected", "wrong", "failed"))
    print(f"{args.count} networks of seed {args.seed}: {counts}; largest difference {largest:.1e}")
    sys.exit(results["wrong"] + results["failed"] > 0)


if __name__ == "__main__":
    main()
