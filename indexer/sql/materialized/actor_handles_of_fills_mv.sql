CREATE MATERIALIZED VIEW IF NOT EXISTS actor_handles_of_fills_mv TO actor_handles AS
SELECT lower(handle) AS handle, did, version
FROM actor_fills
WHERE handle != ''
