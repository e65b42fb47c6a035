-- Whether a record key tells a time that can be believed: a TID, and at most 2 minutes (clocks differ) ahead of its commit's rev.
-- `version` is the 63-bit integer of that rev. For likes and reposts this is all of eligibility; posts have one condition more.
CREATE OR REPLACE FUNCTION atsiteIsEligibleTid AS (rkey, version) ->
    atsiteIsTid(rkey) AND atsiteTidToMicros(rkey) <= intDiv(version, 1024) + 120000000
