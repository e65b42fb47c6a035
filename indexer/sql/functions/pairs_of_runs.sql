-- The pairs of neighbours in runs of unspaced scripts: 東京都 -> 東京, 京都. A run of one character has none.
CREATE OR REPLACE FUNCTION atsitePairsOfRuns AS (runs) -> arrayFlatten(arrayMap(run -> ngrams(run, 2), runs))
