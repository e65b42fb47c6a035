-- The smallest TID of a moment in unix microseconds (clock id 0): the way back of atsiteTidToMicros. base32Encode works on whole bytes:
-- 2 zero bytes and 8 make 16 characters, of which the last 13 are the TID. Constant for a constant, so `rkey >= atsiteMicrosToTid(…)`
-- prunes the primary key. reinterpretAsFixedString, as reinterpretAsString drops trailing zero bytes.
CREATE OR REPLACE FUNCTION atsiteMicrosToTid AS (micros) -> translate(
    substring(base32Encode(concat('\0\0', reverse(reinterpretAsFixedString(bitShiftLeft(toUInt64(micros), 10))))), 4),
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', '234567abcdefghijklmnopqrstuvwxyz')
