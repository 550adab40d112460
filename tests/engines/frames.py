"""Data frames, counted in DataFusion or on a cluster of Ballista by the package `ballista`, compared with the files there.

Here the rows are written and the questions put down, each as what the tool would be asked with. See `run`.
"""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

import check
import many
import rows
from engines import DuckDb, quoted

MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "NULL"]
LISTS = {"--attribute": "attributes", "-a": "attributes", "--stratum": "strata", "--decision": "decisions", "-d": "decisions",
         "--score": "scores", "-s": "scores", "--missing": "missing"}
ONES = {"--label": "label", "--weight": "weight", "-w": "weight", "--where": "where"}


def columns(flags):
    """The parts that columns play, as the library reads them, of the tool's flags."""
    out = {name: [] for name in LISTS.values()} | {"missing": list(MISSING), "favorable": {}, "thresholds": [], "top": []}
    flags = iter([part for flag in flags for part in (flag.split("=", 1) if flag.startswith("--missing=") else [flag])])
    for flag in flags:
        value = next(flags)
        if flag in LISTS:
            out[LISTS[flag]].append(value)
        elif flag in ONES:
            out[ONES[flag]] = value
        elif flag == "--favorable":
            name, favorable = value.split("=", 1)
            out["favorable"].setdefault(name, []).append(favorable)
        elif flag == "--threshold":
            out["thresholds"].append(float(value))
        elif flag == "--top":
            out["top"].append({"share": float(value.removesuffix("%")) / 100})
        elif flag == "--segment":
            out["segments"] = [{"column": value}]
        else:
            out["segments"][0][{"--segment-before": "earlier", "--segment-class": "class"}[flag]] = value
    return out


def case(name, files, flags, **more):
    files = [files] if isinstance(files, pathlib.Path) else files
    return {"name": name, "files": [str(file) for file in files], "columns": columns(flags), **more}


def shapes():
    """Every shape of a tally, of the rows of `rows.people`."""
    sex, age = ["-a", rows.flags()[1]], ["-a", f"{rows.AGE}:{rows.BANDS}"]
    label = ["--label", rows.LABEL, "--favorable", f"{rows.LABEL}={rows.FAVORABLE}"]
    decision = ["-d", rows.DECISION]
    rest = ["--missing=-1"]
    yield "everything", [*rows.flags(), "--threshold", "0.5", "--top", "10%"], {}
    yield "a decision", [*sex, *decision, *rest], {}
    yield "a label", [*sex, *age, *label, *rest], {}
    yield "a label and a decision", [*sex, *age, *label, *decision, *rest], {}
    yield "two decisions", [*age, *decision, "-d", rows.LABEL, *label[2:], *rest], {}
    yield "a score alone", [*sex, "-s", rows.SCORE, *rest], {}
    yield "a score, cut", [*age, *label, "-s", rows.SCORE, "--threshold", "0.25", "--threshold", "0.75", "--top", "5%", *rest], {}
    yield "two scores", [*sex, *label, "-s", rows.SCORE, "-s", rows.AGE, *rest], {}
    yield "a score of weighted rows", [*age, *label, "-s", rows.SCORE, "--top", "20%", "-w", rows.WEIGHT, *rest], {}
    yield "weights", [*sex, *label, *decision, "-w", rows.WEIGHT, *rest], {}
    yield "strata", [*age, *decision, "--stratum", rows.REGION, "--stratum", rows.BEFORE, *rest], {}
    yield "segments", [*sex, *label, "--segment", rows.TIER, *rest], {}
    yield "segments and earlier ones", [*sex, "--segment", rows.TIER, "--segment-before", rows.BEFORE, *rest], {}
    yield "segments and classes", [*age, "--segment", rows.REGION, "--segment-class", rows.REGION, "-w", rows.WEIGHT, *rest], {}
    yield "groups by rules", ["-a", rows.BEFORE, *decision, *rest], {"groups": ["early: tier/before=1999-12-01"]}


def cases(folder):
    """All of them, and the files that they need."""
    duckdb = DuckDb()
    typed = duckdb.write(rows.COLUMNS, rows.people(), folder / "typed.parquet")
    texts = duckdb.write([(name, "text") for name, _ in rows.COLUMNS], rows.as_text(rows.people()), folder / "texts.parquet")
    for name, flags, more in shapes():
        yield case(name, typed, flags, **more)
    yield case("everything as text", texts, [*rows.flags(), "--threshold", "0.5"])
    types, people, conditions = check.conditioned()
    file = duckdb.write(types, people, folder / "filtered.parquet")
    for condition, flags in conditions:
        yield case(f"where {condition}", file, flags)
    types, people, conditions = check.incomparable()
    file = duckdb.write(types, people, folder / "incomparable.parquet")
    for condition, flags in conditions:
        yield case(f"where {condition}", file, flags, refused="v")
    for at, (name, types, people, flags, said) in enumerate(check.wrongs()):
        file = duckdb.write(types, people, folder / f"wrong-{at}.parquet")
        yield case(name, file, flags, refused=said.strip("`"))
    # A frame need not be a file: the same query in DuckDB gives the rows that are expected.
    sex, region, label = map(quoted, (rows.SEX, rows.REGION, rows.LABEL))
    places = duckdb.write([("place", "integer"), ("name", "text")], [(1, "north"), (2, "south")], folder / "places.parquet")
    query = f"""SELECT upper(p.{sex}) AS sex, q.name AS place, CASE WHEN p.{label} IS NULL THEN NULL WHEN p.{label} = 'bad' THEN 0 ELSE 1 END AS d
        FROM "rows" AS p LEFT JOIN q ON p.{region} = q.place WHERE p.{sex} <> 'F'"""
    duckdb.files.execute(f"CREATE OR REPLACE VIEW q AS SELECT * FROM '{places}'")
    of_files = query.replace(quoted("rows"), f"'{typed}'")
    duckdb.files.execute(f"COPY ({of_files}) TO '{folder / 'joined.parquet'}' (FORMAT parquet)")
    tables = {"rows": str(typed), "q": str(places)}
    yield case("a join", folder / "joined.parquet", ["-a", "sex", "-a", "place", "-d", "d"], query=query, tables=tables)
    parts = folder / "many"
    parts.mkdir()
    many.write(parts, many.TIMES)
    files = sorted(parts.glob("*.parquet"))
    rough = [*rows.flags(), "--where", f"{quoted(rows.AGE)} >= 20 and {quoted(rows.DECISION)} != 'x'"]
    rough[rough.index(rows.WEIGHT)] = many.ROUGH
    yield case("twenty million, rough weights", files, rough)
    yield case("twenty million, few cells", files, ["-a", rows.SEX, "-w", many.ROUGH, "-d", rows.DECISION])
    yield case("twenty million", files, rows.flags(), shaken=True)


@contextlib.contextmanager
def running(program, *arguments, **more):
    """The package's program with what it starts, all of which ends with it."""
    process = subprocess.Popen([pathlib.Path(program).resolve(), *arguments], start_new_session=True, **more)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def measure(program, folder):
    """What a row costs, of the rows and questions of `rates.py`."""
    import rates

    parts = folder / "rows"
    parts.mkdir()
    rates.write(parts)
    asked = folder / "cases.json"
    files = sorted(parts.glob("*.parquet"))
    asked.write_text(json.dumps([case(shape, files, [*rates.FLAGS, *flags]) for shape, flags in rates.SHAPES.items()]))
    for engine in "datafusion", "ballista":
        with running(program, "rates", engine, str(asked), stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                told = json.loads(line)
                rates.told(f"{engine}, {told['run']}", told["shape"], told["seconds"], f"{told['clock']:.1f} s by the clock")
            if process.wait():
                sys.exit(process.returncode)


def main(engine, program):
    # Whoever is told to stop stops what was started, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        if engine.startswith("rates"):
            return measure(program, folder)
        asked = folder / "cases.json"
        asked.write_text(json.dumps(list(cases(folder))))
        with running(program, "check", engine, str(asked)) as process:
            sys.exit(process.wait())


if __name__ == "__main__":
    main(*sys.argv[1:])
