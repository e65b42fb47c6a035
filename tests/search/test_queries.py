"""The statements of search read little: the engine's own plan says so."""

from __future__ import annotations

ROWS = 100_000

# Far enough from now that a rkey range matters, and a different author for every 50 rows.
FILL = """
INSERT INTO posts (rkey, did, text, langs, created_at, time_us, version)
WITH {start:UInt64} + number * 1000000 AS moment
SELECT atsiteMicrosToTid(moment), concat('did:plc:author', toString(intDiv(number, 50))), concat('hello w', toString(number), ' 今日は'),
       ['en'], fromUnixTimestamp64Milli(toInt64(intDiv(moment, 1000)), 'UTC'), moment, bitShiftLeft(moment, 10)
FROM numbers({rows:UInt64})
"""
