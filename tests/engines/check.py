"""Compares what an engine counts with what the tool counts of the same rows in a file. See `run`."""

import csv
import datetime
import decimal
import json
import pathlib
import subprocess
import sys
import tempfile

import engines
import rows


class Check:
    def __init__(self, engine, tool, folder):
        self.engine, self.tool, self.folder = engine, tool, pathlib.Path(folder)
        self.done = 0

    def run(self, *arguments, status=(0, 1, 3)):
        done = subprocess.run([self.tool, *arguments], capture_output=True, text=True)
        assert done.returncode in status, f"{arguments}: {done.returncode}\n{done.stderr}"
        return done.stdout if 2 not in status else done.stderr

    def report(self, *arguments):
        report = json.loads(self.run("audit", *arguments, "--format", "json", "--no-timestamp", "--replicates", "50"))
        digest = report["provenance"]["tally_digest"]
        del report["provenance"]["inputs"], report["provenance"]["command"]
        return report, digest

    def statement(self, dialect, table, flags):
        return self.run("sql", "--dialect", dialect, "--table", table, *flags)

    def answer(self, statement, name):
        """Runs the statement and writes the answer as CSV: nothing for NULL, quotes around the rest where needed."""
        names, answer = self.engine.run(statement)
        path = self.folder / f"{name}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(names)
            writer.writerows(["" if v is None else repr(v) if isinstance(v, float) else v for v in row] for row in answer)
        return path, names, answer

    def same(self, name, people, types, dialect):
        """The same rows in a file and in the engine give the same tally and the same report."""
        flags = rows.flags()
        table = f'odd "table"; {name}'
        file = self.engine.load(table, types, people, self.folder / f"{name}.parquet")
        quoted = '"' + table.replace('"', '""') + '"'
        path, names, answer = self.answer(self.statement(dialect, quoted, flags), f"{name}-{dialect}")
        local, digest = self.report(str(file), *flags, "--threshold", "0.5", "--top", "10%")
        paths = [path, *self.engine.written(path)]
        for written in paths:
            counted, counted_digest = self.report("--tally", str(written), *flags, "--threshold", "0.5", "--top", "10%")
            assert counted_digest == digest, f"{name} in {dialect}: the tallies differ"
            assert counted == local, f"{name} in {dialect}: the reports differ"
        # And cell by cell, against counts that neither of them made.
        at = {n: i for i, n in enumerate(names)}
        keys = [at[k] for k in rows.KEYS]
        values = [at[k] for k in ("row_count", "weight", "weight_squared")]
        found = {tuple(row[i] for i in keys): tuple(row[i] for i in values) for row in answer}
        expected = rows.cells(people if types is rows.COLUMNS else rows.people())
        assert found.keys() == expected.keys(), sorted(map(str, found.keys() ^ expected.keys()))[:10]
        for key, cell in expected.items():
            assert tuple(map(float, found[key])) == tuple(map(float, cell)), f"{key}: {found[key]}, not {cell}"
        self.done += 1
        print(f"{name:<8} {dialect:<8} {len(people)} rows, {len(found)} cells, digest {digest[:12]}", flush=True)

    def refused(self, name, types, people, flags, said, dialect):
        """What a file of these rows is refused for, the counts of them are refused for."""
        file = self.engine.load("wrong", types, people, self.folder / "wrong.parquet")
        path, _, _ = self.answer(self.statement(dialect, "wrong", flags), "wrong")
        local = self.run("audit", str(file), *flags, status=(2,))
        counted = self.run("audit", "--tally", str(path), *flags, status=(2,))
        assert said in counted, f"{name}: {counted}"
        self.done += 1
        print(f"refused  {dialect:<8} {name}: {counted.splitlines()[0][:110]}\n{'':17} as {local.splitlines()[0][:110]}", flush=True)


def wrongs():
    """Rows that have to be refused: a name, the types, the rows, the flags and what must be said."""
    sex = ("sex", "text")
    audit = ["-a", "sex", "-d", "d"]
    fine = [("f", 1, 1.0), ("m", 0, 1.0)]
    yield "a negative weight", [sex, ("d", "integer"), ("w", "double")], [*fine, ("f", 1, -1.0)], [*audit, "-w", "w"], "`w`"
    yield "no weight", [sex, ("d", "integer"), ("w", "double")], [*fine, ("f", 1, None)], [*audit, "-w", "w"], "`w`"
    yield "a tiny weight", [sex, ("d", "integer"), ("w", "double")], [*fine, ("f", 1, 1e-101)], [*audit, "-w", "w"], "`w`"
    yield "a score of NaN", [sex, ("d", "integer"), ("s", "double")], [*fine, ("f", 1, float("nan"))], [*audit, "-s", "s"], "`s`"
    yield "an infinite score", [sex, ("d", "integer"), ("s", "double")], [*fine, ("f", 1, float("inf"))], [*audit, "-s", "s"], "`s`"
    yield "a score of text", [sex, ("d", "integer"), ("s", "text")], [("f", 1, "1"), ("m", 0, "1_0")], [*audit, "-s", "s"], "`s`"
    yield "a score NaN as text", [sex, ("d", "integer"), ("s", "text")], [("f", 1, "1"), ("m", 0, "NaN")], [*audit, "-s", "s"], "`s`"
    ages = [("f", 1, 20.0), ("m", 0, 25.5)]
    banded = ["-a", "sex", "-a", "age:<=25,26-40", "-d", "d"]
    yield "a gap between bands", [sex, ("d", "integer"), ("age", "double")], ages, banded, "`age`"
    open_ages = [("f", 1, 20.0), ("m", 0, float("inf"))]
    yield "an infinite age", [sex, ("d", "integer"), ("age", "double")], open_ages, ["-a", "sex", "-a", "age:<=25,>25", "-d", "d"], "`age`"
    three = [("f", "yes"), ("m", "maybe"), ("m", "no")]
    yield "a third value", [sex, ("d", "text")], three, audit, "`d`"
    pairs = [("f", "yes"), ("m", "0"), ("m", "no")]
    yield "pairs that mix", [sex, ("d", "text")], pairs, audit, "`d`"
    odd = [("f", "a"), ("m", "b")]
    yield "no favourable value", [sex, ("d", "text")], odd, [*audit, "--favorable", "d=A"], "`d`"


def only_counted(check, dialect):
    """What a file can be read of and an engine would write otherwise is refused, not guessed."""
    types, people = [("sex", "double"), ("d", "integer")], [(1.5, 1), (2.0, 0)]
    check.engine.load("wrong", types, people, check.folder / "wrong.parquet")
    path, _, _ = check.answer(check.statement(dialect, "wrong", ["-a", "sex", "-d", "d"]), "wrong")
    said = check.run("audit", "--tally", str(path), "-a", "sex", "-d", "d", status=(2,))
    assert "`sex`" in said and "cast" in said, said
    check.done += 1


def whole_floats(check, dialect):
    """Labels of 0.0 and 1.0 with NaN, as data frames have them, are read alike, and decimals keep their places."""
    types = [("sex", "text"), ("d", "double"), ("level", "real"), ("price", "decimal")]
    prices = [decimal.Decimal(p) for p in ("1.50", "0.00", "-7.25")]
    people = [("f", 1.0, 3.0), ("m", 0.0, -2.0), ("m", float("nan"), 3.0), ("f", None, float("nan"))] * 30
    people = [(*person, [*prices, None][at % 4 - at // 40]) for at, person in enumerate(people)]
    file = check.engine.load("floats", types, people, check.folder / "floats.parquet")
    flags = ["-a", "sex", "-a", "level", "-d", "d", "--favorable", "d=1", "--stratum", "price"]
    path, _, _ = check.answer(check.statement(dialect, "floats", flags), "floats")
    assert check.report("--tally", str(path), *flags) == check.report(str(file), *flags)
    check.done += 1


def conditioned():
    """Rows, and conditions that leave some of them out, each with its flags."""
    types = [("sex", "text"), ("d", "integer"), ("n", "double"), ("i", "integer"), ("te xt", "text"), ("day", "date")]
    texts = [" x", "x", "it's; --", "NA", None, "", "5", "\\", '"']
    numbers = [1.0, -1.0, 2.5, None, 1e300, 0.0, -999.0]
    days = [None, *(datetime.date(2024, 2, day) for day in range(1, 12))]
    people = [
        (["f", "m", None][at % 3], at // 3 % 2, numbers[at % 7], numbers[at % 5] and at % 11 - 5, texts[at % 9], days[at % 12])
        for at in range(600)
    ]
    conditions = [
        "n >= 0", "n != 1 and n < 3", "n in (1, 2.5, -999)", "n not in (0)", "n is missing", "n is not missing",
        "i <= -2", "i = 3 and n > -5", "i not in (1, 2, 3)", "\"te xt\" = 'x'", "\"te xt\" != 'x'", "\"te xt\" in ('it''s; --', '\\', '\"')",
        "\"te xt\" not in ('x', '5') and i >= 0", "\"te xt\" is missing", "\"te xt\" is not null", "day > '2024-02-05'",
        "day <= '2024-02-05' and day >= '2024-02-02'", "day = '2024-02-07'", "day is missing and sex is not missing",
    ]
    missing = lambda condition: [] if "-999" in condition else ["--missing=-999"]
    return types, people, [(c, ["-a", "sex", "-d", "d", *missing(c), "--where", c]) for c in conditions]


def incomparable():
    """Rows, and conditions that they have to be refused for, each with its flags."""
    types, people = [("sex", "text"), ("d", "integer"), ("v", "text")], [("f", 1, "1"), ("m", 0, "2"), ("f", 0, "x")]
    conditions = ("v >= 1", "v < '2024-01-01'", "sex = 'm' and v >= 1")
    return types, people, [(c, ["-a", "sex", "-d", "d", "--where", c]) for c in conditions]


def filtered(check, dialect):
    """Rows that a condition leaves out are left out alike; only how many they were is not known of counts."""
    types, people, conditions = conditioned()
    table = "filtered"
    file = check.engine.load(table, types, people, check.folder / "filtered.parquet")
    for condition, flags in conditions:
        path, _, _ = check.answer(check.statement(dialect, table, flags), "filtered")
        (local, digest), (counted, counted_digest) = check.report(str(file), *flags), check.report("--tally", str(path), *flags)
        assert digest == counted_digest, f"{condition}: the tallies differ"
        left_out = local["data"]["filter"].pop("rows_left_out")
        assert left_out == len(people) - local["data"]["rows"] > 0, condition
        assert counted["data"]["filter"].pop("rows_left_out") is None, condition
        for report in local, counted:
            for model in report["models"]:
                assert "filter" in model["notes"].pop(0)
        assert local == counted, f"{condition}: the reports differ"
    types, people, conditions = incomparable()
    for condition, flags in conditions:
        check.refused(condition, types, people, flags, "`v`", dialect)
    check.done += 1


def main(name, tool):
    with tempfile.TemporaryDirectory() as folder, engines.open(name, folder) as engine:
        check = Check(engine, str(pathlib.Path(tool).resolve()), folder)
        people = rows.people()
        check.same("typed", people, rows.COLUMNS, name)
        texts = [(column, "text") for column, _ in rows.COLUMNS]
        check.same("texts", rows.as_text(people), texts, name)
        for wrong in wrongs():
            check.refused(*wrong, name)
        only_counted(check, name)
        whole_floats(check, name)
        filtered(check, name)
        engine.more(check)
        print(f"{name}: {check.done} checks hold")


if __name__ == "__main__":
    main(*sys.argv[1:])
