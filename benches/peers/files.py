"""Times the counting of files by DuckDB and Polars beside `evenhand audit`, on the same rows in the same run.

    python3 benches/peers/files.py [rows, 10 million if not given]

makes a virtual environment in target/peers-files, the same rows as Parquet and CSV beside it, and the release binary (unless
EVENHAND names one); asks each for the rows by three attributes (60 groups), label and decision; and prints one table. Every
run is a process of its own; the runs of all are interleaved, and the least seconds of each count, for others may use the
machine too. The seconds of DuckDB and Polars are those of the query alone, those of evenhand are of whole processes: of one
that only counts (which reads and hashes the file), and of the command that audits: every rate and disparity to order 3 with
its interval of 1,000 replicates, and the report as text or as JSON. So it is with the processor's seconds, of all threads,
which say more than the clock's where others use the machine too. Memory is the peak of the process. All answers are compared
with each other; what takes memory is done in processes of its own, since a child begins with the memory of its parent.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from bench import ROOT, enter

PLACE = ROOT / "target" / "peers-files"
NEEDS = ["duckdb==2.0.1", "polars==2.1.0"]
RUNS = int(os.environ.get("RUNS", 5))
TOOL = Path(os.environ.get("EVENHAND", ROOT / "target" / "release" / "evenhand")).absolute()
ATTRIBUTES = ["sex", "age", "region"]
THREADS = len(os.sched_getaffinity(0))

# Values without order, as the keys of customers have.
ROWS = """
select i as customer_id,
    case when hash(i * 7) % 2 = 0 then 'female' else 'male' end as sex,
    ['18-25', '26-35', '36-45', '46-55', '56-65', 'over 65'][1 + (hash(i * 11) % 6)::int] as age,
    ['north', 'south', 'east', 'west', 'centre'][1 + (hash(i * 13) % 5)::int] as region,
    (hash(i * 17) % 3 = 0)::int as responded,
    (hash(i * 19) % 4 = 0)::int as targeted,
    (hash(i * 23) % 1000000) / 1000000.0::double as propensity,
    (hash(i * 29) % 100000) / 100.0::double as spend
from range({rows}) as t(i)
"""


def paths(rows):
    return {"Parquet": PLACE / f"rows-{rows}.parquet", "CSV": PLACE / f"rows-{rows}.csv"}


def make(rows):
    """The files, made if they are not there: Parquet with dictionaries in groups of a million rows, and plain CSV."""
    import duckdb

    options = {"Parquet": "format parquet, compression zstd, row_group_size 1000000", "CSV": "format csv, header"}
    for kind, path in paths(rows).items():
        if not path.exists():
            partial = path.with_suffix(".partial")
            duckdb.execute(f"copy ({ROWS.format(rows=rows)}) to '{partial}' ({options[kind]})")
            partial.rename(path)


def times(since=(0, 0)):
    """The seconds of the clock and of the processor, less those before."""
    return time.perf_counter() - since[0], time.process_time() - since[1]


def duckdb_counts(path):
    """The seconds of the query, and the groups' rows."""
    import duckdb

    duckdb.execute(f"set threads = {THREADS}")
    keys = ", ".join([*ATTRIBUTES, "responded", "targeted"])
    start = times()
    found = duckdb.execute(f"select {keys}, count(*) from '{path}' group by all").fetchall()
    return times(start), [(row[:-1], row[-1]) for row in found]


def polars_counts(path):
    """As for DuckDB, by the streaming engine, which is the faster one."""
    import polars as pl

    start = times()
    frame = pl.scan_parquet(path) if path.endswith(".parquet") else pl.scan_csv(path)
    keys = [*ATTRIBUTES, "responded", "targeted"]
    found = frame.group_by(keys).len().collect(engine="streaming").rows()
    return times(start), [(row[:-1], row[-1]) for row in found]


def ask(engine, path):
    """The child's side: prints what was found."""
    seconds, found = {"duckdb": duckdb_counts, "polars": polars_counts}[engine](path)
    groups = {}
    for key, rows in found:
        name = key[: len(ATTRIBUTES)]
        selected = groups.setdefault(name, [0, 0])
        selected[0] += rows
        selected[1] += rows * key[-1]
    print(json.dumps({"seconds": seconds, "answer": digest(groups)}))


def digest(groups):
    """One text for the rows and the selected of every group."""
    import hashlib

    lines = sorted(f"{','.join(name)}:{rows}:{selected}" for name, (rows, selected) in groups.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def measured(command, **options):
    """Runs a process: its status and output, its seconds by the clock and the processor, its peak memory in megabytes."""
    with tempfile.TemporaryFile() as place:
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=place, **options)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        place.seek(0)
        output = place.read()
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, output, (seconds, usage.ru_utime + usage.ru_stime), usage.ru_maxrss / 1024


def engine(name):
    def run(path):
        status, output, _, memory = measured([sys.executable, __file__, "--ask", name, str(path)])
        if status != 0:
            sys.exit(f"{name} failed")
        answer = json.loads(output)
        return answer["seconds"], memory, answer["answer"]

    return run


def counting():
    """A process that does nothing but the library's counting."""
    build = ["cargo", "bench", "--features", "cli", "--bench", "files", "--no-run", "--message-format", "json"]
    lines = subprocess.run(build, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    built = [json.loads(line) for line in lines]
    program = next(b["executable"] for b in built if b.get("executable") and b["target"]["name"] == "files")

    def run(path):
        status, _, seconds, memory = measured([program, "--count", path])
        if status != 0:
            sys.exit("the counting failed")
        return seconds, memory, None

    return run


def audited(path, form):
    attributes = [word for name in ATTRIBUTES for word in ("--attribute", name)]
    command = [TOOL, "audit", path, *attributes, "--label", "responded", "--decision", "targeted", "--order", "3"]
    status, output, seconds, memory = measured([*command, "--format", form], stderr=subprocess.DEVNULL)
    if status == 2:
        sys.exit("evenhand failed")
    return output, seconds, memory


def text(path):
    _, seconds, memory = audited(path, "text")
    return seconds, memory, None


def audit(path):
    output, seconds, memory = audited(path, "json")
    answer = subprocess.run([sys.executable, __file__, "--reported"], input=output, check=True, stdout=subprocess.PIPE)
    return seconds, memory, answer.stdout.decode().strip()


def reported():
    """The child's side: prints what a report in JSON says of the groups."""
    groups = {}
    for table in json.load(sys.stdin)["models"][0]["tables"]:
        if table["attributes"] == ATTRIBUTES:
            for group in table["groups"]:
                rate = group["metrics"]["selection_rate"]["value"]
                groups[tuple(group["group"].split(" & "))] = [group["rows"], round(rate * group["rows"])]
    print(digest(groups))


def versions():
    said = subprocess.run([TOOL, "--version"], capture_output=True, text=True)
    own = said.stdout.split()[-1]
    return dict.fromkeys(["counting alone,", "audit as text,", "audit as JSON,"], own) | {
        "DuckDB": version("duckdb"),
        "Polars": version("polars"),
    }


def main(rows):
    if "EVENHAND" not in os.environ:
        build = ["cargo", "build", "--release", "--features", "cli", "--bin", "evenhand"]
        subprocess.run(build, cwd=ROOT, check=True)
    subprocess.run([sys.executable, __file__, "--make", str(rows)], check=True)
    files = paths(rows)
    own = {"counting alone,": counting(), "audit as text,": text, "audit as JSON,": audit}
    sides = own | {"DuckDB": engine("duckdb"), "Polars": engine("polars")}
    runs = {(kind, side): [] for kind in files for side in sides}
    for _ in range(RUNS):
        for kind, path in files.items():
            for side, run in sides.items():
                runs[kind, side].append(run(path))
    for kind in files:
        answers = {answer for side in sides for _, _, answer in runs[kind, side] if answer is not None}
        if len(answers) != 1:
            sys.exit(f"the answers to the {kind} file differ")
    known = versions()
    load = os.getloadavg()[0]
    print(f"{rows:,} rows, {THREADS} threads, least of {RUNS} runs, load {load:.1f} at the end")
    print(f"{'file':8} {'':21} {'seconds':>8} {'ratio':>6} {'processor':>10} {'ratio':>6} {'MB peak':>8}")
    for kind in files:
        least = {side: [min(run[0][at] for run in runs[kind, side]) for at in range(2)] for side in sides}
        faster = [min(least[side][at] for side in ("DuckDB", "Polars")) for at in range(2)]
        for side in sides:
            memory = max(memory for _, memory, _ in runs[kind, side])
            (clock, cpu), name = least[side], f"{side} {known[side]}"
            ratios = [clock / faster[0], cpu / faster[1]]
            print(f"{kind:8} {name:21} {clock:8.3f} {ratios[0]:6.2f} {cpu:10.3f} {ratios[1]:6.2f} {memory:8.0f}")


if __name__ == "__main__":
    if "--ask" in sys.argv:
        ask(*sys.argv[2:])
    elif "--reported" in sys.argv:
        reported()
    elif "--make" in sys.argv:
        make(int(sys.argv[2]))
    elif "--inside" in sys.argv:
        main(int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000)
    else:
        enter("peers-files", NEEDS)
