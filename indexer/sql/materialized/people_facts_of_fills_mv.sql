-- A filled name counts as an hour older than the request (docs/decisions/0041-age-of-a-filled-name.md), a handle as old as handle_us says.
CREATE MATERIALIZED VIEW IF NOT EXISTS people_facts_of_fills_mv TO people_facts AS
SELECT
    did,
    tupleElement(told, 1) AS fact,
    tupleElement(told, 2) AS value,
    multiIf(fact = 'name', arrayStringConcat(atsiteNameWords(value), ' '), value != 'handle.invalid', value, '') AS words,
    bitShiftLeft(tupleElement(told, 3), 10) AS version
FROM
(
    SELECT did, arrayJoin([('handle', lower(handle), handle_us), ('name', display_name, toUInt64(version - 3600000000))]) AS told
    FROM actor_fills
    WHERE handle != '' OR display_name != ''
)
WHERE fact = 'name' OR value != ''
