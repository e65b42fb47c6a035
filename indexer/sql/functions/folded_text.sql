-- A text as search compares it: NFKC and case folding (Unicode's NFKC_Casefold, which also removes what is not seen and does not separate: zero-width
-- joiners, soft hyphens, marks of direction, variation selectors). Before that, what NFKC would glue to the word beside it becomes a space: the
-- zero-width space, the Hangul fillers, ™ and ℠; numbers in circles, fractions, №, ℡ and ℃ get spaces around them ("①First" is 1 and first).
-- The Turkish İ folds to i with a dot above; the dot goes, so that "istanbul" finds it. toValidUTF8: the normalization throws on anything else.
CREATE OR REPLACE FUNCTION atsiteFoldedText AS (text) -> replaceAll(
    normalizeUTF8NFKCCasefold(toValidUTF8(replaceRegexpAll(
        text, '[\\x{200B}\\x{3164}\\x{FFA0}™℠]|([¼-¾⅐-⅟↉①-⑳⓪-➓㉑-㉟㊱-㊿№℡℃℉])', ' \\1 '))),
    'i̇', 'i')
