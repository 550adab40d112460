#!/usr/bin/env python3
"""Filters the answers of the peers down to binary metrics and copies their inputs.

    python3 tests/data/extract_oracle.py FOLDER

FOLDER holds `oracle.json`, `adult_scored.csv` and `more/oracle.json`, `more/adult_lr.csv`, `more/german_lr.csv`, as the
peers' runs left them (README.md says which versions). Every entry is either kept in `oracle_binary.json`, or counted
there under the work that it belongs to: the test adds the two up, so none can be lost on the way. Writes the same bytes
every time.
"""

import collections
import gzip
import json
import pathlib
import sys

# Functions that are not of binary metrics, and what they wait for.
LATER = {
    "scores": """abroca log_loss_group_max mean_absolute_error_group_max mean_squared_error_group_max
        r2_score_group_min roc_auc_score_group_min MetricFrame(roc_auc_score) correlation_diff mae_ratio rmse_ratio
        zscore_diff no_disparate_impact_level max_statistical_parity statistical_parity_auc ks_2samp wasserstein_distance
        disparate_impact_regression statistical_parity_regression average_precision_score_by_group
        brier_score_loss_by_group log_loss_by_group roc_auc_score_by_group roc_auc_score_by_group_weighted""",
    "segments": """accuracy_matrix cluster_balance cluster_dist_entropy cluster_dist_kl cluster_dist_l1
        clustering_bias_metrics confusion_matrix frequency_matrix min_cluster_ratio multiclass_average_odds
        multiclass_equality_of_opp multiclass_statistical_parity multiclass_true_rates precision_matrix recall_matrix
        silhouette_diff social_fairness_ratio chi2_contingency_G-test jensenshannon^2_(nats) mutual_info_score_(nats)
        normalized_mutual_info_score""",
    "inequality": """generalized_entropy_error between_group_generalized_entropy_error
        ClassificationMetric.between_all_groups_coefficient_of_variation
        ClassificationMetric.between_all_groups_generalized_entropy_index
        ClassificationMetric.between_all_groups_theil_index ClassificationMetric.between_group_coefficient_of_variation
        ClassificationMetric.between_group_generalized_entropy_index ClassificationMetric.between_group_theil_index
        ClassificationMetric.coefficient_of_variation ClassificationMetric.generalized_entropy_index
        ClassificationMetric.theil_index sklearn.between_group_generalized_entropy_error coefficient_of_variation
        generalized_entropy_index jain_index theil_index GeneralizedEntropyIndex TheilIndex posttraining.GE""",
    "individual": """BinaryLabelDatasetMetric.consistency(predictions) ClassificationMetric.consistency consistency_score
        posttraining.FT""",
    "representation": """class_imbalance kl_divergence sklearn.class_imbalance sklearn.class_imbalance(y_true_only)
        sklearn.kl_divergence sklearn.kl_divergence(y_true_only) pretraining.CI pretraining.JS pretraining.KL
        pretraining.KS pretraining.LP pretraining.TVD association(cramer)
        conditional_demographic_disparity sklearn.conditional_demographic_disparity(y_pred)
        sklearn.conditional_demographic_disparity(y_true)""",
    "differential fairness": """smoothed_edf df_bias_amplification
        BinaryLabelDatasetMetric.smoothed_empirical_differential_fairness
        ClassificationMetric.differential_fairness_bias_amplification
        ClassificationMetric.smoothed_empirical_differential_fairness sklearn.df_bias_amplification
        sklearn.smoothed_edf sklearn.smoothed_edf(y_true) sklearn.smoothed_edf(y_true,y_pred)""",
    "effect sizes": "cohen_d z_test_ratio",
    "subgroup search": "bias_scan_(MDSS,_Bernoulli) detectors.bias_scan sklearn.mdss_bias_score",
    "mitigation": """Reweighing ThresholdOptimizer CalibratedEqOddsPostprocessing.mix_rates CorrelationRemover
        DisparateImpactRemover EqOddsPostprocessing.model_params RejectOptionClassification""",
    "ranking": """Fair.compute_fail_probability(unadjusted) Fair.create_adjusted_mtable Fair.create_unadjusted_mtable
        aggregate_diversity avg_f1_ratio avg_precision_ratio avg_recall_ratio avg_recommendation_popularity
        exposure_entropy exposure_kl exposure_l1 gini_index mad_score recommender_mae_ratio recommender_rmse_ratio""",
}
LATER = {name.replace("_", " "): work for work, names in LATER.items() for name in names.split()}

INPUTS = {
    "adult_scored.csv": ("", "sex race age_band marital_status label score decision weight"),
    "adult_lr.csv": ("more/", "sex race age_band y_true score y_pred weight"),
    "german_lr.csv": ("more/", "sex age_ge25 age_gt25 housing y_true score y_pred"),
}


def later(entry):
    """The work that an entry waits for, or None where it is of binary metrics."""
    name = entry["function"].replace("_", " ")
    if entry["function"] in ("avg_score_diff", "avg_score_ratio") and entry["params"].get("q", 0) != 0:
        return "scores"  # a quantile of the scores
    if "segments" in str(entry["input"]) and "keel" not in str(entry["input"]):
        return "segments"
    if name in LATER:
        return LATER[name]
    if "keel" in str(entry["input"]):
        return "not bundled (KEEL's marketing data carry no licence)"
    return None


def read(folder):
    """All entries of both files in one form."""
    sides = {}
    for number, e in enumerate(json.loads((folder / "oracle.json").read_text())):
        params = dict(e["params"])
        raised = params.pop("raised", None)
        source = e["file"]
        # Holistic AI's entries on scores do not repeat the groups of the ones before them.
        sides = {k: params[k] for k in ("group_a", "group_b") if k in params} or sides
        if e["function"] in ("avg_score_diff", "avg_score_ratio"):
            params |= sides
        entry = {"id": f"A{number:04}", "peer": e["peer"], "version": e["version"], "function": e["function"]}
        if source == "(inline)":
            case = params.pop("case")
            rows = {"y_true": params.pop("label"), "y_pred": params.pop("decision"), "group": params.pop("group")}
            yield entry | {"input": f"inline:{case}", "params": params, "rows": rows, "value": e["value"]}, raised
        else:
            yield entry | {"input": source, "params": params, "value": e["value"]}, raised
    for e in json.loads((folder / "more/oracle.json").read_text())["fixtures"]:
        params = dict(e["params"])
        entry = {k: e[k] for k in ("id", "peer", "version", "function", "input")}
        if str(e["input"]).startswith("inline:"):
            params.pop("case")
            keys = [k for k in ("y_true", "y_pred", "score", "group", "sample_weight") if k in params]
            entry["rows"] = {k: params.pop(k) for k in keys}
        yield entry | {"params": params, "value": e.get("value")}, e.get("error")


def main():
    folder, here = pathlib.Path(sys.argv[1]), pathlib.Path(__file__).parent
    cases, kept, waiting, versions = {}, [], collections.Counter(), {}
    for entry, error in read(folder):
        rows, work = entry.pop("rows", None), later(entry)
        if work:
            waiting[work] += 1
            continue
        if rows:
            case = cases.setdefault(entry["input"].removeprefix("inline:"), rows)
            case.update({k: v for k, v in rows.items() if k not in case})
            assert all(case[k] == v for k, v in rows.items()), entry
        versions[entry["peer"]] = entry.pop("version")
        if error:
            entry["error"] = error
            del entry["value"]
        if entry.get("value") == "NaN":
            entry["value"] = None
        kept.append(entry)
    lines = ",\n".join(json.dumps(e, separators=(",", ":"), sort_keys=True) for e in kept)
    head = {"cases": cases, "later": dict(sorted(waiting.items())), "versions": dict(sorted(versions.items()))}
    head = ",\n".join(f"{json.dumps(k)}:{json.dumps(v, separators=(',', ':'))}" for k, v in head.items())
    (here / "oracle_binary.json.gz").write_bytes(gzip.compress(f"{{{head},\n\"entries\":[\n{lines}\n]}}\n".encode(), 9, mtime=0))
    for name, (where, columns) in INPUTS.items():
        table = [line.split(",") for line in (folder / where / name).read_text().splitlines()]
        wanted = [table[0].index(c) for c in columns.split()]
        text = "".join(",".join(row[i] for i in wanted) + "\n" for row in table)
        (here / f"{name}.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{len(kept)} entries kept, {sum(waiting.values())} of later work: {dict(waiting)}")


if __name__ == "__main__":
    main()
