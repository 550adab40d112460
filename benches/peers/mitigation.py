"""Times mitigations by Python toolkits beside this crate's, on the same rows in the same run.

    python3 benches/peers/mitigation.py

makes a virtual environment in target/peers, lets `cargo bench --bench peers` make the rows, time its own side and leave
the rows in a folder, times the peers on them, and prints one table. Each figure is the least of a few runs.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import ROOT, enter, least

NEEDS = ["aif360==0.6.1", "fairlearn==0.15.0", "imbalanced-learn==0.14.2", "scikit-learn==1.9.1"]


def peers(folder):
    """The name, version and seconds of each peer, by what it does."""
    import warnings

    import aif360
    import fairlearn
    import imblearn
    import numpy as np
    import pandas as pd
    from aif360.algorithms.preprocessing import Reweighing
    from aif360.datasets import BinaryLabelDataset
    from fairlearn.postprocessing import ThresholdOptimizer
    from fairlearn.reductions import DemographicParity, ExponentiatedGradient
    from imblearn.over_sampling import SMOTE
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.linear_model import LogisticRegression

    warnings.filterwarnings("ignore")
    load = lambda name, kind: np.fromfile(folder / f"{name}.bin", dtype=kind)  # noqa: E731

    group, label, score = load("group", "u1"), load("label", "u1"), load("score", "f8")
    frame = pd.DataFrame({"group": group, "label": label})
    data = BinaryLabelDataset(df=frame, label_names=["label"], protected_attribute_names=["group"])
    reweighing = Reweighing(unprivileged_groups=[{"group": 1}], privileged_groups=[{"group": 0}])
    yield "reweight", f"aif360 {aif360.__version__}", least(lambda: reweighing.fit_transform(data))

    class Given(ClassifierMixin, BaseEstimator):
        """A fitted model whose score is its only feature."""

        def fit(self, x, y):
            return self

        def __sklearn_is_fitted__(self):
            return True

        def predict(self, x):
            return x[:, 0]

    for name in ("demographic_parity", "equalized_odds"):
        optimizer = ThresholdOptimizer(
            estimator=Given(), constraints=name, objective="accuracy_score", prefit=True, predict_method="predict"
        )
        fit = lambda: optimizer.fit(score[:, None], label, sensitive_features=group)  # noqa: B023, E731
        yield f"thresholds_{name}", f"fairlearn {fairlearn.__version__}", least(fit, 1)

    x, y = load("smote_x", "f8"), load("smote_y", "u1")
    x = x.reshape(len(y), -1)
    smote = SMOTE(random_state=1, k_neighbors=5)
    yield "smote", f"imbalanced-learn {imblearn.__version__}", least(lambda: smote.fit_resample(x, y))

    x, y, group = load("reductions_x", "f8"), load("reductions_y", "u1"), load("reductions_group", "u1")
    x = x.reshape(len(y), -1)
    gradient = lambda: ExponentiatedGradient(  # noqa: E731
        LogisticRegression(max_iter=200), constraints=DemographicParity(difference_bound=0.02)
    ).fit(x, y, sensitive_features=group)
    yield "exponentiated_gradient", f"fairlearn {fairlearn.__version__}", least(gradient, 1)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = ["cargo", "bench", "--quiet", "--bench", "peers", "--", "--rows-to", str(folder)]
        subprocess.run(command, cwd=ROOT, check=True)
        ours = json.loads((folder / "seconds.json").read_text())
        print(f"{'what':<34}{'evenhand':>12}{'peer':>12}{'ratio':>9}  peer")
        for what, peer, seconds in peers(folder):
            about = ours[what]
            print(f"{about['about']:<34}{about['seconds']:>10.4f} s{seconds:>10.3f} s{seconds / about['seconds']:>9.0f}  {peer}")


if __name__ == "__main__":
    if "--inside" in sys.argv:
        main()
    else:
        enter("peers", NEEDS)
