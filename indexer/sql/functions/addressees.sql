-- The accounts that a post is written to: those it mentions, and the author of the post that it replies to. The expression of an index of posts.
CREATE OR REPLACE FUNCTION atsiteAddressees AS (mentions, parent_uri) -> arrayFilter(
    did -> did != '', arrayConcat(mentions, [extract(parent_uri, '^at://([^/]+)/')]))
