"""What a row costs, in seconds of a core: the statement in DuckDB and Spark, and of the tool's own reader.

Ten million rows in eight Parquet files: two attributes of text, one of whole numbers cut into three bands, a label and a
decision, 3,360 kinds of rows; then with a weight, and with a score of 1,000 values. Seconds of cores are told, which other
programs on the machine change less than the clock.
"""

import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import duckdb

ROWS, FILES = 10_000_000, 8
FLAGS = ["-a", "sex", "-a", "age:<=25,26-40,>40", "-a", "region", "--label", "responded", "-d", "targeted"]
SHAPES = {"plain": [], "weighted": ["-w", "w"], "scored": ["-s", "score"]}


def write(folder):
    files = duckdb.connect()
    files.execute("SET threads = 2")
    each = ROWS // FILES
    for at in range(FILES):
        files.execute(
            f"""COPY (SELECT ['f', 'm', 'x'][1 + (hash(i) % 3)::INT] AS sex, (18 + hash(i + 1) % 70)::INT AS age,
            ['north', 'south', 'east', 'west'][1 + (hash(i + 2) % 4)::INT] AS region, (hash(i + 3) % 2)::INT AS responded,
            (hash(i + 4) % 5 = 0)::INT AS targeted, ((hash(i + 5) % 1000) / 1000)::DOUBLE AS score,
            (1 + (hash(i + 6) % 8) / 4)::DOUBLE AS w FROM range({at * each}, {(at + 1) * each}) t(i))
            TO '{folder / f"part-{at}.parquet"}' (FORMAT parquet)"""
        )


def told(name, shape, seconds, answer=""):
    print(f"{name:<28} {shape:<9} {seconds:6.2f} s of a core  {ROWS / seconds / 1e6:6.2f} million rows/s  {answer}", flush=True)


def own(usage):
    used = resource.getrusage(usage)
    return used.ru_utime + used.ru_stime


def in_duckdb(folder, statements):
    engine = duckdb.connect()
    engine.execute("SET threads = 2")
    engine.execute(f"CREATE VIEW customers AS SELECT * FROM '{folder}/*.parquet'")
    statements = {"bare": "SELECT sex, age, region, responded, targeted, count(*) FROM customers GROUP BY ALL", **statements}
    for shape, statement in statements.items():
        before = own(resource.RUSAGE_SELF)
        answer = engine.execute(statement).fetchall()
        told("duckdb", shape, own(resource.RUSAGE_SELF) - before, f"{len(answer)} cells")


def in_tool(tool, folder):
    files = sorted(map(str, folder.glob("*.parquet")))
    for shape, flags in SHAPES.items():
        before = own(resource.RUSAGE_CHILDREN)
        audit = [tool, "audit", *files, *FLAGS, *flags, "--format", "json", "--order", "1", "--replicates", "10"]
        done = subprocess.run(audit, capture_output=True)
        assert done.returncode in (0, 1, 3), done.stderr
        told("evenhand audit, whole", shape, own(resource.RUSAGE_CHILDREN) - before)


def in_spark(folder, statements, place):
    import spark

    def used(groups):
        total = 0
        for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            total += (int(fields[11]) + int(fields[12])) / 100 if int(fields[2]) in groups else 0
        return total

    with spark.serve(place) as engine:
        groups = {worker.pid for worker in engine.workers}
        engine.session.sql(f"CREATE OR REPLACE TEMPORARY VIEW customers USING parquet OPTIONS (path '{folder}')")
        for shape, statement in statements.items():
            # The first run compiles.
            for run in ("first", "again"):
                before, clock = used(groups), time.monotonic()
                _, answer = engine.run(statement)
                clock = time.monotonic() - clock
                told(f"spark, two workers, {run}", shape, used(groups) - before, f"{len(answer)} cells, {clock:.1f} s by the clock")


def main(tool):
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        folder = place / "rows"
        folder.mkdir()
        write(folder)

        def statements(dialect):
            ask = [tool, "sql", "--dialect", dialect, "--table", "customers", *FLAGS]
            return {s: subprocess.check_output([*ask, *flags], text=True) for s, flags in SHAPES.items()}

        in_duckdb(folder, statements("duckdb"))
        in_tool(tool, folder)
        in_spark(folder, statements("spark"), place)


if __name__ == "__main__":
    main(*sys.argv[1:])
