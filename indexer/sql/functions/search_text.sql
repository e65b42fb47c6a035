-- A text as words are searched for: folded, and Latin and Greek letters without accents, so that "cafe" finds "café" and "ΑΘΗΝΑ" finds "Αθήνα".
-- Others keep their marks: Cyrillic й is not и, and vowel signs of Indic scripts are marks, too. Only a text with an accented letter or a mark is
-- taken apart and put together again (docs/decisions/0099-accents.md).
CREATE OR REPLACE FUNCTION atsiteSearchText AS (text) -> if(
    match(atsiteFoldedText(text), '[\\x{DF}-\\x{24F}\\x{300}-\\x{3FF}\\x{1E00}-\\x{1FFF}]'),
    normalizeUTF8NFC(replaceRegexpAll(normalizeUTF8NFD(atsiteFoldedText(text)), '([a-z\\p{Greek}])[\\x{300}-\\x{36F}]+', '\\1')),
    atsiteFoldedText(text))
