-- The most followed actors of each beginning that so many tokens share that a search reads only the first of them in people_tokens. Computed by a task.
CREATE TABLE IF NOT EXISTS people_popular
(
    prefix      String,
    dids        Array(String),
    followers   Array(UInt64),
    computed_at DateTime('UTC')
)
ENGINE = ReplacingMergeTree(computed_at)
ORDER BY prefix
TTL computed_at + toIntervalDay(1)
