"""Rows that an engine may stumble over, and what they must be counted as."""

import collections
import datetime
import random

# Names of columns: quotes of every kind, ends of statements, comments, white space, other scripts.
SEX = 'sex"; DROP TABLE people; --'
AGE = "age `in` years"
REGION = "région's"
LABEL = "bought\\ it"
DECISION = 'tar"get;ed'
SCORE = "score.of (model)"
TIER = "tier {a} = 日本"
BEFORE = "tier/before"
WEIGHT = "w$1"

SEXES = ["f", " f", "f\u3000", "\tf\n", "F", "O'Neil\"; --", "back\\slash", "a,b", "two\nlines", "ünï", "`tick`", "NA", "", " ", None]
REGIONS = [1, 2, -7, None]
TIERS = [True, False, None]
BEFORES = [datetime.date(2024, 1, 31), datetime.date(1999, 12, 1), None]
FAVORABLE = "it's \\ \"good\""
LABELS = [FAVORABLE, FAVORABLE + " ", "bad", "", None]
DECISIONS = ["yes", "No", "YES ", "no", "NULL", None]
RENAMES = {"f": "wo'men", "F": "wo'men", "back\\slash": "NA"}
BANDS = "<=25,26-40.5,>40.5"
MISSING = {"", "NA", "N/A", "NaN", "nan", "null", "NULL", "-1"}

COLUMNS = [
    (SEX, "text"),
    (AGE, "double"),
    (REGION, "integer"),
    (LABEL, "text"),
    (DECISION, "text"),
    (SCORE, "real"),
    (TIER, "boolean"),
    (BEFORE, "date"),
    (WEIGHT, "double"),
]


def people(count=20_000, seed=7):
    """The rows. Scores and weights are parts of powers of two, so that sums do not depend on their order."""
    draw = random.Random(seed)
    ages = [float(a) for a in range(18, 26)] + [26.0, 33.5, 40.5, 40.6, 77.0, -1.0, None]
    scores = [k / 8 for k in range(9)] + [-0.0, -1.0, None]
    weights = [0.0, 0.125, 1.0, 2.5, 3.0]
    pools = [SEXES, ages, REGIONS, LABELS, DECISIONS, scores, TIERS, BEFORES, weights]
    return [tuple(draw.choice(pool) for pool in pools) for _ in range(count)]


def as_text(rows):
    """The same rows as the texts of a file, numbers written in many ways."""

    def text(value, at, column):
        if value is None:
            return [None, "", "NA", " null "][at % 4]
        if isinstance(value, bool):
            return "true" if value else "false"
        if column in (AGE, SCORE, WEIGHT) and value != -1:
            plain = repr(value)
            return [plain, f" {plain}\u3000", f"{value:+.6e}", plain.replace("0.", ".", 1) if plain.startswith("0.") else plain][at % 4]
        if column in (AGE, SCORE):
            return "-1"
        return str(value)

    names = [name for name, _ in COLUMNS]
    out = []
    for at, row in enumerate(rows):
        fields = [text(value, at + 3 * i, names[i]) for i, value in enumerate(row)]
        # A weight must be there.
        out.append(tuple(fields))
    return out


def level(value):
    """A level as the audit must see it."""
    if value is None:
        return None
    text = str(value).lower() if isinstance(value, bool) else str(value)
    text = text.strip()
    text = RENAMES.get(text, text)
    return None if text in MISSING else text


def plain(value):
    text = None if value is None else (str(value).lower() if isinstance(value, bool) else str(value)).strip()
    return None if text in MISSING else text


def cells(rows):
    """The counts, worked out here and not by the tool or an engine."""
    out = collections.defaultdict(lambda: [0, 0.0, 0.0])
    for sex, age, region, label, decision, score, tier, before, weight in rows:
        band = None if age is None or age == -1 else "<=25" if age <= 25 else "26-40.5" if age <= 40.5 else ">40.5"
        is_good = None if plain(label) is None else int(plain(label) == FAVORABLE)
        is_in = None if plain(decision) is None else int(plain(decision).lower() == "yes")
        key = (
            level(sex),
            band,
            plain(region),
            plain(tier),
            plain(before),
            is_good,
            is_in,
            None if score is None or score == -1 else score + 0.0,
        )
        cell = out[key]
        cell[0] += 1
        cell[1] += weight
        cell[2] += weight * weight
    return {key: tuple(cell) for key, cell in out.items()}


def flags():
    """What the tool is asked with."""
    renamed = {}
    for old, new in RENAMES.items():
        renamed.setdefault(new, []).append(old)
    levels = ",".join(f"{new}={'+'.join(olds)}" for new, olds in renamed.items())
    return [
        *("--attribute", f"{SEX}:{levels}", "--attribute", f"{AGE}:{BANDS}", "--stratum", REGION),
        *("--label", LABEL, "--favorable", f"{LABEL}={FAVORABLE}", "--decision", DECISION, "--score", SCORE),
        *("--segment", TIER, "--segment-before", BEFORE, "--weight", WEIGHT, "--missing=-1"),
    ]


KEYS = ["attribute_1", "attribute_2", "stratum_1", "segment_1", "class_1", "label", "decision_1", "score_1"]
