-- A text out of JSON; '' where JSON has something else there. JSONExtract gives a number, true, an object or a list as its JSON.
-- value: JSONExtractString of a path; type: JSONType of the same path, which is asked only where the value looks like such JSON.
CREATE OR REPLACE FUNCTION atsiteListedText AS (value, type) -> if(match(value, '^[-{[tf0-9]') AND type != 'String', '', value)
