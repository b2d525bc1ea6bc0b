"""Groups one RestApi file with DuckDB, on one thread: contender.py FILE."""

import json
import sys
import time

import duckdb

began = time.monotonic()
connection = duckdb.connect()
connection.execute("SET threads = 1")
# Columns are text, as they are in the file; what a row of text looks like is said and need not be guessed.
rows, groups, records = connection.execute(
    """
    SELECT sum(rows)::BIGINT, count(*), sum(records)::BIGINT
    FROM (
        SELECT count(*) AS rows, sum(TRY_CAST(ROWS_PROCESSED AS BIGINT)) AS records
        FROM read_csv(?, header = true, all_varchar = true, delim = ',', quote = '"', escape = '"')
        GROUP BY coalesce(USER_ID, ''), coalesce(ENTITY_NAME, ''), coalesce(CLIENT_NAME, '')
    )
    """,
    [sys.argv[1]],
).fetchone()
answer = {"rows": rows, "groups": groups, "records": records}
print(json.dumps({"seconds": time.monotonic() - began, "work": "grouped", **answer}))
