"""Twenty million rows in eight files, counted by DataFusion in process or by a Ballista cluster. See `run`."""

import json
import pathlib
import subprocess
import sys
import tempfile

import rows
from engines import DuckDb

FILES = 8
TIMES = 1000


def write(folder, times):
    """The rows of `rows.people`, so many times, in files that hold different ones."""
    engine = DuckDb()
    engine.write(rows.COLUMNS, rows.people(), folder.parent / "people.parquet")
    for at in range(FILES):
        some = f"SELECT * EXCLUDE (place) FROM (SELECT *, row_number() OVER () AS place FROM rows) WHERE place % {FILES} = {at}"
        many = f"SELECT s.* FROM ({some}) AS s, range({times})"
        engine.files.execute(f"COPY ({many}) TO '{folder / f'part-{at}.parquet'}' (FORMAT parquet)")


def columns():
    """What `rows.flags` asks, as the library reads it."""
    flags = rows.flags()
    given = {}
    for at, flag in enumerate(flags):
        if flag.startswith("--") and "=" not in flag:
            given.setdefault(flag[2:], []).append(flags[at + 1])
    return {
        "attributes": given["attribute"],
        "strata": given["stratum"],
        "label": rows.LABEL,
        "favorable": {rows.LABEL: [rows.FAVORABLE]},
        "decisions": given["decision"],
        "scores": given["score"],
        "segments": [{"column": rows.TIER, "earlier": rows.BEFORE}],
        "weight": rows.WEIGHT,
        "missing": sorted(rows.MISSING),
    }


def main(engine, tool, program):
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        folder = place / "rows"
        folder.mkdir()
        write(folder, TIMES)
        count(engine, tool, program, folder, place, rows.flags(), columns(), TIMES * len(rows.people()))


def count(engine, tool, program, folder, place, flags, asked, expected):
    """The files counted by the tool, then by an engine, which must find the same."""
    files = sorted(map(str, folder.glob("*.parquet")))
    audit = [tool, "audit", *files, *flags, "--format", "json", "--replicates", "50", "--no-timestamp"]
    local = subprocess.run(audit, capture_output=True, text=True)
    assert local.returncode in (0, 1, 3), local.stderr
    report = json.loads(local.stdout)
    assert report["data"]["rows"] == expected, report["data"]
    question = place / "columns.json"
    question.write_text(json.dumps(asked))
    digest = report["provenance"]["tally_digest"]
    print(f"{expected} rows in {len(files)} files, digest {digest[:12]} by the tool", flush=True)
    subprocess.run([program, engine, str(folder), str(question), digest], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
