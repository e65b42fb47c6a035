-- The units of a text (atsiteTextUnits) as phrases are looked for. A text in ASCII, as most are in English, needs no folding beyond its case: a phrase of
-- common words is compared with very many texts, and this takes a fifth of the time.
CREATE OR REPLACE FUNCTION atsitePhraseText AS (text) -> if(
    isValidASCII(text),
    concat(' ', arrayStringConcat(tokens(lower(text)), ' '), ' '),
    atsiteTextUnits(atsiteSearchText(text)))
