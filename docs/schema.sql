-- The schema of both databases, written by `just migrate-dump-schema`; a test compares it with the migrations.
-- The reasons for each table are in the comments of indexer/sql, labels/sql, apikeys/sql and search/sql.

-- ClickHouse: functions

CREATE OR REPLACE FUNCTION atsiteAddressees AS (mentions, parent_uri) -> arrayFilter(did -> (did != ''), arrayConcat(mentions, [extract(parent_uri, '^at://([^/]+)/')]));

CREATE OR REPLACE FUNCTION atsiteDatetime AS text -> if(match(text, concat('^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])', '([Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])?)?$')) AND (text >= '0001') AND ((atsiteParsedDatetime(text) >= toDateTime64('0001-01-01 00:00:00.000', 3, 'UTC')) AND (atsiteParsedDatetime(text) <= toDateTime64('9999-12-31 23:59:59.999', 3, 'UTC'))), atsiteParsedDatetime(text), NULL);

CREATE OR REPLACE FUNCTION atsiteFoldedText AS text -> replaceAll(normalizeUTF8NFKCCasefold(toValidUTF8(replaceRegexpAll(text, '[\\x{200B}\\x{3164}\\x{FFA0}™℠]|([¼-¾⅐-⅟↉①-⑳⓪-➓㉑-㉟㊱-㊿№℡℃℉])', ' \\1 '))), 'i̇', 'i');

CREATE OR REPLACE FUNCTION atsiteHasLanguage AS (langs, language) -> arrayExists(named -> startsWith(concat(atsiteLanguage(named), '-'), concat(atsiteLanguage(language), '-')), langs);

CREATE OR REPLACE FUNCTION atsiteHotScore AS (likes, age_hours) -> ((toFloat64(likes) - 1) / pow(age_hours + 2, 1.8));

CREATE OR REPLACE FUNCTION atsiteIsEligibleTid AS (rkey, version) -> (atsiteIsTid(rkey) AND (atsiteTidToMicros(rkey) <= (intDiv(version, 1024) + 120000000)));

CREATE OR REPLACE FUNCTION atsiteIsLongNumber AS (value, json) -> (match(value, '^-?[0-9]{20,}$') AND (position(json, concat('"', value, '"')) = 0));

CREATE OR REPLACE FUNCTION atsiteIsTid AS text -> match(text, '^[2-7a-j][2-7a-z]{12}$');

CREATE OR REPLACE FUNCTION atsiteKeptWords AS folded -> replaceRegexpAll(replaceRegexpAll(folded, '[^\\x00-\\x7f\\p{L}\\p{N}\\p{Mn}\\p{Mc}\\p{So}]+\\p{Mn}*|[\\x00-/:-@\\[-`{-\\x7f]\\p{Mn}+|^\\p{Mn}+|[\\x{2B9}-\\x{2BF}\\x{2CA}\\x{2CB}\\x{A78C}]', ' '), '([\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30FC}\\p{Hangul}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]+)\\p{Mn}*', ' \\1 ');

CREATE OR REPLACE FUNCTION atsiteLanguage AS tag -> concat(transform(splitByChar('-', lower(replaceAll(tag, '_', '-')))[1], splitByWhitespace('\naar abk afr aka alb amh ara arg arm asm ava ave aym aze bak bam baq bel ben bis bod bos bre bul bur cat ces cha che chi chu chv cor cos cre\ncym cze dan deu div dut dzo ell eng epo est eus ewe fao fas fij fin fra fre fry ful geo ger gla gle glg glv gre grn guj hat hau heb her hin\nhmo hrv hun hye ibo ice ido iii iku ile in ina ind ipk isl ita iw jav ji jpn jw kal kan kas kat kau kaz khm kik kin kir kom kon kor kua kur\nlao lat lav lim lin lit ltz lub lug mac mah mal mao mar may mkd mlg mlt mo mon mri msa mya nau nav nbl nde ndo nep nld nno nob nor nya oci\noji ori orm oss pan per pli pol por pus que roh ron rum run rus sag san sin slk slo slv sme smo sna snd som sot spa sqi srd srp ssw sun swa\nswe tah tam tat tel tgk tgl tha tib tir ton tsn tso tuk tur twi uig ukr urd uzb ven vie vol wel wln wol xho yid yor zha zho zul'), splitByWhitespace('\naa ab af ak sq am ar an hy as av ae ay az ba bm eu be bn bi bo bs br bg my ca cs ch ce zh cu cv kw co cr cy cs da de dv nl dz el en eo et eu\nee fo fa fj fi fr fr fy ff ka de gd ga gl gv el gn gu ht ha he hz hi ho hr hu hy ig is io ii iu ie id ia id ik is it he jv yi ja jv kl kn ks\nka kr kk km ki rw ky kv kg ko kj ku lo la lv li ln lt lb lu lg mk mh ml mi mr ms mk mg mt ro mn mi ms my na nv nr nd ng ne nl nn nb no ny oc\noj or om os pa fa pi pl pt ps qu rm ro ro rn ru sg sa si sk sk sl se sm sn sd so st es sq sc sr ss su sw sv ty ta tt te tg tl th bo ti to tn\nts tk tr tw ug uk ur uz ve vi vo cy wa wo xh yi yo za zh zu'), splitByChar('-', lower(replaceAll(tag, '_', '-')))[1]), substring(lower(replaceAll(tag, '_', '-')), 1 + length(splitByChar('-', replaceAll(tag, '_', '-'))[1])));

CREATE OR REPLACE FUNCTION atsiteListedText AS (value, type) -> if(match(value, '^[-{[tf0-9]') AND (type != 'String'), '', value);

CREATE OR REPLACE FUNCTION atsiteMicrosToTid AS micros -> translate(substring(base32Encode(concat('\0\0', reverse(reinterpretAsFixedString(bitShiftLeft(toUInt64(micros), 10))))), 4), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', '234567abcdefghijklmnopqrstuvwxyz');

CREATE OR REPLACE FUNCTION atsiteNameTokens AS words -> arrayDistinct(arrayConcat(arrayFilter(word -> ((word != '') AND empty(atsiteUnspacedRuns(word))), splitByChar(' ', words)), arrayFlatten(arrayMap(run -> arrayMap(start -> substringUTF8(run, start, 32), range(1, lengthUTF8(run) + 1)), atsiteUnspacedRuns(words)))));

CREATE OR REPLACE FUNCTION atsiteNameWords AS name -> arrayFlatten(arrayMap(folded -> arrayDistinct(arrayConcat(arrayMap(word -> substringUTF8(word, 1, 32), atsiteSpacedWords(folded)), atsiteUnspacedRuns(folded))), [atsiteSearchText(substringUTF8(name, 1, 128))]));

CREATE OR REPLACE FUNCTION atsiteNeighbours AS words -> arrayMap((word, next) -> concat('~', hex(toUInt16(CRC32(concat(word, ' ', next))))), arrayPopBack(splitByChar(' ', trimBoth(words))), arrayPopFront(splitByChar(' ', trimBoth(words))));

CREATE OR REPLACE FUNCTION atsiteOnlyWords AS folded -> replaceRegexpAll(folded, '[^\\x00-\\x7f\\p{L}\\p{N}\\p{Mn}\\p{Mc}\\p{So}]+\\p{Mn}*|[\\x00-/:-@\\[-`{-\\x7f]\\p{Mn}+|^\\p{Mn}+|[\\x{2B9}-\\x{2BF}\\x{2CA}\\x{2CB}\\x{A78C}]|[\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30FC}\\p{Hangul}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]+\\p{Mn}*', ' ');

CREATE OR REPLACE FUNCTION atsitePairsOfRuns AS runs -> arrayFlatten(arrayMap(run -> ngrams(run, 2), runs));

CREATE OR REPLACE FUNCTION atsiteParsedDatetime AS text -> parseDateTime64BestEffortOrNull(if(match(text, '[tz]|[.][0-9]{10}'), replaceRegexpOne(upper(text), '([.][0-9]{3})[0-9]+', '\\1'), text), 3, 'UTC');

CREATE OR REPLACE FUNCTION atsiteSearchText AS text -> if(match(atsiteFoldedText(text), '[\\x{DF}-\\x{24F}\\x{300}-\\x{3FF}\\x{1E00}-\\x{1FFF}]'), normalizeUTF8NFC(replaceRegexpAll(normalizeUTF8NFD(atsiteFoldedText(text)), '([a-z\\p{Greek}])[\\x{300}-\\x{36F}]+', '\\1')), atsiteFoldedText(text));

CREATE OR REPLACE FUNCTION atsiteSpacedOfWords AS words -> tokens(replaceRegexpAll(words, '[\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30FC}\\p{Hangul}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]+', ''), 'splitByString', [' ']);

CREATE OR REPLACE FUNCTION atsiteSpacedWords AS folded -> tokens(replaceRegexpAll(if(multiSearchAny(folded, ['c++', 'c#', 'f#']), replaceRegexpAll(replaceRegexpAll(atsiteOnlyWords(folded), '\\b(c)[+][+]', '\\1＋＋ '), '\\b([cf])#', '\\1＃ '), atsiteOnlyWords(folded)), '[\\x{1F1E6}-\\x{1F1FF}]{2}|[\\p{So}]', ' \\0 '));

CREATE OR REPLACE FUNCTION atsiteTag AS tag -> trimRight(replaceRegexpOne(replaceRegexpAll(atsiteFoldedText(tag), '[\\s\\p{Z}\\x{85}]+', ' '), '^[ #]+', ''));

CREATE OR REPLACE FUNCTION atsiteText AS (value, type, json) -> if(match(value, '^[-{[tf0-9]') AND ((type != 'String') OR atsiteIsLongNumber(value, json)), '', value);

CREATE OR REPLACE FUNCTION atsiteTextOfTuple AS (value, type, json) -> if((value = '') OR ((type = 'String') AND (NOT atsiteIsLongNumber(value, json))), value, '');

CREATE OR REPLACE FUNCTION atsiteTexts AS (`values`, raws) -> if(arrayExists(value -> match(value, '^[-{[tf0-9]'), `values`), arrayMap(raw -> if(JSONType(raw) = 'String', JSONExtractString(raw), ''), raws), `values`);

CREATE OR REPLACE FUNCTION atsiteTidToMicros AS tid -> intDiv(reinterpretAsUInt64(reverse(tryBase32Decode(concat('AAA', translate(tid, '234567abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'))))), 1024);

CREATE OR REPLACE FUNCTION atsiteUnitsOfWords AS words -> concat(' ', arrayStringConcat(tokens(replaceRegexpAll(words, '[\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30FC}\\p{Hangul}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]', ' \\0 '), 'splitByString', [' ']), ' '), ' ');

CREATE OR REPLACE FUNCTION atsiteUnspacedRuns AS folded -> extractAll(folded, '[\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30FC}\\p{Hangul}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]+');

CREATE OR REPLACE FUNCTION atsiteWordTokens AS words -> arrayConcat(atsiteSpacedOfWords(words), atsitePairsOfRuns(atsiteUnspacedRuns(words)), atsiteNeighbours(words));

CREATE OR REPLACE FUNCTION atsiteWordsInOrder AS text -> concat(' ', arrayStringConcat(if(isValidASCII(text) AND (NOT multiSearchAny(lower(text), ['c++', 'c#', 'f#'])), tokens(lower(text)), tokens(replaceRegexpAll(if(multiSearchAny(atsiteSearchText(text), ['c++', 'c#', 'f#']), replaceRegexpAll(replaceRegexpAll(atsiteKeptWords(atsiteSearchText(text)), '\\b(c)[+][+]', '\\1＋＋ '), '\\b([cf])#', '\\1＃ '), atsiteKeptWords(atsiteSearchText(text))), '[\\x{1F1E6}-\\x{1F1FF}]{2}|[\\p{So}]', ' \\0 '))), ' '), ' ');

-- ClickHouse: tables

CREATE TABLE actor_accounts
(
    `did` String,
    `active` UInt8,
    `status` LowCardinality(String),
    `time_us` UInt64,
    `version` UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY did
SETTINGS default_compression_codec = 'ZSTD(1)', index_granularity = 8192;

CREATE TABLE actor_counts
(
    `did` String,
    `followers` UInt64,
    `follows` UInt64,
    `posts` UInt64,
    `source` LowCardinality(String),
    `version` UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY did
SETTINGS default_compression_codec = 'ZSTD(1)', index_granularity = 8192;

CREATE TABLE actor_fills
(
    `did` String,
    `handle` String,
    `display_name` String,
    `source` LowCardinality(String),
    `due_us` UInt64,
    `handle_us` UInt64 DEFAULT version - 3600000000,
    `version` UInt64,
    INDEX handle_bf handle TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
ORDER BY did
SETTINGS default_compression_codec = 'ZSTD(1)', index_granularity = 8192;

CREATE TABLE actor_handles
(
    `handle` String,
    `did` String,
    `version` UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (handle, did)
SETTINGS default_compression_codec = 'ZSTD(1)', index_granularity = 8192;

CREATE TABLE actor_identities
(
    `did` String,
    `handle` String,
    `time_us` UInt64,
    `version` UInt64,
    INDEX handle_bf handle TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(version)
ORDER BY did
SETTINGS default_compression_codec = 'ZSTD(1)', index_granularity = 8192;

CREATE TABLE actor_labels
(
    `label` LowCardinality(String),
    `did` String,
    `note` String,
    `created_by` String,
    `created_at` DateTime64(6, 'UTC'),
    `time_us` UInt64,
    `deleted` UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(time_us)
ORDER BY (label, did)
SETTINGS index_granularity = 8192;

CREATE TABLE actor_profiles
(
    `did` String,
    `display_name` String,
    `description` String CODEC(ZSTD(3)),
    `avatar` String,
    `labels` Array(LowCardinality(String)),
    `time_us` UInt64,
    `version` UInt64,
    `deleted` UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(version)
ORDER BY did
SETTINGS default_compression_codec = 'ZSTD(1)', index_granularity = 8192;

CREATE TABLE api_key_usage
(
    `key_id` String,
    `hour` DateTime('UTC'),
    `counter` String,
    `uses` UInt64,
    `last_used_at` DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(uses)
ORDER BY (key_id, hour, counter)
TTL hour + toIntervalDay(400)
SETTINGS index_granularity = 8192;

CREATE TABLE api_keys
(
    `key_id` String,
    `name` String,
    `owner` String,
    `scopes` Array(LowCardinality(String)),
    `feeds` Array(LowCardinality(String)),
    `rate_limit` UInt32,
    `created_at` DateTime64(6, 'UTC'),
    `expires_at` Nullable(DateTime64(6, 'UTC')),
    `revoked_at` Nullable(DateTime64(6, 'UTC')),
    `time_us` UInt64,
    `deleted` UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(time_us)
ORDER BY key_id
SETTINGS index_granularity = 8192;

CREATE TABLE blockers
(
    `subject_did` String,
    `did` String,
    `rkey` String,
    `version` UInt64 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (subject_did, did, rkey)
SETTINGS default_compression_codec = 'ZSTD(1)', index_granularity = 1024;

CREATE TABLE blocks
(
    `did` String,
    `rkey` String,
    `subject_did` String,
    `time_us` UInt64 CODEC(Delta(8), ZSTD(1)),
    `version` UInt64 CODEC(Delta(8), ZSTD(1)),
    `deleted` UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (did, rkey)
SETTINGS default_compression_codec = 'ZSTD(1)', index_granularity = 8192;

CREATE TABLE daily_stats
(
    `day` Date,
    `posts` UInt64,
    `posts_with_images` UInt64,
    `images` UInt64,
    `images_with_alt` UInt64,
    `likes` UInt64,
    `reposts` UInt64,
    `follows` UInt64,
    `blocks` UInt64,
    `post_actors` UInt64,
    `like_actors` UInt64,
    `repost_actors` UInt64,
    `follow_actors` UInt64,
    `block_actors` UInt64,
    `actors` UInt64,
    `computed_at` DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(computed_at)
ORDER BY day
SETTINGS default_compression_codec = 'ZSTD(1)', index_granularity = 8192;

CREATE TABLE daily_stats_actors
(
    `hour` DateTime('UTC'),
    `kind` LowCardinality(String),
    `actors` AggregateFunction(uniqCombined64(17), UInt64)
)
ENGINE = AggregatingMergeTree
ORDER BY (kind, hour)
SETTINGS default_compression_codec = 'ZSTD(1)', index_granularity = 8192;

CREATE TABLE dead_letters
(
    `id` String,
    `reason` LowCardinality(String),
    `detail` String,
    `payload` String CODEC(ZSTD(3)),
    `host` String,
    `time_us` UInt64,
    `stored_at` DateTime64(6, 'UTC') DEFAULT now64(6),
    `version` UInt64,
    `deleted` UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(version)
ORDER BY id
TTL toDateTime(stored_at) + toIntervalDay(90)
SETTINGS index_granularity = 8192;

CREATE TABLE engagement
(
    `subject_rkey` String,
    `subject_uri` String,
    `kind` LowCardinality(String),
    `did` String,
    `rkey` String,
    `version` UInt64 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (subject_rkey, subject_uri, kind, did, rkey)
SETTINGS default_compression_codec = 'ZSTD(1)', index_granularity = 1024;

CREATE TABLE feed_interactions
(
    `received_at` DateTime64(3, 'UTC'),
    `id` UInt64,
    `feed` LowCardinality(String),
    `item` String,
    `event` String,
    `feed_context` String,
    `req_id` String,
    `sender` String
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(received_at)
ORDER BY (feed, received_at, id)
TTL toDateTime(received_at) + toIntervalDay(30)
SETTINGS ttl_only_drop_parts = 1, index_granularity = 8192;

CREATE TABLE feed_usage
(
    `feed` LowCardinality(String),
    `day` Date,
    `counter` String,
    `requests` UInt64,
    `readers` UInt64,
    `interactions` UInt64,
    `senders` UInt64,
    `counted` UInt64
)
ENGINE = ReplacingMergeTree(counted)
ORDER BY (feed, day, counter)
TTL day + toIntervalDay(400)
SETTINGS index_granularity = 8192;

CREATE TABLE followers
(
    `subject_did` String,
    `did` String,
    `rkey` String,
    `version` UInt64 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (subject_did, did, rkey)
SETTINGS default_compression_codec = 'ZSTD(1)', index_granularity = 1024;

CREATE TABLE follows
(
    `did` String,
    `rkey` String,
    `subject_did` String,
    `time_us` UInt64 CODEC(Delta(8), ZSTD(1)),
    `version` UInt64 CODEC(Delta(8), ZSTD(1)),
    `deleted` UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (did, rkey)
SETTINGS default_compression_codec = 'ZSTD(1)', index_granularity = 8192;

CREATE TABLE identity_changes
(
    `did` String,
    `time_us` UInt64,
    `version` UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY did
SETTINGS default_compression_codec = 'ZSTD(1)', index_granularity = 8192;

CREATE TABLE indexer_checkpoints
(
    `host` String,
    `protocol` LowCardinality(String),
    `cursor` UInt64,
    `time_us` UInt64,
    `safe_cursor` UInt64,
    `acked_at` DateTime64(6, 'UTC')
)
ENGINE = MergeTree
ORDER BY acked_at
TTL toDateTime(acked_at) + toIntervalDay(7)
SETTINGS index_granularity = 8192;

CREATE TABLE likes
(
    `rkey` String,
    `did` String,
    `subject_uri` String,
    `time_us` UInt64 CODEC(Delta(8), ZSTD(1)),
    `version` UInt64 CODEC(Delta(8), ZSTD(1)),
    `backfilled` UInt8 DEFAULT 0,
    `deleted` UInt8 DEFAULT 0,
    `subject_did` String ALIAS splitByChar('/', subject_uri)[3],
    `eligible` UInt8 ALIAS match(rkey, '^[2-7a-j][2-7a-z]{12}$') AND (intDiv(reinterpretAsUInt64(reverse(tryBase32Decode(concat('AAA', translate(rkey, '234567abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'))))), 1024) <= (intDiv(version, 1024) + 120000000))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (rkey, did)
SETTINGS default_compression_codec = 'ZSTD(1)', index_granularity = 8192;

CREATE TABLE people_facts
(
    `did` String,
    `fact` LowCardinality(String),
    `value` String,
    `words` String,
    `version` UInt64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (did, fact)
SETTINGS default_compression_codec = 'LZ4', index_granularity = 128, min_compress_block_size = 4096, max_compress_block_size = 8192, min_age_to_force_merge_seconds = 21600;

CREATE TABLE people_popular
(
    `prefix` String,
    `dids` Array(String),
    `followers` Array(UInt64),
    `computed_at` DateTime('UTC')
)
ENGINE = ReplacingMergeTree(computed_at)
ORDER BY prefix
TTL computed_at + toIntervalDay(1)
SETTINGS index_granularity = 8192;

CREATE TABLE people_tokens
(
    `token` String,
    `did` String,
    `known` SimpleAggregateFunction(max, Tuple(
        version UInt64,
        words String)),
    `ranked` SimpleAggregateFunction(max, UInt64)
)
ENGINE = AggregatingMergeTree
ORDER BY (substringUTF8(token, 1, 4), substringUTF8(token, 1, 6), token, did)
SETTINGS default_compression_codec = 'LZ4', index_granularity = 256, min_compress_block_size = 8192, max_compress_block_size = 16384, min_age_to_force_merge_seconds = 21600;

CREATE TABLE posts
(
    `rkey` String CODEC(LZ4),
    `did` String CODEC(LZ4),
    `cid` String,
    `text` String CODEC(ZSTD(3)),
    `words` String MATERIALIZED concat(' ', arrayStringConcat(if(isValidASCII(text) AND (NOT multiSearchAny(lower(text), ['c++', 'c#', 'f#'])), tokens(lower(text)), tokens(replaceRegexpAll(if(multiSearchAny(if(match(replaceAll(normalizeUTF8NFKCCasefold(toValidUTF8(replaceRegexpAll(text, '[\\x{200B}\\x{3164}\\x{FFA0}™℠]|([¼-¾⅐-⅟↉①-⑳⓪-➓㉑-㉟㊱-㊿№℡℃℉])', ' \\1 '))), 'i̇', 'i'), '[\\x{DF}-\\x{24F}\\x{300}-\\x{3FF}\\x{1E00}-\\x{1FFF}]'), normalizeUTF8NFC(replaceRegexpAll(normalizeUTF8NFD(replaceAll(normalizeUTF8NFKCCasefold(toValidUTF8(replaceRegexpAll(text, '[\\x{200B}\\x{3164}\\x{FFA0}™℠]|([¼-¾⅐-⅟↉①-⑳⓪-➓㉑-㉟㊱-㊿№℡℃℉])', ' \\1 '))), 'i̇', 'i')), '([a-z\\p{Greek}])[\\x{300}-\\x{36F}]+', '\\1')), replaceAll(normalizeUTF8NFKCCasefold(toValidUTF8(replaceRegexpAll(text, '[\\x{200B}\\x{3164}\\x{FFA0}™℠]|([¼-¾⅐-⅟↉①-⑳⓪-➓㉑-㉟㊱-㊿№℡℃℉])', ' \\1 '))), 'i̇', 'i')), ['c++', 'c#', 'f#']), replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(if(match(replaceAll(normalizeUTF8NFKCCasefold(toValidUTF8(replaceRegexpAll(text, '[\\x{200B}\\x{3164}\\x{FFA0}™℠]|([¼-¾⅐-⅟↉①-⑳⓪-➓㉑-㉟㊱-㊿№℡℃℉])', ' \\1 '))), 'i̇', 'i'), '[\\x{DF}-\\x{24F}\\x{300}-\\x{3FF}\\x{1E00}-\\x{1FFF}]'), normalizeUTF8NFC(replaceRegexpAll(normalizeUTF8NFD(replaceAll(normalizeUTF8NFKCCasefold(toValidUTF8(replaceRegexpAll(text, '[\\x{200B}\\x{3164}\\x{FFA0}™℠]|([¼-¾⅐-⅟↉①-⑳⓪-➓㉑-㉟㊱-㊿№℡℃℉])', ' \\1 '))), 'i̇', 'i')), '([a-z\\p{Greek}])[\\x{300}-\\x{36F}]+', '\\1')), replaceAll(normalizeUTF8NFKCCasefold(toValidUTF8(replaceRegexpAll(text, '[\\x{200B}\\x{3164}\\x{FFA0}™℠]|([¼-¾⅐-⅟↉①-⑳⓪-➓㉑-㉟㊱-㊿№℡℃℉])', ' \\1 '))), 'i̇', 'i')), '[^\\x00-\\x7f\\p{L}\\p{N}\\p{Mn}\\p{Mc}\\p{So}]+\\p{Mn}*|[\\x00-/:-@\\[-`{-\\x7f]\\p{Mn}+|^\\p{Mn}+|[\\x{2B9}-\\x{2BF}\\x{2CA}\\x{2CB}\\x{A78C}]', ' '), '([\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30FC}\\p{Hangul}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]+)\\p{Mn}*', ' \\1 '), '\\b(c)[+][+]', '\\1＋＋ '), '\\b([cf])#', '\\1＃ '), replaceRegexpAll(replaceRegexpAll(if(match(replaceAll(normalizeUTF8NFKCCasefold(toValidUTF8(replaceRegexpAll(text, '[\\x{200B}\\x{3164}\\x{FFA0}™℠]|([¼-¾⅐-⅟↉①-⑳⓪-➓㉑-㉟㊱-㊿№℡℃℉])', ' \\1 '))), 'i̇', 'i'), '[\\x{DF}-\\x{24F}\\x{300}-\\x{3FF}\\x{1E00}-\\x{1FFF}]'), normalizeUTF8NFC(replaceRegexpAll(normalizeUTF8NFD(replaceAll(normalizeUTF8NFKCCasefold(toValidUTF8(replaceRegexpAll(text, '[\\x{200B}\\x{3164}\\x{FFA0}™℠]|([¼-¾⅐-⅟↉①-⑳⓪-➓㉑-㉟㊱-㊿№℡℃℉])', ' \\1 '))), 'i̇', 'i')), '([a-z\\p{Greek}])[\\x{300}-\\x{36F}]+', '\\1')), replaceAll(normalizeUTF8NFKCCasefold(toValidUTF8(replaceRegexpAll(text, '[\\x{200B}\\x{3164}\\x{FFA0}™℠]|([¼-¾⅐-⅟↉①-⑳⓪-➓㉑-㉟㊱-㊿№℡℃℉])', ' \\1 '))), 'i̇', 'i')), '[^\\x00-\\x7f\\p{L}\\p{N}\\p{Mn}\\p{Mc}\\p{So}]+\\p{Mn}*|[\\x00-/:-@\\[-`{-\\x7f]\\p{Mn}+|^\\p{Mn}+|[\\x{2B9}-\\x{2BF}\\x{2CA}\\x{2CB}\\x{A78C}]', ' '), '([\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30FC}\\p{Hangul}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]+)\\p{Mn}*', ' \\1 ')), '[\\x{1F1E6}-\\x{1F1FF}]{2}|[\\p{So}]', ' \\0 '))), ' '), ' ') CODEC(ZSTD(3)),
    `langs` Array(LowCardinality(String)),
    `tags` Array(String),
    `mentions` Array(String),
    `links` Array(String),
    `domains` Array(String),
    `parent_uri` String,
    `root_uri` String,
    `quote_uri` String,
    `embed_kind` LowCardinality(String),
    `images` UInt8,
    `images_with_alt` UInt8,
    `has_video` UInt8,
    `labels` Array(LowCardinality(String)),
    `created_at` Nullable(DateTime64(3, 'UTC')),
    `time_us` UInt64 CODEC(Delta(8), ZSTD(1)),
    `version` UInt64 CODEC(Delta(8), ZSTD(1)),
    `backfilled` UInt8 DEFAULT 0,
    `deleted` UInt8 DEFAULT 0,
    `uri` String ALIAS concat('at://', did, '/app.bsky.feed.post/', rkey),
    `eligible` UInt8 MATERIALIZED (match(rkey, '^[2-7a-j][2-7a-z]{12}$') AND (intDiv(reinterpretAsUInt64(reverse(tryBase32Decode(concat('AAA', translate(rkey, '234567abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'))))), 1024) <= (intDiv(version, 1024) + 120000000))) AND ifNull(((toUnixTimestamp64Milli(created_at) * 1000) + 86400000000) >= toInt64(intDiv(reinterpretAsUInt64(reverse(tryBase32Decode(concat('AAA', translate(rkey, '234567abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'))))), 1024)), 0),
    `sort_at` DateTime64(6, 'UTC') ALIAS assumeNotNull(least(created_at, fromUnixTimestamp64Micro(toInt64(if(match(rkey, '^[2-7a-j][2-7a-z]{12}$'), least(intDiv(reinterpretAsUInt64(reverse(tryBase32Decode(concat('AAA', translate(rkey, '234567abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'))))), 1024), intDiv(version, 1024)), intDiv(version, 1024))), 'UTC'))),
    INDEX did_bf did TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_tag tags TYPE text(tokenizer = 'array') GRANULARITY 100000000,
    INDEX by_mention mentions TYPE text(tokenizer = 'array') GRANULARITY 100000000,
    INDEX by_link links TYPE text(tokenizer = 'array') GRANULARITY 100000000,
    INDEX by_domain domains TYPE text(tokenizer = 'array') GRANULARITY 100000000,
    INDEX by_addressee arrayFilter(did -> (did != ''), arrayConcat(mentions, [extract(parent_uri, '^at://([^/]+)/')])) TYPE text(tokenizer = 'array') GRANULARITY 100000000,
    INDEX tokens arrayConcat(tokens(replaceRegexpAll(words, '[\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30FC}\\p{Hangul}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]+', ''), 'splitByString', [' ']), arrayFlatten(arrayMap(run -> ngrams(run, 2), extractAll(words, '[\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30FC}\\p{Hangul}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]+'))), arrayMap((word, next) -> concat('~', hex(toUInt16(CRC32(concat(word, ' ', next))))), arrayPopBack(splitByChar(' ', trimBoth(words))), arrayPopFront(splitByChar(' ', trimBoth(words))))) TYPE text(tokenizer = 'array') GRANULARITY 100000000
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (rkey, did)
SETTINGS default_compression_codec = 'ZSTD(1)', index_granularity = 1024, min_compress_block_size = 8192;

CREATE TABLE posts_by_actor
(
    `did` String,
    `rkey` String,
    `is_reply` UInt8,
    `time_us` UInt64 CODEC(Delta(8), ZSTD(1)),
    `version` UInt64 CODEC(Delta(8), ZSTD(1)),
    `deleted` UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (did, rkey)
SETTINGS default_compression_codec = 'ZSTD(1)', index_granularity = 8192;

CREATE TABLE purges
(
    `did` String,
    `floor` UInt64,
    `purged_at` DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(floor)
ORDER BY did
SETTINGS default_compression_codec = 'ZSTD(1)', index_granularity = 8192;

CREATE TABLE repo_cleanup_jobs
(
    `job_id` String,
    `did` String,
    `state` LowCardinality(String),
    `types` Array(LowCardinality(String)),
    `requested_by` String,
    `records_planned` UInt64,
    `records_deleted` UInt64,
    `created_at` DateTime64(6, 'UTC'),
    `finished_at` Nullable(DateTime64(6, 'UTC')),
    `time_us` UInt64,
    `deleted` UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(time_us)
ORDER BY job_id
SETTINGS index_granularity = 8192;

CREATE TABLE repo_floors
(
    `did` String,
    `floor` UInt64,
    `reason` LowCardinality(String)
)
ENGINE = ReplacingMergeTree(floor)
ORDER BY did
SETTINGS default_compression_codec = 'ZSTD(1)', index_granularity = 8192;

CREATE TABLE repo_records
(
    `repo` String,
    `collection` LowCardinality(String),
    `rkey` String,
    `operation` LowCardinality(String),
    `rev` String,
    `cid` String,
    `record_json` String CODEC(ZSTD(3)),
    `time_us` UInt64 CODEC(Delta(8), ZSTD(1)),
    `version` UInt64,
    `source` LowCardinality(String) DEFAULT 'jetstream',
    `stored_at` DateTime('UTC') DEFAULT now() CODEC(Delta(4), ZSTD(1)),
    `day` Date MATERIALIZED toDate(toDateTime(if(abs(toInt64(intDiv(version, 1024000000)) - toInt64(intDiv(time_us, 1000000))) < 259200, intDiv(version, 1024000000), intDiv(time_us, 1000000)), 'UTC'))
)
ENGINE = ReplacingMergeTree
PARTITION BY day
ORDER BY (collection, repo, rkey, rev)
TTL stored_at + toIntervalDay(30)
SETTINGS ttl_only_drop_parts = 1, default_compression_codec = 'ZSTD(1)', index_granularity = 8192, min_parts_to_merge_at_once = 16, vertical_merge_algorithm_min_columns_to_activate = 1, vertical_merge_algorithm_min_rows_to_activate = 1;

CREATE TABLE reposts
(
    `rkey` String,
    `did` String,
    `subject_uri` String,
    `time_us` UInt64 CODEC(Delta(8), ZSTD(1)),
    `version` UInt64 CODEC(Delta(8), ZSTD(1)),
    `backfilled` UInt8 DEFAULT 0,
    `deleted` UInt8 DEFAULT 0,
    `subject_did` String ALIAS splitByChar('/', subject_uri)[3],
    `eligible` UInt8 ALIAS match(rkey, '^[2-7a-j][2-7a-z]{12}$') AND (intDiv(reinterpretAsUInt64(reverse(tryBase32Decode(concat('AAA', translate(rkey, '234567abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'))))), 1024) <= (intDiv(version, 1024) + 120000000))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (rkey, did)
SETTINGS default_compression_codec = 'ZSTD(1)', index_granularity = 8192;

CREATE TABLE rereadings
(
    `reason` LowCardinality(String),
    `day` Date,
    `done` UInt8 DEFAULT 0,
    `changed_at` DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree(changed_at)
ORDER BY (reason, day)
SETTINGS index_granularity = 8192;

CREATE TABLE retractions
(
    `kind` LowCardinality(String),
    `rkey` String,
    `did` String,
    `version` UInt64 CODEC(Delta(8), ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (kind, rkey, did)
SETTINGS default_compression_codec = 'ZSTD(1)', index_granularity = 1024;

CREATE TABLE stream_gaps
(
    `from_us` UInt64,
    `to_us` UInt64,
    `host` String,
    `reason` LowCardinality(String),
    `noticed_at` DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = ReplacingMergeTree
ORDER BY (from_us, to_us, host)
SETTINGS index_granularity = 8192;

-- ClickHouse: materialized views

CREATE MATERIALIZED VIEW actor_handles_of_fills_mv TO actor_handles
(
    `handle` String,
    `did` String,
    `version` UInt64
)
AS SELECT
    lower(handle) AS handle,
    did,
    handle_us AS version
FROM actor_fills
WHERE (handle != '') AND (lower(handle) != 'handle.invalid');

CREATE MATERIALIZED VIEW actor_handles_of_identities_mv TO actor_handles
(
    `handle` String,
    `did` String,
    `version` UInt64
)
AS SELECT
    lower(handle) AS handle,
    did,
    version AS version
FROM actor_identities
WHERE (handle != '') AND (lower(handle) != 'handle.invalid');

CREATE MATERIALIZED VIEW actor_profiles_mv TO actor_profiles
(
    `did` String,
    `display_name` String,
    `description` String,
    `avatar` String,
    `labels` Array(String),
    `time_us` UInt64,
    `version` UInt64,
    `deleted` LowCardinality(UInt8)
)
AS SELECT
    repo AS did,
    if(match(JSONExtractString(record_json, 'displayName'), '^[-{[tf0-9]') AND ((JSONType(record_json, 'displayName') != 'String') OR (match(JSONExtractString(record_json, 'displayName'), '^-?[0-9]{20,}$') AND (position(record_json, concat('"', JSONExtractString(record_json, 'displayName'), '"')) = 0))), '', JSONExtractString(record_json, 'displayName')) AS display_name,
    if(match(JSONExtractString(record_json, 'description'), '^[-{[tf0-9]') AND ((JSONType(record_json, 'description') != 'String') OR (match(JSONExtractString(record_json, 'description'), '^-?[0-9]{20,}$') AND (position(record_json, concat('"', JSONExtractString(record_json, 'description'), '"')) = 0))), '', JSONExtractString(record_json, 'description')) AS description,
    if(match(JSONExtractString(record_json, 'avatar', 'ref', '$link'), '^[-{[tf0-9]') AND ((JSONType(record_json, 'avatar', 'ref', '$link') != 'String') OR (match(JSONExtractString(record_json, 'avatar', 'ref', '$link'), '^-?[0-9]{20,}$') AND (position(record_json, concat('"', JSONExtractString(record_json, 'avatar', 'ref', '$link'), '"')) = 0))), '', JSONExtractString(record_json, 'avatar', 'ref', '$link')) AS avatar,
    if(multiSearchAny(record_json, ['"labels"', '\\u00']), arrayDistinct(arrayMap(label -> if(match(JSONExtractString(label, 'val'), '^[-{[tf0-9]') AND (JSONType(label, 'val') != 'String'), '', JSONExtractString(label, 'val')), JSONExtractArrayRaw(if(match(record_json, '^[^{]*\\['), '', record_json), 'labels', 'values'))), []) AS labels,
    time_us,
    version,
    toUInt8(operation = 'delete') AS deleted
FROM repo_records
WHERE (collection = 'app.bsky.actor.profile') AND (rkey = 'self');

CREATE MATERIALIZED VIEW blockers_mv TO blockers
(
    `subject_did` String,
    `did` String,
    `rkey` String,
    `version` UInt64
)
AS SELECT
    subject_did,
    did,
    rkey,
    version
FROM blocks
WHERE (deleted = 0) AND (subject_did != '');

CREATE MATERIALIZED VIEW blocks_mv TO blocks
(
    `did` String,
    `rkey` String,
    `subject_did` String,
    `time_us` UInt64,
    `version` UInt64,
    `deleted` LowCardinality(UInt8)
)
AS SELECT
    repo AS did,
    rkey,
    if(match(JSONExtractString(record_json, 'subject'), '^[-{[tf0-9]') AND ((JSONType(record_json, 'subject') != 'String') OR (match(JSONExtractString(record_json, 'subject'), '^-?[0-9]{20,}$') AND (position(record_json, concat('"', JSONExtractString(record_json, 'subject'), '"')) = 0))), '', JSONExtractString(record_json, 'subject')) AS subject_did,
    time_us,
    version,
    toUInt8(operation = 'delete') AS deleted
FROM repo_records
WHERE collection = 'app.bsky.graph.block';

CREATE MATERIALIZED VIEW daily_stats_actors_mv TO daily_stats_actors
(
    `hour` DateTime('UTC'),
    `kind` String,
    `actors` AggregateFunction(uniqCombined64(17), UInt64)
)
AS SELECT
    toStartOfHour(toDateTime(intDiv(version, 1024000000), 'UTC')) AS hour,
    transform(CAST(collection, 'String'), ['app.bsky.feed.post', 'app.bsky.feed.like', 'app.bsky.feed.repost', 'app.bsky.graph.follow', 'app.bsky.graph.block'], ['post', 'like', 'repost', 'follow', 'block'], 'other') AS kind,
    uniqCombined64State(17)(cityHash64(repo)) AS actors
FROM repo_records
WHERE (operation = 'create') AND (source = 'jetstream')
GROUP BY
    hour,
    kind;

CREATE MATERIALIZED VIEW engagement_likes_mv TO engagement
(
    `subject_rkey` String,
    `subject_uri` String,
    `kind` String,
    `did` String,
    `rkey` String,
    `version` UInt64
)
AS SELECT
    substringIndex(subject_uri, '/', -1) AS subject_rkey,
    subject_uri,
    'like' AS kind,
    did,
    rkey,
    version
FROM likes
WHERE (deleted = 0) AND (subject_uri != '');

CREATE MATERIALIZED VIEW engagement_posts_mv TO engagement
(
    `subject_rkey` String,
    `subject_uri` String,
    `kind` String,
    `did` String,
    `rkey` String,
    `version` UInt64
)
AS SELECT
    substringIndex(tupleElement(subject, 2), '/', -1) AS subject_rkey,
    tupleElement(subject, 2) AS subject_uri,
    tupleElement(subject, 1) AS kind,
    did,
    rkey,
    version
FROM posts
ARRAY JOIN arrayFilter(s -> (tupleElement(s, 2) != ''), [('reply', parent_uri), ('quote', quote_uri)]) AS subject
WHERE deleted = 0;

CREATE MATERIALIZED VIEW engagement_reposts_mv TO engagement
(
    `subject_rkey` String,
    `subject_uri` String,
    `kind` String,
    `did` String,
    `rkey` String,
    `version` UInt64
)
AS SELECT
    substringIndex(subject_uri, '/', -1) AS subject_rkey,
    subject_uri,
    'repost' AS kind,
    did,
    rkey,
    version
FROM reposts
WHERE (deleted = 0) AND (subject_uri != '');

CREATE MATERIALIZED VIEW followers_mv TO followers
(
    `subject_did` String,
    `did` String,
    `rkey` String,
    `version` UInt64
)
AS SELECT
    subject_did,
    did,
    rkey,
    version
FROM follows
WHERE (deleted = 0) AND (subject_did != '');

CREATE MATERIALIZED VIEW follows_mv TO follows
(
    `did` String,
    `rkey` String,
    `subject_did` String,
    `time_us` UInt64,
    `version` UInt64,
    `deleted` LowCardinality(UInt8)
)
AS SELECT
    repo AS did,
    rkey,
    if(match(JSONExtractString(record_json, 'subject'), '^[-{[tf0-9]') AND ((JSONType(record_json, 'subject') != 'String') OR (match(JSONExtractString(record_json, 'subject'), '^-?[0-9]{20,}$') AND (position(record_json, concat('"', JSONExtractString(record_json, 'subject'), '"')) = 0))), '', JSONExtractString(record_json, 'subject')) AS subject_did,
    time_us,
    version,
    toUInt8(operation = 'delete') AS deleted
FROM repo_records
WHERE collection = 'app.bsky.graph.follow';

CREATE MATERIALIZED VIEW likes_mv TO likes
(
    `rkey` String,
    `did` String,
    `subject_uri` String,
    `time_us` UInt64,
    `version` UInt64,
    `backfilled` LowCardinality(UInt8),
    `deleted` LowCardinality(UInt8)
)
AS SELECT
    rkey,
    repo AS did,
    if(match(JSONExtractString(record_json, 'subject', 'uri'), '^[-{[tf0-9]') AND ((JSONType(record_json, 'subject', 'uri') != 'String') OR (match(JSONExtractString(record_json, 'subject', 'uri'), '^-?[0-9]{20,}$') AND (position(record_json, concat('"', JSONExtractString(record_json, 'subject', 'uri'), '"')) = 0))), '', JSONExtractString(record_json, 'subject', 'uri')) AS subject_uri,
    time_us,
    version,
    toUInt8(source = 'backfill') AS backfilled,
    toUInt8(operation = 'delete') AS deleted
FROM repo_records
WHERE collection = 'app.bsky.feed.like';

CREATE MATERIALIZED VIEW people_facts_of_accounts_mv TO people_facts
(
    `did` String,
    `fact` String,
    `value` String,
    `words` String,
    `version` UInt64
)
AS SELECT
    did,
    'active' AS fact,
    toString(active) AS value,
    '' AS words,
    bitShiftLeft(version, 10) AS version
FROM actor_accounts;

CREATE MATERIALIZED VIEW people_facts_of_fills_mv TO people_facts
(
    `did` String,
    `fact` String,
    `value` String,
    `words` String,
    `version` UInt64
)
AS SELECT
    did,
    tupleElement(told, 1) AS fact,
    tupleElement(told, 2) AS value,
    multiIf(fact = 'name', arrayStringConcat(arrayFlatten(arrayMap(folded -> arrayDistinct(arrayConcat(arrayMap(word -> substringUTF8(word, 1, 32), tokens(replaceRegexpAll(if(multiSearchAny(folded, ['c++', 'c#', 'f#']), replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(folded, '[^\\x00-\\x7f\\p{L}\\p{N}\\p{Mn}\\p{Mc}\\p{So}]+\\p{Mn}*|[\\x00-/:-@\\[-`{-\\x7f]\\p{Mn}+|^\\p{Mn}+|[\\x{2B9}-\\x{2BF}\\x{2CA}\\x{2CB}\\x{A78C}]|[\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30FC}\\p{Hangul}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]+\\p{Mn}*', ' '), '\\b(c)[+][+]', '\\1＋＋ '), '\\b([cf])#', '\\1＃ '), replaceRegexpAll(folded, '[^\\x00-\\x7f\\p{L}\\p{N}\\p{Mn}\\p{Mc}\\p{So}]+\\p{Mn}*|[\\x00-/:-@\\[-`{-\\x7f]\\p{Mn}+|^\\p{Mn}+|[\\x{2B9}-\\x{2BF}\\x{2CA}\\x{2CB}\\x{A78C}]|[\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30FC}\\p{Hangul}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]+\\p{Mn}*', ' ')), '[\\x{1F1E6}-\\x{1F1FF}]{2}|[\\p{So}]', ' \\0 '))), extractAll(folded, '[\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30FC}\\p{Hangul}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]+'))), [if(match(replaceAll(normalizeUTF8NFKCCasefold(toValidUTF8(replaceRegexpAll(substringUTF8(value, 1, 128), '[\\x{200B}\\x{3164}\\x{FFA0}™℠]|([¼-¾⅐-⅟↉①-⑳⓪-➓㉑-㉟㊱-㊿№℡℃℉])', ' \\1 '))), 'i̇', 'i'), '[\\x{DF}-\\x{24F}\\x{300}-\\x{3FF}\\x{1E00}-\\x{1FFF}]'), normalizeUTF8NFC(replaceRegexpAll(normalizeUTF8NFD(replaceAll(normalizeUTF8NFKCCasefold(toValidUTF8(replaceRegexpAll(substringUTF8(value, 1, 128), '[\\x{200B}\\x{3164}\\x{FFA0}™℠]|([¼-¾⅐-⅟↉①-⑳⓪-➓㉑-㉟㊱-㊿№℡℃℉])', ' \\1 '))), 'i̇', 'i')), '([a-z\\p{Greek}])[\\x{300}-\\x{36F}]+', '\\1')), replaceAll(normalizeUTF8NFKCCasefold(toValidUTF8(replaceRegexpAll(substringUTF8(value, 1, 128), '[\\x{200B}\\x{3164}\\x{FFA0}™℠]|([¼-¾⅐-⅟↉①-⑳⓪-➓㉑-㉟㊱-㊿№℡℃℉])', ' \\1 '))), 'i̇', 'i'))])), ' '), value != 'handle.invalid', value, '') AS words,
    bitShiftLeft(tupleElement(told, 3), 10) AS version
FROM
(
    SELECT
        did,
        arrayJoin([('handle', lower(handle), handle_us), ('name', display_name, toUInt64(version - 3600000000))]) AS told
    FROM actor_fills
    WHERE (handle != '') OR (display_name != '')
)
WHERE (fact = 'name') OR (value != '');

CREATE MATERIALIZED VIEW people_facts_of_floors_mv TO people_facts
(
    `did` String,
    `fact` String,
    `value` String,
    `words` String,
    `version` UInt64
)
AS SELECT
    did,
    'floor' AS fact,
    CAST(reason, 'String') AS value,
    '' AS words,
    floor AS version
FROM repo_floors;

CREATE MATERIALIZED VIEW people_facts_of_identities_mv TO people_facts
(
    `did` String,
    `fact` String,
    `value` String,
    `words` String,
    `version` UInt64
)
AS SELECT
    did,
    'handle' AS fact,
    lower(handle) AS value,
    if(value = 'handle.invalid', '', value) AS words,
    bitShiftLeft(version, 10) AS version
FROM actor_identities
WHERE handle != '';

CREATE MATERIALIZED VIEW people_facts_of_profiles_mv TO people_facts
(
    `did` String,
    `fact` String,
    `value` String,
    `words` String,
    `version` UInt64
)
AS SELECT
    did,
    tupleElement(written, 1) AS fact,
    tupleElement(written, 2) AS value,
    if(fact = 'name', arrayStringConcat(arrayFlatten(arrayMap(folded -> arrayDistinct(arrayConcat(arrayMap(word -> substringUTF8(word, 1, 32), tokens(replaceRegexpAll(if(multiSearchAny(folded, ['c++', 'c#', 'f#']), replaceRegexpAll(replaceRegexpAll(replaceRegexpAll(folded, '[^\\x00-\\x7f\\p{L}\\p{N}\\p{Mn}\\p{Mc}\\p{So}]+\\p{Mn}*|[\\x00-/:-@\\[-`{-\\x7f]\\p{Mn}+|^\\p{Mn}+|[\\x{2B9}-\\x{2BF}\\x{2CA}\\x{2CB}\\x{A78C}]|[\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30FC}\\p{Hangul}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]+\\p{Mn}*', ' '), '\\b(c)[+][+]', '\\1＋＋ '), '\\b([cf])#', '\\1＃ '), replaceRegexpAll(folded, '[^\\x00-\\x7f\\p{L}\\p{N}\\p{Mn}\\p{Mc}\\p{So}]+\\p{Mn}*|[\\x00-/:-@\\[-`{-\\x7f]\\p{Mn}+|^\\p{Mn}+|[\\x{2B9}-\\x{2BF}\\x{2CA}\\x{2CB}\\x{A78C}]|[\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30FC}\\p{Hangul}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]+\\p{Mn}*', ' ')), '[\\x{1F1E6}-\\x{1F1FF}]{2}|[\\p{So}]', ' \\0 '))), extractAll(folded, '[\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30FC}\\p{Hangul}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]+'))), [if(match(replaceAll(normalizeUTF8NFKCCasefold(toValidUTF8(replaceRegexpAll(substringUTF8(display_name, 1, 128), '[\\x{200B}\\x{3164}\\x{FFA0}™℠]|([¼-¾⅐-⅟↉①-⑳⓪-➓㉑-㉟㊱-㊿№℡℃℉])', ' \\1 '))), 'i̇', 'i'), '[\\x{DF}-\\x{24F}\\x{300}-\\x{3FF}\\x{1E00}-\\x{1FFF}]'), normalizeUTF8NFC(replaceRegexpAll(normalizeUTF8NFD(replaceAll(normalizeUTF8NFKCCasefold(toValidUTF8(replaceRegexpAll(substringUTF8(display_name, 1, 128), '[\\x{200B}\\x{3164}\\x{FFA0}™℠]|([¼-¾⅐-⅟↉①-⑳⓪-➓㉑-㉟㊱-㊿№℡℃℉])', ' \\1 '))), 'i̇', 'i')), '([a-z\\p{Greek}])[\\x{300}-\\x{36F}]+', '\\1')), replaceAll(normalizeUTF8NFKCCasefold(toValidUTF8(replaceRegexpAll(substringUTF8(display_name, 1, 128), '[\\x{200B}\\x{3164}\\x{FFA0}™℠]|([¼-¾⅐-⅟↉①-⑳⓪-➓㉑-㉟㊱-㊿№℡℃℉])', ' \\1 '))), 'i̇', 'i'))])), ' '), '') AS words,
    version
FROM actor_profiles
ARRAY JOIN [('name', display_name), ('avatar', avatar), ('hidden', if(has(labels, '!no-unauthenticated'), '1', ''))] AS written;

CREATE MATERIALIZED VIEW people_tokens_mv TO people_tokens
(
    `token` String,
    `did` String,
    `known` Tuple(
        version UInt64,
        words String)
)
AS SELECT
    token,
    did,
    CAST((version, words), 'Tuple(version UInt64, words String)') AS known
FROM people_facts
ARRAY JOIN arrayDistinct(arrayConcat(arrayFilter(word -> ((word != '') AND empty(extractAll(word, '[\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30FC}\\p{Hangul}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]+'))), splitByChar(' ', words)), arrayFlatten(arrayMap(run -> arrayMap(start -> substringUTF8(run, start, 32), range(1, lengthUTF8(run) + 1)), extractAll(words, '[\\p{Han}\\p{Hiragana}\\p{Katakana}\\x{30FC}\\p{Hangul}\\p{Thai}\\p{Lao}\\p{Khmer}\\p{Myanmar}]+'))))) AS token
WHERE words != '';

CREATE MATERIALIZED VIEW posts_by_actor_mv TO posts_by_actor
(
    `did` String,
    `rkey` String,
    `is_reply` UInt8,
    `time_us` UInt64,
    `version` UInt64,
    `deleted` UInt8
)
AS SELECT
    did,
    rkey,
    toUInt8(parent_uri != '') AS is_reply,
    time_us,
    version,
    deleted
FROM posts;

CREATE MATERIALIZED VIEW posts_mv TO posts
(
    `rkey` String,
    `did` String,
    `cid` String,
    `text` String,
    `langs` Array(String),
    `tags` Array(String),
    `mentions` Array(String),
    `links` Array(String),
    `domains` Array(String),
    `parent_uri` String,
    `root_uri` String,
    `quote_uri` String,
    `embed_kind` String,
    `images` UInt8,
    `images_with_alt` UInt8,
    `has_video` UInt8,
    `labels` Array(String),
    `created_at` Nullable(DateTime64(3, 'UTC')),
    `time_us` UInt64,
    `version` UInt64,
    `backfilled` LowCardinality(UInt8),
    `deleted` LowCardinality(UInt8)
)
AS WITH
    if(match(record_json, '^[^{]*\\['), '', record_json) AS record,
    JSONExtract(record, 'Tuple(\n        text String,\n        createdAt String,\n        langs Array(String),\n        tags Array(String),\n        reply Tuple(parent Tuple(uri String), root Tuple(uri String)),\n        embed Tuple(\n            `$type` String,\n            external Tuple(uri String),\n            record Tuple(uri String, record Tuple(uri String)),\n            media Tuple(`$type` String, external Tuple(uri String))))') AS r,
    tupleElement(r, 'embed') AS embed,
    tupleElement(embed, 'media') AS media,
    if((tupleElement(embed, '$type') = '') OR ((JSONType(record, 'embed', '$type') = 'String') AND (NOT (match(tupleElement(embed, '$type'), '^-?[0-9]{20,}$') AND (position(record, concat('"', tupleElement(embed, '$type'), '"')) = 0)))), tupleElement(embed, '$type'), '') AS embed_type,
    if((tupleElement(media, '$type') = '') OR ((JSONType(record, 'embed', 'media', '$type') = 'String') AND (NOT (match(tupleElement(media, '$type'), '^-?[0-9]{20,}$') AND (position(record, concat('"', tupleElement(media, '$type'), '"')) = 0)))), tupleElement(media, '$type'), '') AS media_type,
    if((tupleElement(tupleElement(embed, 'record'), 'uri') = '') OR ((JSONType(record, 'embed', 'record', 'uri') = 'String') AND (NOT (match(tupleElement(tupleElement(embed, 'record'), 'uri'), '^-?[0-9]{20,}$') AND (position(record, concat('"', tupleElement(tupleElement(embed, 'record'), 'uri'), '"')) = 0)))), tupleElement(tupleElement(embed, 'record'), 'uri'), '') AS quoted,
    if((tupleElement(tupleElement(tupleElement(embed, 'record'), 'record'), 'uri') = '') OR ((JSONType(record, 'embed', 'record', 'record', 'uri') = 'String') AND (NOT (match(tupleElement(tupleElement(tupleElement(embed, 'record'), 'record'), 'uri'), '^-?[0-9]{20,}$') AND (position(record, concat('"', tupleElement(tupleElement(tupleElement(embed, 'record'), 'record'), 'uri'), '"')) = 0)))), tupleElement(tupleElement(tupleElement(embed, 'record'), 'record'), 'uri'), '') AS quoted_with_media,
    if(multiSearchAny(record, ['"facets"', '\\u00']), arrayFlatten(arrayMap(facet -> JSONExtractArrayRaw(facet, 'features'), JSONExtractArrayRaw(record, 'facets'))), []) AS features,
    if(multiSearchAny(record, ['"images"', '"items"', '\\u00']), arrayConcat(JSONExtractArrayRaw(record, 'embed', 'images'), JSONExtractArrayRaw(record, 'embed', 'items'), JSONExtractArrayRaw(record, 'embed', 'media', 'images'), JSONExtractArrayRaw(record, 'embed', 'media', 'items')), []) AS pictures,
    arrayConcat(arrayMap(f -> if(match(JSONExtractString(f, 'tag'), '^[-{[tf0-9]') AND (JSONType(f, 'tag') != 'String'), '', JSONExtractString(f, 'tag')), features), if(arrayExists(value -> match(value, '^[-{[tf0-9]'), tupleElement(r, 'tags')), arrayMap(raw -> if(JSONType(raw) = 'String', JSONExtractString(raw), ''), JSONExtractArrayRaw(record, 'tags')), tupleElement(r, 'tags'))) AS written_tags,
    arrayConcat(arrayMap(f -> if(match(JSONExtractString(f, 'uri'), '^[-{[tf0-9]') AND (JSONType(f, 'uri') != 'String'), '', JSONExtractString(f, 'uri')), features), [if((tupleElement(tupleElement(embed, 'external'), 'uri') = '') OR ((JSONType(record, 'embed', 'external', 'uri') = 'String') AND (NOT (match(tupleElement(tupleElement(embed, 'external'), 'uri'), '^-?[0-9]{20,}$') AND (position(record, concat('"', tupleElement(tupleElement(embed, 'external'), 'uri'), '"')) = 0)))), tupleElement(tupleElement(embed, 'external'), 'uri'), ''), if((tupleElement(tupleElement(media, 'external'), 'uri') = '') OR ((JSONType(record, 'embed', 'media', 'external', 'uri') = 'String') AND (NOT (match(tupleElement(tupleElement(media, 'external'), 'uri'), '^-?[0-9]{20,}$') AND (position(record, concat('"', tupleElement(tupleElement(media, 'external'), 'uri'), '"')) = 0)))), tupleElement(tupleElement(media, 'external'), 'uri'), '')]) AS uris
SELECT
    rkey,
    repo AS did,
    cid,
    if(match(tupleElement(r, 'text'), '^[-{[tf0-9]') AND ((JSONType(record, 'text') != 'String') OR (match(tupleElement(r, 'text'), '^-?[0-9]{20,}$') AND (position(record, concat('"', tupleElement(r, 'text'), '"')) = 0))), '', tupleElement(r, 'text')) AS text,
    if(arrayExists(value -> match(value, '^[-{[tf0-9]'), tupleElement(r, 'langs')), arrayMap(raw -> if(JSONType(raw) = 'String', JSONExtractString(raw), ''), JSONExtractArrayRaw(record, 'langs')), tupleElement(r, 'langs')) AS langs,
    arrayDistinct(arrayFilter(t -> (t != ''), arrayMap(t -> trimRight(replaceRegexpOne(replaceRegexpAll(replaceAll(normalizeUTF8NFKCCasefold(toValidUTF8(replaceRegexpAll(t, '[\\x{200B}\\x{3164}\\x{FFA0}™℠]|([¼-¾⅐-⅟↉①-⑳⓪-➓㉑-㉟㊱-㊿№℡℃℉])', ' \\1 '))), 'i̇', 'i'), '[\\s\\p{Z}\\x{85}]+', ' '), '^[ #]+', '')), written_tags))) AS tags,
    arrayDistinct(arrayFilter(d -> (d != ''), arrayMap(f -> if(match(JSONExtractString(f, 'did'), '^[-{[tf0-9]') AND (JSONType(f, 'did') != 'String'), '', JSONExtractString(f, 'did')), features))) AS mentions,
    arrayDistinct(arrayFilter(u -> (u != ''), uris)) AS links,
    arrayDistinct(arrayFilter(d -> (d != ''), arrayMap(u -> domainWithoutWWW(lower(u)), links))) AS domains,
    if((tupleElement(tupleElement(tupleElement(r, 'reply'), 'parent'), 'uri') = '') OR ((JSONType(record, 'reply', 'parent', 'uri') = 'String') AND (NOT (match(tupleElement(tupleElement(tupleElement(r, 'reply'), 'parent'), 'uri'), '^-?[0-9]{20,}$') AND (position(record, concat('"', tupleElement(tupleElement(tupleElement(r, 'reply'), 'parent'), 'uri'), '"')) = 0)))), tupleElement(tupleElement(tupleElement(r, 'reply'), 'parent'), 'uri'), '') AS parent_uri,
    if((tupleElement(tupleElement(tupleElement(r, 'reply'), 'root'), 'uri') = '') OR ((JSONType(record, 'reply', 'root', 'uri') = 'String') AND (NOT (match(tupleElement(tupleElement(tupleElement(r, 'reply'), 'root'), 'uri'), '^-?[0-9]{20,}$') AND (position(record, concat('"', tupleElement(tupleElement(tupleElement(r, 'reply'), 'root'), 'uri'), '"')) = 0)))), tupleElement(tupleElement(tupleElement(r, 'reply'), 'root'), 'uri'), '') AS root_uri,
    if(embed_type = 'app.bsky.embed.recordWithMedia', quoted_with_media, quoted) AS quote_uri,
    multiIf(embed_type = '', '', startsWith(embed_type, 'app.bsky.embed.'), substring(embed_type, 16, 32), 'other') AS embed_kind,
    toUInt8(least(length(pictures), 255)) AS images,
    toUInt8(least(arrayCount(p -> (if(match(JSONExtractString(p, 'alt'), '^[-{[tf0-9]') AND (JSONType(p, 'alt') != 'String'), '', JSONExtractString(p, 'alt')) != ''), pictures), 255)) AS images_with_alt,
    toUInt8((embed_type = 'app.bsky.embed.video') OR (media_type = 'app.bsky.embed.video')) AS has_video,
    if(multiSearchAny(record, ['"labels"', '\\u00']), arrayDistinct(arrayMap(label -> if(match(JSONExtractString(label, 'val'), '^[-{[tf0-9]') AND (JSONType(label, 'val') != 'String'), '', JSONExtractString(label, 'val')), JSONExtractArrayRaw(record, 'labels', 'values'))), []) AS labels,
    if(match(tupleElement(r, 'createdAt'), concat('^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])', '([Tt ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])?)?$')) AND (tupleElement(r, 'createdAt') >= '0001') AND ((parseDateTime64BestEffortOrNull(if(match(tupleElement(r, 'createdAt'), '[tz]|[.][0-9]{10}'), replaceRegexpOne(upper(tupleElement(r, 'createdAt')), '([.][0-9]{3})[0-9]+', '\\1'), tupleElement(r, 'createdAt')), 3, 'UTC') >= toDateTime64('0001-01-01 00:00:00.000', 3, 'UTC')) AND (parseDateTime64BestEffortOrNull(if(match(tupleElement(r, 'createdAt'), '[tz]|[.][0-9]{10}'), replaceRegexpOne(upper(tupleElement(r, 'createdAt')), '([.][0-9]{3})[0-9]+', '\\1'), tupleElement(r, 'createdAt')), 3, 'UTC') <= toDateTime64('9999-12-31 23:59:59.999', 3, 'UTC'))), parseDateTime64BestEffortOrNull(if(match(tupleElement(r, 'createdAt'), '[tz]|[.][0-9]{10}'), replaceRegexpOne(upper(tupleElement(r, 'createdAt')), '([.][0-9]{3})[0-9]+', '\\1'), tupleElement(r, 'createdAt')), 3, 'UTC'), NULL) AS created_at,
    time_us,
    version,
    toUInt8(source = 'backfill') AS backfilled,
    toUInt8(operation = 'delete') AS deleted
FROM repo_records
WHERE collection = 'app.bsky.feed.post';

CREATE MATERIALIZED VIEW reposts_mv TO reposts
(
    `rkey` String,
    `did` String,
    `subject_uri` String,
    `time_us` UInt64,
    `version` UInt64,
    `backfilled` LowCardinality(UInt8),
    `deleted` LowCardinality(UInt8)
)
AS SELECT
    rkey,
    repo AS did,
    if(match(JSONExtractString(record_json, 'subject', 'uri'), '^[-{[tf0-9]') AND ((JSONType(record_json, 'subject', 'uri') != 'String') OR (match(JSONExtractString(record_json, 'subject', 'uri'), '^-?[0-9]{20,}$') AND (position(record_json, concat('"', JSONExtractString(record_json, 'subject', 'uri'), '"')) = 0))), '', JSONExtractString(record_json, 'subject', 'uri')) AS subject_uri,
    time_us,
    version,
    toUInt8(source = 'backfill') AS backfilled,
    toUInt8(operation = 'delete') AS deleted
FROM repo_records
WHERE collection = 'app.bsky.feed.repost';

CREATE MATERIALIZED VIEW retractions_mv TO retractions
(
    `kind` String,
    `rkey` String,
    `did` String,
    `version` UInt64
)
AS SELECT
    transform(CAST(collection, 'String'), ['app.bsky.feed.post', 'app.bsky.feed.like', 'app.bsky.feed.repost', 'app.bsky.graph.follow'], ['post', 'like', 'repost', 'follow'], '') AS kind,
    rkey,
    repo AS did,
    version
FROM repo_records
WHERE (operation != 'create') AND (collection IN ('app.bsky.feed.post', 'app.bsky.feed.like', 'app.bsky.feed.repost', 'app.bsky.graph.follow'));

-- ClickHouse: views

CREATE VIEW actors
(
    `did` String,
    `handle` String,
    `active` Nullable(UInt8),
    `status` String,
    `display_name` String,
    `description` String,
    `avatar` String,
    `handle_us` UInt64,
    `unverified` UInt8
)
AS SELECT
    did,
    if(unverified, '', told_handle) AS handle,
    active,
    status,
    display_name,
    description,
    avatar,
    handle_us,
    unverified
FROM
(
    SELECT
        did,
        lower(argMaxIf(known_handle, known_us, known_handle != '')) AS told_handle,
        max(known_active) AS active,
        max(known_status) AS status,
        argMaxIf(known_display_name, name_us, name_us > 0) AS display_name,
        max(known_description) AS description,
        max(known_avatar) AS avatar,
        maxIf(known_us, known_handle != '') AS handle_us,
        toUInt8(told_handle = 'handle.invalid') AS unverified
    FROM
    (
        SELECT
            did,
            handle AS known_handle,
            version AS known_us,
            NULL AS known_active,
            '' AS known_status,
            '' AS known_display_name,
            CAST('0', 'UInt64') AS name_us,
            '' AS known_description,
            '' AS known_avatar
        FROM actor_identities
        FINAL
        UNION ALL
        SELECT
            did,
            handle,
            handle_us,
            NULL,
            '',
            display_name,
            toUInt64(version - 3600000000),
            '',
            ''
        FROM actor_fills
        FINAL
        WHERE (handle != '') OR (display_name != '')
        UNION ALL
        SELECT
            did,
            '',
            CAST('0', 'UInt64'),
            active,
            CAST(status, 'String'),
            '',
            CAST('0', 'UInt64'),
            '',
            ''
        FROM actor_accounts
        FINAL
        UNION ALL
        SELECT
            did,
            '',
            CAST('0', 'UInt64'),
            NULL,
            '',
            display_name,
            intDiv(version, 1024),
            description,
            avatar
        FROM actor_profiles
        FINAL
    )
    GROUP BY did
);

CREATE VIEW daily_stats_distinct_actors
AS SELECT
    toDate(hour) AS day,
    uniqCombined64MergeIf(17)(actors, kind = 'post') AS post_actors,
    uniqCombined64MergeIf(17)(actors, kind = 'like') AS like_actors,
    uniqCombined64MergeIf(17)(actors, kind = 'repost') AS repost_actors,
    uniqCombined64MergeIf(17)(actors, kind = 'follow') AS follow_actors,
    uniqCombined64MergeIf(17)(actors, kind = 'block') AS block_actors,
    uniqCombined64Merge(17)(actors) AS all_actors
FROM daily_stats_actors
WHERE (hour >= toDateTime({low:Date}, 'UTC')) AND (hour < toDateTime({high:Date}, 'UTC'))
GROUP BY day;

CREATE VIEW daily_stats_graph
AS SELECT
    day,
    uniqExactIf(cityHash64(repo, rkey), collection = 'app.bsky.graph.follow') AS follows,
    uniqExactIf(cityHash64(repo, rkey), collection = 'app.bsky.graph.block') AS blocks
FROM repo_records
ANY LEFT JOIN
(
    SELECT
        collection,
        repo,
        rkey,
        max(version) AS gone
    FROM repo_records
    WHERE (day >= {low:Date}) AND (collection IN ('app.bsky.graph.follow', 'app.bsky.graph.block')) AND (operation = 'delete')
    GROUP BY
        collection,
        repo,
        rkey
) AS deleted USING (collection, repo, rkey)
WHERE (day >= {low:Date}) AND (day < {high:Date}) AND (collection IN ('app.bsky.graph.follow', 'app.bsky.graph.block')) AND (operation = 'create') AND (source = 'jetstream') AND (version > gone)
GROUP BY day;

CREATE VIEW daily_stats_likes
AS SELECT
    toDate(fromUnixTimestamp64Micro(toInt64(intDiv(reinterpretAsUInt64(reverse(tryBase32Decode(concat('AAA', translate(rkey, '234567abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'))))), 1024)), 'UTC')) AS day,
    count() AS likes
FROM likes
FINAL
WHERE (rkey >= {low:String}) AND (rkey < {high:String}) AND eligible AND (backfilled = 0) AND (deleted = 0)
GROUP BY day;

CREATE VIEW daily_stats_posts
AS SELECT
    toDate(fromUnixTimestamp64Micro(toInt64(intDiv(reinterpretAsUInt64(reverse(tryBase32Decode(concat('AAA', translate(rkey, '234567abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'))))), 1024)), 'UTC')) AS day,
    count() AS posts,
    countIf(images > 0) AS posts_with_images,
    sum(images) AS images_total,
    sum(images_with_alt) AS images_with_alt_total
FROM posts
FINAL
WHERE (rkey >= {low:String}) AND (rkey < {high:String}) AND eligible AND (backfilled = 0) AND (deleted = 0)
GROUP BY day;

CREATE VIEW daily_stats_reposts
AS SELECT
    toDate(fromUnixTimestamp64Micro(toInt64(intDiv(reinterpretAsUInt64(reverse(tryBase32Decode(concat('AAA', translate(rkey, '234567abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'))))), 1024)), 'UTC')) AS day,
    count() AS reposts
FROM reposts
FINAL
WHERE (rkey >= {low:String}) AND (rkey < {high:String}) AND eligible AND (backfilled = 0) AND (deleted = 0)
GROUP BY day;

CREATE VIEW following_counts
(
    `did` String,
    `following` UInt64
)
AS SELECT
    did,
    uniqExact(subject_did) AS following
FROM follows
FINAL
WHERE deleted = 0
GROUP BY did;

CREATE VIEW recent_posts
(
    `rkey` String,
    `did` String,
    `cid` String,
    `text` String,
    `langs` Array(LowCardinality(String)),
    `tags` Array(String),
    `mentions` Array(String),
    `links` Array(String),
    `domains` Array(String),
    `parent_uri` String,
    `root_uri` String,
    `quote_uri` String,
    `embed_kind` LowCardinality(String),
    `images` UInt8,
    `images_with_alt` UInt8,
    `has_video` UInt8,
    `labels` Array(LowCardinality(String)),
    `created_at` Nullable(DateTime64(3, 'UTC')),
    `time_us` UInt64,
    `version` UInt64,
    `uri` String,
    `posted_at` DateTime64(6, 'UTC')
)
AS SELECT
    rkey,
    did,
    cid,
    text,
    langs,
    tags,
    mentions,
    links,
    domains,
    parent_uri,
    root_uri,
    quote_uri,
    embed_kind,
    images,
    images_with_alt,
    has_video,
    labels,
    created_at,
    time_us,
    version,
    uri,
    fromUnixTimestamp64Micro(toInt64(intDiv(reinterpretAsUInt64(reverse(tryBase32Decode(concat('AAA', translate(rkey, '234567abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'))))), 1024)), 'UTC') AS posted_at
FROM posts
FINAL
WHERE (rkey >= translate(substring(base32Encode(concat('\0\0', reverse(reinterpretAsFixedString(bitShiftLeft(toUInt64(toUnixTimestamp64Micro(now64(6)) - ((72 * 3600) * 1000000)), 10))))), 4), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', '234567abcdefghijklmnopqrstuvwxyz')) AND (rkey < translate(substring(base32Encode(concat('\0\0', reverse(reinterpretAsFixedString(bitShiftLeft(toUInt64(toUnixTimestamp64Micro(now64(6)) + (120 * 1000000)), 10))))), 4), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', '234567abcdefghijklmnopqrstuvwxyz')) AND eligible AND (deleted = 0);

CREATE VIEW recent_posts_with_score
(
    `rkey` String,
    `did` String,
    `cid` String,
    `text` String,
    `langs` Array(LowCardinality(String)),
    `tags` Array(String),
    `mentions` Array(String),
    `links` Array(String),
    `domains` Array(String),
    `parent_uri` String,
    `root_uri` String,
    `quote_uri` String,
    `embed_kind` LowCardinality(String),
    `images` UInt8,
    `images_with_alt` UInt8,
    `has_video` UInt8,
    `labels` Array(LowCardinality(String)),
    `created_at` Nullable(DateTime64(3, 'UTC')),
    `time_us` UInt64,
    `version` UInt64,
    `uri` String,
    `posted_at` DateTime64(6, 'UTC'),
    `likes` UInt64,
    `reposts` UInt64,
    `age_hours` Float64,
    `score` Float64
)
AS SELECT
    post.*,
    counts.likes AS likes,
    counts.reposts AS reposts,
    greatest(toUnixTimestamp64Micro(now64(6)) - toUnixTimestamp64Micro(post.posted_at), 0) / 3600000000 AS age_hours,
    (toFloat64(counts.likes) - 1) / pow(age_hours + 2, 1.8) AS score
FROM
(
    SELECT *
    FROM recent_posts
    WHERE parent_uri = ''
) AS post
LEFT JOIN
(
    SELECT
        subject_uri,
        uniqExactIf(cityHash64(did), kind = 'like') AS likes,
        uniqExactIf(cityHash64(did), kind = 'repost') AS reposts
    FROM engagement
    ANY LEFT JOIN
    (
        SELECT
            kind,
            rkey,
            did,
            version AS gone
        FROM retractions
        FINAL
        WHERE (kind IN ('like', 'repost')) AND (rkey >= translate(substring(base32Encode(concat('\0\0', reverse(reinterpretAsFixedString(bitShiftLeft(toUInt64(toUnixTimestamp64Micro(now64(6)) - ((72 * 3600) * 1000000)), 10))))), 4), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', '234567abcdefghijklmnopqrstuvwxyz'))
    ) AS retracted USING (kind, rkey, did)
    WHERE (kind IN ('like', 'repost')) AND (subject_rkey >= translate(substring(base32Encode(concat('\0\0', reverse(reinterpretAsFixedString(bitShiftLeft(toUInt64(toUnixTimestamp64Micro(now64(6)) - ((72 * 3600) * 1000000)), 10))))), 4), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', '234567abcdefghijklmnopqrstuvwxyz')) AND (subject_rkey < translate(substring(base32Encode(concat('\0\0', reverse(reinterpretAsFixedString(bitShiftLeft(toUInt64(toUnixTimestamp64Micro(now64(6)) + (120 * 1000000)), 10))))), 4), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', '234567abcdefghijklmnopqrstuvwxyz')) AND (rkey >= translate(substring(base32Encode(concat('\0\0', reverse(reinterpretAsFixedString(bitShiftLeft(toUInt64(toUnixTimestamp64Micro(now64(6)) - ((72 * 3600) * 1000000)), 10))))), 4), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', '234567abcdefghijklmnopqrstuvwxyz')) AND (version >= gone)
    GROUP BY subject_uri
) AS counts ON counts.subject_uri = post.uri;

-- Relational: tables and indexes

CREATE TABLE "apikeys_apikey" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "time_us" bigint NOT NULL, "published_us" bigint NOT NULL, "deleted" bool NOT NULL, "key_id" varchar(32) NOT NULL UNIQUE, "secret_hash" varchar(64) NOT NULL, "scopes" text NOT NULL CHECK ((JSON_VALID("scopes") OR "scopes" IS NULL)), "feeds" text NOT NULL CHECK ((JSON_VALID("feeds") OR "feeds" IS NULL)), "note" text NOT NULL, "rate_limit" integer unsigned NOT NULL CHECK ("rate_limit" >= 0), "created_at" datetime NOT NULL, "expires_at" datetime NULL, "revoked_at" datetime NULL, "user_id" integer NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "old_hash" varchar(64) NOT NULL, "old_valid_until" datetime NULL);

CREATE INDEX "apikeys_apikey_due" ON "apikeys_apikey" ("time_us") WHERE "published_us" < ("time_us");

CREATE INDEX "apikeys_apikey_user_id_65d44bd6" ON "apikeys_apikey" ("user_id");

CREATE TABLE "apikeys_historicalapikey" ("id" bigint NOT NULL, "time_us" bigint NOT NULL, "deleted" bool NOT NULL, "key_id" varchar(32) NOT NULL, "scopes" text NOT NULL CHECK ((JSON_VALID("scopes") OR "scopes" IS NULL)), "feeds" text NOT NULL CHECK ((JSON_VALID("feeds") OR "feeds" IS NULL)), "note" text NOT NULL, "rate_limit" integer unsigned NOT NULL CHECK ("rate_limit" >= 0), "created_at" datetime NOT NULL, "expires_at" datetime NULL, "revoked_at" datetime NULL, "history_id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "history_date" datetime NOT NULL, "history_change_reason" varchar(100) NULL, "history_type" varchar(1) NOT NULL, "history_user_id" integer NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "user_id" integer NULL, "old_valid_until" datetime NULL);

CREATE INDEX "apikeys_historicalapikey_history_date_5f2412fa" ON "apikeys_historicalapikey" ("history_date");

CREATE INDEX "apikeys_historicalapikey_history_user_id_3592d9f1" ON "apikeys_historicalapikey" ("history_user_id");

CREATE INDEX "apikeys_historicalapikey_id_9137d063" ON "apikeys_historicalapikey" ("id");

CREATE INDEX "apikeys_historicalapikey_key_id_45ed0463" ON "apikeys_historicalapikey" ("key_id");

CREATE INDEX "apikeys_historicalapikey_user_id_1f61d025" ON "apikeys_historicalapikey" ("user_id");

CREATE TABLE "auth_group" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(150) NOT NULL UNIQUE);

CREATE TABLE "auth_group_permissions" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "group_id" integer NOT NULL REFERENCES "auth_group" ("id") DEFERRABLE INITIALLY DEFERRED, "permission_id" integer NOT NULL REFERENCES "auth_permission" ("id") DEFERRABLE INITIALLY DEFERRED);

CREATE INDEX "auth_group_permissions_group_id_b120cbf9" ON "auth_group_permissions" ("group_id");

CREATE UNIQUE INDEX "auth_group_permissions_group_id_permission_id_0cd325b0_uniq" ON "auth_group_permissions" ("group_id", "permission_id");

CREATE INDEX "auth_group_permissions_permission_id_84c5c92e" ON "auth_group_permissions" ("permission_id");

CREATE TABLE "auth_permission" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "content_type_id" integer NOT NULL REFERENCES "django_content_type" ("id") DEFERRABLE INITIALLY DEFERRED, "codename" varchar(100) NOT NULL, "name" varchar(255) NOT NULL);

CREATE INDEX "auth_permission_content_type_id_2f476e4b" ON "auth_permission" ("content_type_id");

CREATE UNIQUE INDEX "auth_permission_content_type_id_codename_01ab375a_uniq" ON "auth_permission" ("content_type_id", "codename");

CREATE TABLE "auth_user" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "password" varchar(128) NOT NULL, "last_login" datetime NULL, "is_superuser" bool NOT NULL, "username" varchar(150) NOT NULL UNIQUE, "last_name" varchar(150) NOT NULL, "email" varchar(254) NOT NULL, "is_staff" bool NOT NULL, "is_active" bool NOT NULL, "date_joined" datetime NOT NULL, "first_name" varchar(150) NOT NULL);

CREATE TABLE "auth_user_groups" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "group_id" integer NOT NULL REFERENCES "auth_group" ("id") DEFERRABLE INITIALLY DEFERRED);

CREATE INDEX "auth_user_groups_group_id_97559544" ON "auth_user_groups" ("group_id");

CREATE INDEX "auth_user_groups_user_id_6a12ed8b" ON "auth_user_groups" ("user_id");

CREATE UNIQUE INDEX "auth_user_groups_user_id_group_id_94350c0c_uniq" ON "auth_user_groups" ("user_id", "group_id");

CREATE TABLE "auth_user_user_permissions" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "permission_id" integer NOT NULL REFERENCES "auth_permission" ("id") DEFERRABLE INITIALLY DEFERRED);

CREATE INDEX "auth_user_user_permissions_permission_id_1fbb5f2c" ON "auth_user_user_permissions" ("permission_id");

CREATE INDEX "auth_user_user_permissions_user_id_a95ead1b" ON "auth_user_user_permissions" ("user_id");

CREATE UNIQUE INDEX "auth_user_user_permissions_user_id_permission_id_14a6b632_uniq" ON "auth_user_user_permissions" ("user_id", "permission_id");

CREATE TABLE "cleanup_cleanupaudit" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "at" datetime NOT NULL, "job_id" varchar(13) NOT NULL, "did" varchar(2048) NOT NULL, "action" varchar(40) NOT NULL, "by" varchar(150) NOT NULL, "address_hash" varchar(64) NOT NULL);

CREATE INDEX "cleanup_cleanupaudit_at_b0b3dc66" ON "cleanup_cleanupaudit" ("at");

CREATE INDEX "cleanup_cleanupaudit_job_id_5f7d417c" ON "cleanup_cleanupaudit" ("job_id");

CREATE TABLE "cleanup_cleanupbatch" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "number" integer unsigned NOT NULL CHECK ("number" >= 0), "ended_at" datetime NULL, "records" integer unsigned NOT NULL CHECK ("records" >= 0), "records_deleted" integer unsigned NOT NULL CHECK ("records_deleted" >= 0), "records_gone" integer unsigned NOT NULL CHECK ("records_gone" >= 0), "error" text NOT NULL, "job_id" bigint NOT NULL REFERENCES "cleanup_repocleanupjob" ("id") DEFERRABLE INITIALLY DEFERRED, "items" text NOT NULL CHECK ((JSON_VALID("items") OR "items" IS NULL)), "outcome" varchar(200) NOT NULL, "failures" smallint unsigned NOT NULL CHECK ("failures" >= 0), "began_at" datetime NULL, CONSTRAINT "cleanup_cleanupbatch_once" UNIQUE ("job_id", "number"));

CREATE INDEX "cleanup_cleanupbatch_job_id_1a924375" ON "cleanup_cleanupbatch" ("job_id");

CREATE TABLE "cleanup_cleanupswitch" ("id" smallint unsigned NOT NULL PRIMARY KEY CHECK ("id" >= 0), "paused" bool NOT NULL, "changed_at" datetime NOT NULL, "changed_by" varchar(150) NOT NULL, CONSTRAINT "cleanup_cleanupswitch_one" CHECK ("id" = 1));

CREATE TABLE "cleanup_historicalrepocleanupjob" ("id" bigint NOT NULL, "time_us" bigint NOT NULL, "deleted" bool NOT NULL, "reason" text NOT NULL, "next_at" datetime NULL, "finished_at" datetime NULL, "job_id" varchar(13) NOT NULL, "did" varchar(2048) NOT NULL, "cut_off" datetime NOT NULL, "state" varchar(16) NOT NULL, "requested_by" varchar(150) NOT NULL, "records_planned" bigint unsigned NOT NULL CHECK ("records_planned" >= 0), "records_deleted" bigint unsigned NOT NULL CHECK ("records_deleted" >= 0), "records_gone" bigint unsigned NOT NULL CHECK ("records_gone" >= 0), "created_at" datetime NOT NULL, "planned_at" datetime NULL, "started_at" datetime NULL, "history_id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "history_date" datetime NOT NULL, "history_change_reason" varchar(100) NULL, "history_type" varchar(1) NOT NULL, "history_user_id" integer NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "types" text NOT NULL CHECK ((JSON_VALID("types") OR "types" IS NULL)), "backup_until" datetime NULL, "confirmed_at" datetime NULL, "handle" varchar(253) NOT NULL, "kind" varchar(6) NOT NULL, "permitted" bool NOT NULL, "records_kept" bigint unsigned NOT NULL CHECK ("records_kept" >= 0), "undoes_id" bigint NULL);

CREATE INDEX "cleanup_historicalrepocleanupjob_history_date_74c28933" ON "cleanup_historicalrepocleanupjob" ("history_date");

CREATE INDEX "cleanup_historicalrepocleanupjob_history_user_id_4f5c6732" ON "cleanup_historicalrepocleanupjob" ("history_user_id");

CREATE INDEX "cleanup_historicalrepocleanupjob_id_29dc53c0" ON "cleanup_historicalrepocleanupjob" ("id");

CREATE INDEX "cleanup_historicalrepocleanupjob_job_id_ee130ba3" ON "cleanup_historicalrepocleanupjob" ("job_id");

CREATE INDEX "cleanup_historicalrepocleanupjob_undoes_id_137cb1a9" ON "cleanup_historicalrepocleanupjob" ("undoes_id");

CREATE TABLE "cleanup_pdssession" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "did" varchar(2048) NOT NULL, "pds" varchar(300) NOT NULL, "sealed" BLOB NOT NULL, "created_at" datetime NOT NULL, "refreshed_at" datetime NOT NULL, "expires_at" datetime NOT NULL, "job_id" bigint NULL UNIQUE REFERENCES "cleanup_repocleanupjob" ("id") DEFERRABLE INITIALLY DEFERRED);

CREATE INDEX "cleanup_pdssession_expires_at_79caf23e" ON "cleanup_pdssession" ("expires_at");

CREATE TABLE "cleanup_pointssent" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "did" varchar(2048) NOT NULL, "sent_at" datetime NOT NULL, "points" integer unsigned NOT NULL CHECK ("points" >= 0));

CREATE INDEX "cleanup_pointssent_when" ON "cleanup_pointssent" ("did", "sent_at");

CREATE TABLE "cleanup_refusedaccount" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "did" varchar(2048) NOT NULL UNIQUE, "note" varchar(500) NOT NULL, "created_at" datetime NOT NULL, "created_by" varchar(150) NOT NULL);

CREATE TABLE "cleanup_repocleanupjob" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "time_us" bigint NOT NULL, "published_us" bigint NOT NULL, "deleted" bool NOT NULL, "reason" text NOT NULL, "next_at" datetime NULL, "leased_until" datetime NULL, "fence" bigint unsigned NOT NULL CHECK ("fence" >= 0), "tries" integer unsigned NOT NULL CHECK ("tries" >= 0), "cancel_asked_by" varchar(150) NOT NULL, "finished_at" datetime NULL, "job_id" varchar(13) NOT NULL UNIQUE, "did" varchar(2048) NOT NULL, "cut_off" datetime NOT NULL, "state" varchar(16) NOT NULL, "requested_by" varchar(150) NOT NULL, "records_planned" bigint unsigned NOT NULL CHECK ("records_planned" >= 0), "records_deleted" bigint unsigned NOT NULL CHECK ("records_deleted" >= 0), "records_gone" bigint unsigned NOT NULL CHECK ("records_gone" >= 0), "created_at" datetime NOT NULL, "planned_at" datetime NULL, "started_at" datetime NULL, "types" text NOT NULL CHECK ((JSON_VALID("types") OR "types" IS NULL)), "backup" varchar(100) NOT NULL, "backup_until" datetime NULL, "commit" varchar(200) NOT NULL, "confirmed_at" datetime NULL, "handle" varchar(253) NOT NULL, "kind" varchar(6) NOT NULL, "permitted" bool NOT NULL, "plan" text NOT NULL CHECK ((JSON_VALID("plan") OR "plan" IS NULL)), "plan_digest" varchar(64) NOT NULL, "records_kept" bigint unsigned NOT NULL CHECK ("records_kept" >= 0), "report" text NOT NULL CHECK ((JSON_VALID("report") OR "report" IS NULL)), "rev" varchar(13) NOT NULL, "rules" text NOT NULL CHECK ((JSON_VALID("rules") OR "rules" IS NULL)), "stage" varchar(200) NOT NULL, "swaps_refused" smallint unsigned NOT NULL CHECK ("swaps_refused" >= 0), "token_hash" varchar(64) NOT NULL, "undoes_id" bigint NULL REFERENCES "cleanup_repocleanupjob" ("id") DEFERRABLE INITIALLY DEFERRED);

CREATE INDEX "cleanup_repocleanupjob_due" ON "cleanup_repocleanupjob" ("time_us") WHERE "published_us" < ("time_us");

CREATE INDEX "cleanup_repocleanupjob_leased" ON "cleanup_repocleanupjob" ("leased_until");

CREATE INDEX "cleanup_repocleanupjob_next" ON "cleanup_repocleanupjob" ("next_at");

CREATE UNIQUE INDEX "cleanup_repocleanupjob_one_active" ON "cleanup_repocleanupjob" ("did") WHERE (NOT "deleted" AND "state" IN ('needs_sign_in', 'planned', 'planning', 'running', 'waiting'));

CREATE INDEX "cleanup_repocleanupjob_undoes_id_0c59c47f" ON "cleanup_repocleanupjob" ("undoes_id");

CREATE TABLE "django_admin_log" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "object_id" text NULL, "object_repr" varchar(200) NOT NULL, "action_flag" smallint unsigned NOT NULL CHECK ("action_flag" >= 0), "change_message" text NOT NULL, "content_type_id" integer NULL REFERENCES "django_content_type" ("id") DEFERRABLE INITIALLY DEFERRED, "user_id" integer NOT NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "action_time" datetime NOT NULL);

CREATE INDEX "django_admin_log_content_type_id_c4bce8eb" ON "django_admin_log" ("content_type_id");

CREATE INDEX "django_admin_log_user_id_c564eba6" ON "django_admin_log" ("user_id");

CREATE TABLE "django_content_type" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app_label" varchar(100) NOT NULL, "model" varchar(100) NOT NULL);

CREATE UNIQUE INDEX "django_content_type_app_label_model_76bd3d3b_uniq" ON "django_content_type" ("app_label", "model");

CREATE TABLE "django_migrations" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "app" varchar(255) NOT NULL, "name" varchar(255) NOT NULL, "applied" datetime NOT NULL);

CREATE TABLE "django_session" ("session_key" varchar(40) NOT NULL PRIMARY KEY, "session_data" text NOT NULL, "expire_date" datetime NOT NULL);

CREATE INDEX "django_session_expire_date_a5c62663" ON "django_session" ("expire_date");

CREATE TABLE "feeds_backtest" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "reason" text NOT NULL, "next_at" datetime NULL, "leased_until" datetime NULL, "fence" bigint unsigned NOT NULL CHECK ("fence" >= 0), "tries" integer unsigned NOT NULL CHECK ("tries" >= 0), "cancel_asked_by" varchar(150) NOT NULL, "finished_at" datetime NULL, "state" varchar(16) NOT NULL, "requested_at" datetime NOT NULL, "parameters" text NOT NULL CHECK ((JSON_VALID("parameters") OR "parameters" IS NULL)), "progress" text NOT NULL CHECK ((JSON_VALID("progress") OR "progress" IS NULL)), "result" text NOT NULL CHECK ((JSON_VALID("result") OR "result" IS NULL)), "counted_at" datetime NULL, "counted_for" text NOT NULL CHECK ((JSON_VALID("counted_for") OR "counted_for" IS NULL)), "feed_id" bigint NOT NULL UNIQUE REFERENCES "feeds_feeddefinition" ("id") DEFERRABLE INITIALLY DEFERRED);

CREATE INDEX "feeds_backtest_leased" ON "feeds_backtest" ("leased_until");

CREATE INDEX "feeds_backtest_next" ON "feeds_backtest" ("next_at");

CREATE TABLE "feeds_feeddefinition" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "publisher" varchar(2048) NOT NULL, "rkey" varchar(512) NOT NULL, "kind" varchar(32) NOT NULL, "parameters" text NOT NULL CHECK ((JSON_VALID("parameters") OR "parameters" IS NULL)), "display_name" varchar(24) NOT NULL, "description" text NOT NULL, "visibility" varchar(16) NOT NULL, "pinned_post" varchar(2648) NOT NULL, "instructions_post" varchar(2648) NOT NULL, "enabled" bool NOT NULL, "waits_for_members" bool NOT NULL, CONSTRAINT "feeds_feeddefinition_once" UNIQUE ("publisher", "rkey"));

CREATE TABLE "feeds_historicalfeeddefinition" ("id" bigint NOT NULL, "publisher" varchar(2048) NOT NULL, "rkey" varchar(512) NOT NULL, "kind" varchar(32) NOT NULL, "parameters" text NOT NULL CHECK ((JSON_VALID("parameters") OR "parameters" IS NULL)), "display_name" varchar(24) NOT NULL, "description" text NOT NULL, "visibility" varchar(16) NOT NULL, "pinned_post" varchar(2648) NOT NULL, "instructions_post" varchar(2648) NOT NULL, "enabled" bool NOT NULL, "history_id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "history_date" datetime NOT NULL, "history_change_reason" varchar(100) NULL, "history_type" varchar(1) NOT NULL, "history_user_id" integer NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "waits_for_members" bool NOT NULL);

CREATE INDEX "feeds_historicalfeeddefinition_history_date_a3384c3c" ON "feeds_historicalfeeddefinition" ("history_date");

CREATE INDEX "feeds_historicalfeeddefinition_history_user_id_b190ec62" ON "feeds_historicalfeeddefinition" ("history_user_id");

CREATE INDEX "feeds_historicalfeeddefinition_id_21750056" ON "feeds_historicalfeeddefinition" ("id");

CREATE TABLE "feeds_historicalpinnedpost" ("id" bigint NOT NULL, "position" integer NOT NULL, "uri" varchar(2648) NOT NULL, "history_id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "history_date" datetime NOT NULL, "history_change_reason" varchar(100) NULL, "history_type" varchar(1) NOT NULL, "feed_id" bigint NULL, "history_user_id" integer NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED);

CREATE INDEX "feeds_historicalpinnedpost_feed_id_b43672cf" ON "feeds_historicalpinnedpost" ("feed_id");

CREATE INDEX "feeds_historicalpinnedpost_history_date_da3d77bb" ON "feeds_historicalpinnedpost" ("history_date");

CREATE INDEX "feeds_historicalpinnedpost_history_user_id_1c11e241" ON "feeds_historicalpinnedpost" ("history_user_id");

CREATE INDEX "feeds_historicalpinnedpost_id_bb5b19c6" ON "feeds_historicalpinnedpost" ("id");

CREATE TABLE "feeds_pinnedpost" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "position" integer NOT NULL, "uri" varchar(2648) NOT NULL, "feed_id" bigint NOT NULL REFERENCES "feeds_feeddefinition" ("id") DEFERRABLE INITIALLY DEFERRED, CONSTRAINT "feeds_pinnedpost_once" UNIQUE ("feed_id", "uri"));

CREATE INDEX "feeds_pinnedpost_feed_id_1da0955c" ON "feeds_pinnedpost" ("feed_id");

CREATE TABLE "identity_signingkey" ("did" varchar(2048) NOT NULL PRIMARY KEY, "key" varchar(128) NOT NULL, "asked_at" datetime NOT NULL);

CREATE INDEX "identity_signingkey_asked_at_945a29a3" ON "identity_signingkey" ("asked_at");

CREATE TABLE "indexer_backfill" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "did" varchar(2048) NOT NULL UNIQUE, "days" integer unsigned NOT NULL CHECK ("days" >= 0), "state" varchar(16) NOT NULL, "reason" text NOT NULL, "requested_at" datetime NOT NULL, "started_at" datetime NULL, "finished_at" datetime NULL, "tries" integer unsigned NOT NULL CHECK ("tries" >= 0), "after_us" bigint NOT NULL, "progress" text NOT NULL CHECK ((JSON_VALID("progress") OR "progress" IS NULL)), "cancel_asked_by" varchar(150) NOT NULL, "fence" bigint unsigned NOT NULL CHECK ("fence" >= 0), "leased_until" datetime NULL, "next_at" datetime NULL);

CREATE INDEX "indexer_backfill_leased" ON "indexer_backfill" ("leased_until");

CREATE INDEX "indexer_backfill_next" ON "indexer_backfill" ("next_at");

CREATE TABLE "indexer_historicalrefusedactor" ("id" bigint NOT NULL, "did" varchar(2048) NOT NULL, "note" text NOT NULL, "created_by" varchar(150) NOT NULL, "created_at" datetime NOT NULL, "history_id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "history_date" datetime NOT NULL, "history_change_reason" varchar(100) NULL, "history_type" varchar(1) NOT NULL, "history_user_id" integer NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED);

CREATE INDEX "indexer_historicalrefusedactor_did_8a0b917d" ON "indexer_historicalrefusedactor" ("did");

CREATE INDEX "indexer_historicalrefusedactor_history_date_132a53d7" ON "indexer_historicalrefusedactor" ("history_date");

CREATE INDEX "indexer_historicalrefusedactor_history_user_id_64470e47" ON "indexer_historicalrefusedactor" ("history_user_id");

CREATE INDEX "indexer_historicalrefusedactor_id_718a205f" ON "indexer_historicalrefusedactor" ("id");

CREATE TABLE "indexer_refusedactor" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "did" varchar(2048) NOT NULL UNIQUE, "note" text NOT NULL, "created_by" varchar(150) NOT NULL, "created_at" datetime NOT NULL);

CREATE TABLE "labels_actorlabel" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "time_us" bigint NOT NULL, "published_us" bigint NOT NULL, "deleted" bool NOT NULL, "did" varchar(2048) NOT NULL, "note" text NOT NULL, "created_by" varchar(150) NOT NULL, "created_at" datetime NOT NULL, "label" varchar(64) NOT NULL REFERENCES "labels_label" ("name") DEFERRABLE INITIALLY DEFERRED, "changed_by" varchar(150) NOT NULL, "changed_via" varchar(16) NOT NULL, CONSTRAINT "labels_actorlabel_once" UNIQUE ("label", "did"));

CREATE INDEX "labels_actorlabel_due" ON "labels_actorlabel" ("time_us") WHERE "published_us" < ("time_us");

CREATE INDEX "labels_actorlabel_label_cdfa0c4d" ON "labels_actorlabel" ("label");

CREATE TABLE "labels_block" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "subject" varchar(3072) NOT NULL, "feed" varchar(512) NOT NULL, "note" text NOT NULL, "created_by" varchar(150) NOT NULL, "created_at" datetime NOT NULL, CONSTRAINT "labels_block_once" UNIQUE ("subject", "feed"));

CREATE TABLE "labels_bulkchange" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "giving" bool NOT NULL, "note" text NOT NULL, "state" varchar(16) NOT NULL, "lines" text NOT NULL CHECK ((JSON_VALID("lines") OR "lines" IS NULL)), "created_by" varchar(150) NOT NULL, "created_at" datetime NOT NULL, "finished_at" datetime NULL, "label" varchar(64) NOT NULL REFERENCES "labels_label" ("name") DEFERRABLE INITIALLY DEFERRED, "fence" bigint unsigned NOT NULL CHECK ("fence" >= 0), "cancel_asked_by" varchar(150) NOT NULL, "leased_until" datetime NULL, "next_at" datetime NULL, "reason" text NOT NULL, "tries" integer unsigned NOT NULL CHECK ("tries" >= 0), "undoes_id" bigint NULL UNIQUE REFERENCES "labels_bulkchange" ("id") DEFERRABLE INITIALLY DEFERRED);

CREATE INDEX "labels_bulkchange_label_e9173f66" ON "labels_bulkchange" ("label");

CREATE INDEX "labels_bulkchange_leased" ON "labels_bulkchange" ("leased_until");

CREATE INDEX "labels_bulkchange_next" ON "labels_bulkchange" ("next_at");

CREATE TABLE "labels_historicalactorlabel" ("id" bigint NOT NULL, "time_us" bigint NOT NULL, "deleted" bool NOT NULL, "did" varchar(2048) NOT NULL, "note" text NOT NULL, "created_by" varchar(150) NOT NULL, "created_at" datetime NOT NULL, "history_id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "history_date" datetime NOT NULL, "history_change_reason" varchar(100) NULL, "history_type" varchar(1) NOT NULL, "history_user_id" integer NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED, "label" varchar(64) NULL, "changed_by" varchar(150) NOT NULL, "changed_via" varchar(16) NOT NULL);

CREATE INDEX "labels_historicalactorlabel_history_date_2becc05f" ON "labels_historicalactorlabel" ("history_date");

CREATE INDEX "labels_historicalactorlabel_history_user_id_a2086bf3" ON "labels_historicalactorlabel" ("history_user_id");

CREATE INDEX "labels_historicalactorlabel_id_32dd98e8" ON "labels_historicalactorlabel" ("id");

CREATE INDEX "labels_historicalactorlabel_label_79f7853b" ON "labels_historicalactorlabel" ("label");

CREATE TABLE "labels_historicalblock" ("id" bigint NOT NULL, "subject" varchar(3072) NOT NULL, "feed" varchar(512) NOT NULL, "note" text NOT NULL, "created_by" varchar(150) NOT NULL, "created_at" datetime NOT NULL, "history_id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "history_date" datetime NOT NULL, "history_change_reason" varchar(100) NULL, "history_type" varchar(1) NOT NULL, "history_user_id" integer NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED);

CREATE INDEX "labels_historicalblock_history_date_1aa39c57" ON "labels_historicalblock" ("history_date");

CREATE INDEX "labels_historicalblock_history_user_id_b7b922ea" ON "labels_historicalblock" ("history_user_id");

CREATE INDEX "labels_historicalblock_id_968d657b" ON "labels_historicalblock" ("id");

CREATE TABLE "labels_historicallabel" ("id" bigint NOT NULL, "name" varchar(64) NOT NULL, "meaning" text NOT NULL, "history_id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "history_date" datetime NOT NULL, "history_change_reason" varchar(100) NULL, "history_type" varchar(1) NOT NULL, "history_user_id" integer NULL REFERENCES "auth_user" ("id") DEFERRABLE INITIALLY DEFERRED);

CREATE INDEX "labels_historicallabel_history_date_4249b2b8" ON "labels_historicallabel" ("history_date");

CREATE INDEX "labels_historicallabel_history_user_id_120cf850" ON "labels_historicallabel" ("history_user_id");

CREATE INDEX "labels_historicallabel_id_c1753076" ON "labels_historicallabel" ("id");

CREATE INDEX "labels_historicallabel_name_babf8d2a" ON "labels_historicallabel" ("name");

CREATE TABLE "labels_label" ("id" integer NOT NULL PRIMARY KEY AUTOINCREMENT, "name" varchar(64) NOT NULL UNIQUE, "meaning" text NOT NULL);

CREATE TABLE "publish_lastissued" ("id" smallint unsigned NOT NULL PRIMARY KEY CHECK ("id" >= 0), "time_us" bigint NOT NULL);
