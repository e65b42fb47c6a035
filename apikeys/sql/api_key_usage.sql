-- Accepted calls by key and hour. `counter` names one life of the count in Redis, which may be lost with it: what one
-- counted stays when the next begins at 0. Within one, `uses` only grows, so it is its own version, and writing the
-- same count again changes nothing. Sum over counters.
CREATE TABLE IF NOT EXISTS api_key_usage
(
    key_id       String,
    hour         DateTime('UTC'),
    counter      String,
    uses         UInt64,
    last_used_at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(uses)
ORDER BY (key_id, hour, counter)
TTL hour + INTERVAL 400 DAY
