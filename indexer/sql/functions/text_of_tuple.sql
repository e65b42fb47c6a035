-- As atsiteText, of a value in a Tuple that one JSONExtract gave: there a list in the place of an object fills the object's fields by position, so
-- that any value that is not empty may be wrong.
CREATE OR REPLACE FUNCTION atsiteTextOfTuple AS (value, type, json) -> if(
    value = '' OR (type = 'String' AND NOT atsiteIsLongNumber(value, json)), value, '')
