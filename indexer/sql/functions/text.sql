-- As atsiteListedText, of a field of the record `json` itself.
CREATE OR REPLACE FUNCTION atsiteText AS (value, type, json) -> if(
    match(value, '^[-{[tf0-9]') AND (type != 'String' OR atsiteIsLongNumber(value, json)), '', value)
