"""Writes polars.arrow: an Arrow file as Polars writes it, which differs from those of Arrow's own libraries.

    pip install polars==2.1.0 && python tests/data/polars_ipc.py

The rows are those of `text` in tests/source_ipc.rs.
"""

from pathlib import Path

import polars as pl

ROWS = range(80)
SEXES = ["f", "m", None, "x"]

frame = pl.DataFrame(
    {
        "region": [f"r{i * i % 5}" for i in ROWS],
        "sex": [SEXES[i * i % 7 % 4] for i in ROWS],
        "offer": [None if i % 17 == 2 else i * 5 % 4 % 2 for i in ROWS],
        "paid": [None if i % 13 == 5 else i % 3 == 0 for i in ROWS],
        "score": [None if i % 19 == 4 else i * 31 % 64 / 64 for i in ROWS],
    }
)
frame = frame.with_columns(
    pl.col("sex").cast(pl.Categorical),
    pl.col("region").cast(pl.Enum([f"r{i}" for i in range(5)])),
)
frame.write_ipc(Path(__file__).with_name("polars.arrow"), compression="zstd", record_batch_size=40)
