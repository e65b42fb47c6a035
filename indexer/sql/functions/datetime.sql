-- A datetime as clients write it -> DateTime64(3) (UTC), NULL where it is none. The form is the lexicon's, RFC 3339 and ISO 8601 at once, and a
-- little more: t, z or a space for T, any number of digits behind the seconds (cut after three), a zone without colon, no zone (then UTC), a
-- day alone (its first moment). Everything else is NULL: words, "12:30" and "2", which parseDateTime64BestEffort reads as this year's, unix
-- seconds, JavaScript's Date text, 24:00, a 60th second. So is what is not in the years 1 to 9999 in UTC: readers in Python have no others.
CREATE OR REPLACE FUNCTION atsiteDatetime AS (text) -> if(
    match(text, concat(
        '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])',
        '([Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])?)?$'))
    AND text >= '0001'
    AND atsiteParsedDatetime(text) BETWEEN toDateTime64('0001-01-01 00:00:00.000', 3, 'UTC') AND toDateTime64('9999-12-31 23:59:59.999', 3, 'UTC'),
    atsiteParsedDatetime(text),
    NULL)
