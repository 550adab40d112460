"""Times audits by Python toolkits and query engines beside `evenhand audit`, on the same rows in the same run.

    python3 benches/peers/audits.py [rows, 1 million if not given]

makes virtual environments in target (two, since the toolkits do not all live in one), a Parquet file of rows
with three attributes (60 groups crossed), a label and a decision, and the release binary; asks each tool for what it can
say of them, and prints one table. Seconds of the Python toolkits are those of the call alone, with the rows in memory as
they want them; those of the query engines include reading the columns; those of evenhand are of the whole command:
reading, hashing the file for the report, every rate and disparity to order 3 with its interval, and the report. The least
of some runs counts.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import ROOT, environment, least

ENVIRONMENTS = {
    "one": ["fairlearn==0.15.0", "aif360==0.6.1", "pandas", "pyarrow"],
    "two": ["aequitas==1.1.0", "holisticai==1.0.14", "polars==2.1.0", "duckdb==2.0.1", "pandas", "pyarrow"],
}
ATTRIBUTES = ["sex", "age", "region"]
REPLICATED = 100_000


def make(rows, path):
    """The rows: women are selected less."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(7)
    sex = rng.choice(["female", "male"], rows)
    label = rng.random(rows) < 0.3
    frame = pd.DataFrame({
        "sex": sex,
        "age": rng.choice(["18-25", "26-35", "36-45", "46-60", "over 60"], rows),
        "region": rng.choice(["north", "south", "east", "west", "centre", "islands"], rows),
        "responded": label.astype("uint8"),
        "targeted": (rng.random(rows) < np.where(sex == "male", 0.3, 0.2) + 0.3 * label).astype("uint8"),
    })
    frame.to_parquet(path, index=False)
    frame.head(REPLICATED).to_parquet(path.with_suffix(".few.parquet"), index=False)


def of_one(path):
    """What Fairlearn and AIF360 take."""
    import warnings

    import aif360
    import fairlearn
    import pandas as pd
    from aif360.datasets import BinaryLabelDataset
    from aif360.metrics import ClassificationMetric
    from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate

    warnings.filterwarnings("ignore")
    frame = pd.read_parquet(path)
    rates = {"selection": selection_rate, "tpr": true_positive_rate, "fpr": false_positive_rate}

    def by_group(rows, attributes, **more):
        return MetricFrame(
            metrics=rates, y_true=rows.responded, y_pred=rows.targeted, sensitive_features=rows[attributes], **more
        ).by_group

    name = f"fairlearn {fairlearn.__version__}"
    yield "three rates of 60 groups", name, least(lambda: by_group(frame, ATTRIBUTES), 1), "order 3"
    few = pd.read_parquet(path.with_suffix(".few.parquet"))
    replicated = lambda: by_group(few, ["sex"], n_boot=100, ci_quantiles=[0.025, 0.975])  # noqa: E731
    yield f"100 replicates, 2 groups, {len(few):,} rows", name, least(replicated, 1), "few"

    numbers = frame.assign(sex=(frame.sex == "male").astype(int))[["sex", "responded", "targeted"]]
    data = lambda label: BinaryLabelDataset(  # noqa: E731
        df=numbers[["sex", label]].rename(columns={label: "y"}), label_names=["y"], protected_attribute_names=["sex"]
    )
    truth, decided = data("responded"), data("targeted")

    def two_groups():
        metric = ClassificationMetric(truth, decided, unprivileged_groups=[{"sex": 0}], privileged_groups=[{"sex": 1}])
        return metric.disparate_impact(), metric.average_odds_difference(), metric.equal_opportunity_difference()

    yield "disparities of 2 groups", f"aif360 {aif360.__version__}", least(two_groups), "order 1"


def of_two(path):
    """What Aequitas, holisticai, Polars and DuckDB take."""
    import logging
    import warnings
    from importlib.metadata import version

    import duckdb
    import pandas as pd
    import polars
    from aequitas.group import Group
    from holisticai.bias.metrics import classification_bias_metrics

    warnings.filterwarnings("ignore")
    logging.disable()
    frame = pd.read_parquet(path)
    named = frame.rename(columns={"responded": "label_value", "targeted": "score"})
    crosstabs = lambda: Group().get_crosstabs(named, attr_cols=ATTRIBUTES)  # noqa: E731
    yield "rates of 3 attributes", f"aequitas {version('aequitas')}", least(crosstabs), "order 1"

    women, men = (frame.sex == "female").to_numpy(), (frame.sex == "male").to_numpy()
    decided, truth = frame.targeted.to_numpy(), frame.responded.to_numpy()
    both = lambda: classification_bias_metrics(women, men, decided, truth, metric_type="both")  # noqa: E731
    yield "disparities of 2 groups", f"holisticai {version('holisticai')}", least(both), "order 1"

    keys = [*ATTRIBUTES, "responded", "targeted"]
    scan = lambda: polars.scan_parquet(path).group_by(keys).len().collect(engine="streaming")  # noqa: E731
    yield "counts of 60 groups", f"polars {polars.__version__}", least(scan), "order 3"
    sql = f"select {', '.join(keys)}, count(*) from '{path}' group by all"
    yield "counts of 60 groups", f"duckdb {duckdb.__version__}", least(lambda: duckdb.sql(sql).fetchall()), "order 3"


def audit(command):
    """Status 1 says that something was found, which is no failure."""
    if subprocess.run(command, capture_output=True).returncode not in (0, 1):
        sys.exit(f"{command} failed")


def ours(path):
    """Seconds of the whole command: crossed to order 3, to order 1, and of the first rows with two groups."""
    binary = ROOT / "target" / "release" / "evenhand"
    subprocess.run(["cargo", "build", "--release", "--quiet", "--features", "cli"], cwd=ROOT, check=True)

    def command(file, attributes, order):
        names = [part for name in attributes for part in ("--attribute", name)]
        options = ["--label", "responded", "--decision", "targeted", "--order", str(order), "--format", "json"]
        return lambda: audit([binary, "audit", file, *names, *options])

    return {
        "order 3": least(command(path, ATTRIBUTES, 3)),
        "order 1": least(command(path, ATTRIBUTES, 1)),
        "few": least(command(path.with_suffix(".few.parquet"), ["sex"], 1)),
    }


def main(rows):
    one, two = (environment(f"peers-audits-{name}", needs) for name, needs in ENVIRONMENTS.items())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        subprocess.run([one, __file__, "make", str(rows), path], check=True)
        own = ours(path)
        print(f"{rows:,} rows\n{'what the peer answers':<42}{'evenhand':>11}{'peer':>12}{'ratio':>9}  peer")
        for python, name in [(one, "one"), (two, "two")]:
            lines = subprocess.run([python, __file__, name, path], check=True, capture_output=True, text=True).stdout
            for what, peer, seconds, beside in map(json.loads, lines.splitlines()):
                print(f"{what:<42}{own[beside]:>9.3f} s{seconds:>10.3f} s{seconds / own[beside]:>9.1f}  {peer}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["make", rows, path]:
            make(int(rows), Path(path))
        case ["one" | "two" as name, path]:
            for line in (of_one if name == "one" else of_two)(Path(path)):
                print(json.dumps(line))
        case [rows]:
            main(int(rows))
        case _:
            main(1_000_000)
