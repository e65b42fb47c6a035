-- A list of texts out of JSON; what is something else in it is ''. values: JSONExtract(…, 'Array(String)'); raws: JSONExtractArrayRaw of the same
-- path, which is asked only where a value looks like JSON that is no text.
CREATE OR REPLACE FUNCTION atsiteTexts AS (values, raws) -> if(
    arrayExists(value -> match(value, '^[-{[tf0-9]'), values),
    arrayMap(raw -> if(JSONType(raw) = 'String', JSONExtractString(raw), ''), raws),
    values)
