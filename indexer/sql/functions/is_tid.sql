-- Whether a text is a TID (https://atproto.com/specs/tid). Ask this first: what is no TID decodes to nonsense, but never throws.
CREATE OR REPLACE FUNCTION atsiteIsTid AS (text) -> match(text, '^[2-7a-j][2-7a-z]{12}$')
