"""Groups one RestApi file with Polars: contender.py FILE. One thread, by POLARS_MAX_THREADS=1."""

import json
import sys
import time

import polars

if polars.thread_pool_size() != 1:
    sys.exit("Polars would read on several threads: set POLARS_MAX_THREADS=1")
began = time.monotonic()
column = polars.col
grouped = (
    # Columns are text, as they are in the file; Polars reads only those that are asked for.
    polars.scan_csv(sys.argv[1], infer_schema=False, empty_string_is_null=False)
    .group_by("USER_ID", "ENTITY_NAME", "CLIENT_NAME")
    .agg(
        polars.len().alias("rows"),
        column("ROWS_PROCESSED").cast(polars.Int64, strict=False).sum().alias("records"),
    )
    .select(
        polars.len().alias("groups"),
        column("rows").cast(polars.Int64).sum(),
        column("records").sum(),
    )
    .collect(engine="streaming")
    .row(0, named=True)
)
print(json.dumps({"seconds": time.monotonic() - began, "work": "grouped", **grouped}))
