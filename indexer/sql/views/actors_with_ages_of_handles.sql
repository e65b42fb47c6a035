-- What is known of an actor; active is NULL where no account event was seen (then it is active). UNION ALL and GROUP BY, not a FULL JOIN: a filter
-- on did is pushed into all branches.
-- Handle and display name: the youngest word counts. A filled one is as old as an hour before it was asked for, because an AppView may lag: so
-- it never beats an event of the stream that is younger than what the AppView can have known. (Versions of profiles are TIDs: 1024 to the µs.)
-- A filled handle may be younger than that: it answers an event that named none (actor_fills.handle_us).
-- handle_us: how old the word about the handle is. unverified: the youngest word is that the handle could not be verified; then it is empty.
-- Whether another actor took the handle since, this view cannot say: indexer.index.handles does.
CREATE OR REPLACE VIEW actors AS
SELECT
    did,
    if(unverified, '', told_handle) AS handle,
    active,
    status,
    display_name,
    description,
    avatar,
    handle_us,
    unverified
FROM
(
    SELECT
        did,
        lower(argMaxIf(known_handle, known_us, known_handle != '')) AS told_handle,
        max(known_active) AS active,
        max(known_status) AS status,
        argMaxIf(known_display_name, name_us, name_us > 0) AS display_name,
        max(known_description) AS description,
        max(known_avatar) AS avatar,
        maxIf(known_us, known_handle != '') AS handle_us,
        toUInt8(told_handle = 'handle.invalid') AS unverified
    FROM
    (
        SELECT did, handle AS known_handle, version AS known_us, NULL AS known_active, '' AS known_status,
               '' AS known_display_name, 0::UInt64 AS name_us, '' AS known_description, '' AS known_avatar
        FROM actor_identities FINAL
        UNION ALL
        SELECT did, handle, handle_us, NULL, '', display_name, toUInt64(version - 3600000000), '', ''
        FROM actor_fills FINAL
        WHERE handle != '' OR display_name != ''
        UNION ALL
        SELECT did, '', 0::UInt64, active, status::String, '', 0::UInt64, '', ''
        FROM actor_accounts FINAL
        UNION ALL
        SELECT did, '', 0::UInt64, NULL, '', display_name, intDiv(version, 1024), description, avatar
        FROM actor_profiles FINAL
    )
    GROUP BY did
)
