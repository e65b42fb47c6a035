-- Published copy of the labels that people gave to actors; the relational row decides. (label, did): a feed asks for the members of one label.
-- time_us: the version, issued by the relational store.
CREATE TABLE IF NOT EXISTS actor_labels
(
    label      LowCardinality(String),
    did        String,
    note       String,
    created_by String,
    created_at DateTime64(6, 'UTC'),
    time_us    UInt64,
    deleted    UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(time_us)
ORDER BY (label, did)
