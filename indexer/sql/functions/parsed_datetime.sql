-- The moment of a text that is known to have the form of a datetime: see atsiteDatetime, which asks for that first.
-- parseDateTime64BestEffort knows no lower-case letters and no more than 19 digits behind the seconds.
CREATE OR REPLACE FUNCTION atsiteParsedDatetime AS (text) -> parseDateTime64BestEffortOrNull(
    if(match(text, '[tz]|[.][0-9]{10}'), replaceRegexpOne(upper(text), '([.][0-9]{3})[0-9]+', '\\1'), text), 3, 'UTC')
