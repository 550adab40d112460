"""Twenty million rows in eight files, for a cluster to count. See `spark.py` and `frames.py`."""

import rows
from engines import DuckDb, quoted

FILES = 8
TIMES = 1000
# Weights that no power of two divides, so that sums of them depend on their order.
ROUGH = "rough"


def write(folder, times):
    """The rows of `rows.people`, so many times, in files that hold different ones."""
    engine = DuckDb()
    engine.write(rows.COLUMNS, rows.people(), folder.parent / "people.parquet")
    for at in range(FILES):
        some = f"SELECT * EXCLUDE (place) FROM (SELECT *, row_number() OVER () AS place FROM rows) WHERE place % {FILES} = {at}"
        rough = f"{quoted(rows.WEIGHT)} / 3 + 0.1 AS {ROUGH}"
        many = f"SELECT s.*, {rough} FROM ({some}) AS s, range({times})"
        engine.files.execute(f"COPY ({many}) TO '{folder / f'part-{at}.parquet'}' (FORMAT parquet)")
