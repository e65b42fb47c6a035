-- What is known of an actor; active is NULL where no account event was seen (then it is active). UNION ALL and GROUP BY, not a FULL JOIN: a filter
-- on did is pushed into all three branches.
CREATE VIEW IF NOT EXISTS actors AS
SELECT
    did,
    max(known_handle) AS handle,
    max(known_active) AS active,
    max(known_status) AS status,
    max(known_display_name) AS display_name,
    max(known_description) AS description,
    max(known_avatar) AS avatar
FROM
(
    SELECT did, handle AS known_handle, NULL AS known_active, '' AS known_status,
           '' AS known_display_name, '' AS known_description, '' AS known_avatar
    FROM actor_identities FINAL
    UNION ALL
    SELECT did, '', active, status::String, '', '', ''
    FROM actor_accounts FINAL
    UNION ALL
    SELECT did, '', NULL, '', display_name, description, avatar
    FROM actor_profiles FINAL
    WHERE deleted = 0
)
GROUP BY did
