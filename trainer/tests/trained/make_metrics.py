"""Writes metrics.json: the scores that scikit-learn computes for random outputs of classifiers, detectors and
regressions. All outputs are exact in f32, and some are equal.

    python3 -m venv VENV
    VENV/bin/pip install scikit-learn==1.9.1
    VENV/bin/python make_metrics.py
"""

import json
import pathlib

import numpy as np
from sklearn import metrics

AVERAGES = ["macro", "micro", "weighted"]


def numbers(values):
    """Returns values with the digits that f32 needs."""
    return json.loads("[" + ",".join(map(str, np.float32(values).ravel())) + "]")


def averages(y, predicted):
    found = {}
    for average in AVERAGES:
        scores = metrics.precision_recall_fscore_support(y, predicted, average=average, zero_division=0)
        found[average] = [float(score) for score in scores[:3]]
    return found


def classes(seed, count, n):
    rng = np.random.default_rng(seed)
    # Rare classes, and probabilities that favor the target.
    y = rng.choice(count, n, p=np.arange(1, count + 1) / np.arange(1, count + 1).sum())
    y[:count] = np.arange(count)
    logits = rng.normal(0, 1, (n, count)) + 1.2 * np.eye(count)[y]
    p = np.exp(logits)
    p = np.float32(np.round(p / p.sum(1, keepdims=True), 2 if seed % 2 else 4))
    predicted = p.argmax(1)
    sums = p.astype(float) / p.astype(float).sum(1, keepdims=True)
    one_hot = np.eye(count, dtype=int)[y]
    scores = {
        "balanced accuracy": metrics.balanced_accuracy_score(y, predicted),
        "macro ROC AUC": np.mean([metrics.roc_auc_score(one_hot[:, k], p[:, k]) for k in range(count)]),
        "macro average precision": metrics.average_precision_score(one_hot, p, average="macro"),
    }
    if seed % 2 == 0:
        # Without equal probabilities.
        if count > 5:
            scores["top-5 accuracy"] = metrics.top_k_accuracy_score(y, sums, k=5)
        if count > 2:
            one_vs_rest = metrics.roc_auc_score(y, sums, multi_class="ovr")
            assert np.isclose(scores["macro ROC AUC"], one_vs_rest, atol=1e-3)
    return {
        "name": f"classes {seed}",
        "kind": "classes",
        "size": count,
        "outputs": numbers(p),
        "targets": y.tolist(),
        "accuracy": metrics.accuracy_score(y, predicted),
        "averages": averages(y, predicted),
        "scores": {name: float(score) for name, score in scores.items()},
    }


def detector(seed, n):
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < 0.2).astype(int)
    p = 1 / (1 + np.exp(-(rng.normal(-1.0, 1.2, n) + 1.7 * y)))
    p = np.float32(np.round(p, 2 if seed % 2 else 5))
    predicted = (p > 0.5).astype(int)
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(y, predicted, average="binary")
    precisions, recalls, _ = metrics.precision_recall_curve(y, p)
    best = np.max(2 * precisions * recalls / np.maximum(precisions + recalls, 1e-12))
    scores = {
        "balanced accuracy": metrics.balanced_accuracy_score(y, predicted),
        "precision": precision,
        "recall": recall,
        "F1": f1,
        "ROC AUC": metrics.roc_auc_score(y, p),
        "average precision": metrics.average_precision_score(y, p),
    }
    return {
        "name": f"detector {seed}",
        "kind": "detector",
        "size": 1,
        "outputs": numbers(p),
        "targets": y.tolist(),
        "accuracy": metrics.accuracy_score(y, predicted),
        "averages": averages(y, predicted),
        "best_f1": float(best),
        "scores": {name: float(score) for name, score in scores.items()},
    }


def values(seed, size, n):
    rng = np.random.default_rng(seed)
    y = np.float32(rng.normal(3.0, 2.0, (n, size)) * np.arange(1, size + 1))
    outputs = np.float32(0.8 * y + rng.normal(0.3, 0.7, (n, size)))
    scores = {
        "MAE": metrics.mean_absolute_error(y.astype(float), outputs.astype(float)),
        "RMSE": metrics.mean_squared_error(y.astype(float), outputs.astype(float)) ** 0.5,
        "R2": metrics.r2_score(y.astype(float), outputs.astype(float)),
    }
    return {
        "name": f"values {seed}",
        "kind": "values",
        "size": size,
        "outputs": numbers(outputs),
        "targets": numbers(y),
        "scores": {name: float(score) for name, score in scores.items()},
    }


cases = [classes(0, 7, 90), classes(1, 3, 70), classes(2, 9, 120), classes(3, 4, 60), classes(4, 2, 50)]
cases += [detector(seed, 40 + 30 * seed) for seed in range(5)]
cases += [values(seed, size, 50) for seed, size in [(0, 1), (1, 3), (2, 4)]]
path = pathlib.Path(__file__).parent / "metrics.json"
path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
