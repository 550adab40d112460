"""Twenty million rows in eight files, for a cluster to count. See `spark.py`."""

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
