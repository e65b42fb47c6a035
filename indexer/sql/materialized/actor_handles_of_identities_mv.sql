CREATE MATERIALIZED VIEW IF NOT EXISTS actor_handles_of_identities_mv TO actor_handles AS
SELECT lower(handle) AS handle, did, version
FROM actor_identities
WHERE handle != ''
