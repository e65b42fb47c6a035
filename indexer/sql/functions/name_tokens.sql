-- The tokens of the words of a display name, or of a handle: words themselves; of a run without spaces, what begins at each of its characters.
CREATE OR REPLACE FUNCTION atsiteNameTokens AS words -> arrayDistinct(arrayConcat(
    arrayFilter(word -> word != '' AND empty(atsiteUnspacedRuns(word)), splitByChar(' ', words)),
    arrayFlatten(arrayMap(
        run -> arrayMap(start -> substringUTF8(run, start, 32), range(1, lengthUTF8(run) + 1)),
        atsiteUnspacedRuns(words)))))
