-- Whether a value that JSONExtract gave as a text is a whole number of 20 digits or more, which no integer holds: JSONType and JSONExtractRaw call
-- it a text as well, so that the JSON is asked whether the digits stand in quotes there. Not for elements of a list: a lambda copies the JSON for
-- each of them, and 10,000 tags become gigabytes. There such a number stays a text.
CREATE OR REPLACE FUNCTION atsiteIsLongNumber AS (value, json) ->
    match(value, '^-?[0-9]{20,}$') AND position(json, concat('"', value, '"')) = 0
