-- The score of a post, as Hacker News once ranked: likes less the author's own, falling with age.
--   1.8  gravity: a post of 26 hours needs 47 times the likes of a new one
--   2    hours added to the age, so that the first likes of a new post do not carry it to the top
CREATE OR REPLACE FUNCTION atsiteHotScore AS (likes, age_hours) -> (toFloat64(likes) - 1) / pow(age_hours + 2, 1.8)
