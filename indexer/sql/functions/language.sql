-- A language tag as it is compared: lower case, - between its parts, and the shortest code of its language (RFC 5646, section 4.5): pt_BR -> pt-br,
-- por -> pt, PT -> pt. The codes of three letters are those of ISO 639-2, both of them where a language has two; the five of two letters were withdrawn.
CREATE OR REPLACE FUNCTION atsiteLanguage AS (tag) -> concat(
    transform(
        splitByChar('-', lower(replaceAll(tag, '_', '-')))[1],
        splitByWhitespace('
aar abk afr aka alb amh ara arg arm asm ava ave aym aze bak bam baq bel ben bis bod bos bre bul bur cat ces cha che chi chu chv cor cos cre
cym cze dan deu div dut dzo ell eng epo est eus ewe fao fas fij fin fra fre fry ful geo ger gla gle glg glv gre grn guj hat hau heb her hin
hmo hrv hun hye ibo ice ido iii iku ile in ina ind ipk isl ita iw jav ji jpn jw kal kan kas kat kau kaz khm kik kin kir kom kon kor kua kur
lao lat lav lim lin lit ltz lub lug mac mah mal mao mar may mkd mlg mlt mo mon mri msa mya nau nav nbl nde ndo nep nld nno nob nor nya oci
oji ori orm oss pan per pli pol por pus que roh ron rum run rus sag san sin slk slo slv sme smo sna snd som sot spa sqi srd srp ssw sun swa
swe tah tam tat tel tgk tgl tha tib tir ton tsn tso tuk tur twi uig ukr urd uzb ven vie vol wel wln wol xho yid yor zha zho zul'),
        splitByWhitespace('
aa ab af ak sq am ar an hy as av ae ay az ba bm eu be bn bi bo bs br bg my ca cs ch ce zh cu cv kw co cr cy cs da de dv nl dz el en eo et eu
ee fo fa fj fi fr fr fy ff ka de gd ga gl gv el gn gu ht ha he hz hi ho hr hu hy ig is io ii iu ie id ia id ik is it he jv yi ja jv kl kn ks
ka kr kk km ki rw ky kv kg ko kj ku lo la lv li ln lt lb lu lg mk mh ml mi mr ms mk mg mt ro mn mi ms my na nv nr nd ng ne nl nn nb no ny oc
oj or om os pa fa pi pl pt ps qu rm ro ro rn ru sg sa si sk sk sl se sm sn sd so st es sq sc sr ss su sw sv ty ta tt te tg tl th bo ti to tn
ts tk tr tw ug uk ur uz ve vi vo cy wa wo xh yi yo za zh zu'),
        splitByChar('-', lower(replaceAll(tag, '_', '-')))[1]),
    substring(lower(replaceAll(tag, '_', '-')), 1 + length(splitByChar('-', replaceAll(tag, '_', '-'))[1])))
