-- Unix microseconds of a TID: 13 characters are 65 bits, 'AAA' before them makes whole bytes of them, the last 8 bytes are the integer,
-- and its low 10 bits are the clock id. reverse, because reinterpretAsUInt64 reads little-endian.
CREATE OR REPLACE FUNCTION atsiteTidToMicros AS (tid) -> intDiv(
    reinterpretAsUInt64(reverse(tryBase32Decode(concat(
        'AAA', translate(tid, '234567abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'))))),
    1024)
