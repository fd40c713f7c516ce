//! Names of collations.
//!
//! A SQL collation (`SQL_…`) has one name and a sort order of its own number. A Windows collation's name is put
//! together: designator, version, what is distinguished, `_SC`, `_UTF8`.

use super::code_page::CodePage;
use super::{Collation, Origin, Sensitivity, Version};

/// A collation that is known by a sort order's number.
pub(super) struct SqlCollation {
    pub(super) name: &'static str,
    pub(super) sort_id: u8,
    pub(super) code_page: CodePage,
}

const fn sql(name: &'static str, sort_id: u8, code_page: CodePage) -> SqlCollation {
    SqlCollation { name, sort_id, code_page }
}

/// The SQL collations of the English locale; the first is the server's.
pub(super) const SQL_COLLATIONS: &[SqlCollation] = &[
    sql("SQL_Latin1_General_CP1_CI_AS", 52, CodePage::Windows1252),
    sql("SQL_Latin1_General_CP1_CS_AS", 51, CodePage::Windows1252),
    sql("SQL_Latin1_General_CP1_CI_AI", 54, CodePage::Windows1252),
    sql("SQL_Latin1_General_Pref_CP1_CI_AS", 53, CodePage::Windows1252),
    sql("SQL_Latin1_General_CP437_BIN", 30, CodePage::Dos437),
    sql("SQL_Latin1_General_CP437_CS_AS", 31, CodePage::Dos437),
    sql("SQL_Latin1_General_CP437_CI_AS", 32, CodePage::Dos437),
    sql("SQL_Latin1_General_Pref_CP437_CI_AS", 33, CodePage::Dos437),
    sql("SQL_Latin1_General_CP437_CI_AI", 34, CodePage::Dos437),
    sql("SQL_Latin1_General_CP850_BIN", 40, CodePage::Dos850),
    sql("SQL_Latin1_General_CP850_CS_AS", 41, CodePage::Dos850),
    sql("SQL_Latin1_General_CP850_CI_AS", 42, CodePage::Dos850),
    sql("SQL_Latin1_General_Pref_CP850_CI_AS", 43, CodePage::Dos850),
    sql("SQL_Latin1_General_CP850_CI_AI", 44, CodePage::Dos850),
    sql("SQL_1xCompat_CP850_CI_AS", 49, CodePage::Dos850),
    sql("SQL_AltDiction_CP850_CS_AS", 55, CodePage::Dos850),
    sql("SQL_AltDiction_Pref_CP850_CI_AS", 56, CodePage::Dos850),
    sql("SQL_AltDiction_CP850_CI_AI", 57, CodePage::Dos850),
    sql("SQL_AltDiction_CP850_CI_AS", 61, CodePage::Dos850),
    sql("SQL_Latin1_General_CP1250_CS_AS", 81, CodePage::Windows1250),
    sql("SQL_Latin1_General_CP1250_CI_AS", 82, CodePage::Windows1250),
    sql("SQL_Latin1_General_CP1251_CS_AS", 105, CodePage::Windows1251),
    sql("SQL_Latin1_General_CP1251_CI_AS", 106, CodePage::Windows1251),
    sql("SQL_Latin1_General_CP1253_CS_AS", 113, CodePage::Windows1253),
    sql("SQL_Latin1_General_CP1253_CI_AS", 114, CodePage::Windows1253),
    sql("SQL_Latin1_General_CP1254_CS_AS", 129, CodePage::Windows1254),
    sql("SQL_Latin1_General_CP1254_CI_AS", 130, CodePage::Windows1254),
    sql("SQL_Latin1_General_CP1255_CS_AS", 137, CodePage::Windows1255),
    sql("SQL_Latin1_General_CP1255_CI_AS", 138, CodePage::Windows1255),
    sql("SQL_Latin1_General_CP1256_CS_AS", 145, CodePage::Windows1256),
    sql("SQL_Latin1_General_CP1256_CI_AS", 146, CodePage::Windows1256),
    sql("SQL_Latin1_General_CP1257_CS_AS", 153, CodePage::Windows1257),
    sql("SQL_Latin1_General_CP1257_CI_AS", 154, CodePage::Windows1257),
];

/// Locale of the SQL collations above: English (United States).
pub(super) const SQL_LCID: u32 = 0x0409;

/// What the first part of a Windows collation's name stands for.
pub(super) struct Designator {
    pub(super) name: &'static str,
    pub(super) lcid: u32,
    pub(super) code_page: CodePage,
    versions: &'static [Version],
}

const fn windows(
    name: &'static str,
    lcid: u32,
    code_page: CodePage,
    versions: &'static [Version],
) -> Designator {
    Designator { name, lcid, code_page, versions }
}

const V80_V100: &[Version] = &[Version::V80, Version::V100];
const V80_V90: &[Version] = &[Version::V80, Version::V90];

/// Designators with a code page of their own; a name that begins with another's stands before it.
pub(super) const DESIGNATORS: &[Designator] = &[
    windows("Latin1_General", 0x0409, CodePage::Windows1252, V80_V100),
    windows("Albanian", 0x041C, CodePage::Windows1250, V80_V100),
    windows("Arabic", 0x0401, CodePage::Windows1256, V80_V100),
    windows("Chinese_PRC_Stroke", 0x0002_0804, CodePage::Windows936, V80_V90),
    windows("Chinese_PRC", 0x0804, CodePage::Windows936, V80_V90),
    windows("Chinese_Simplified_Pinyin", 0x0804, CodePage::Windows936, &[Version::V100]),
    windows("Chinese_Taiwan_Stroke", 0x0404, CodePage::Windows950, V80_V90),
    windows("Croatian", 0x041A, CodePage::Windows1250, V80_V100),
    windows("Cyrillic_General", 0x0419, CodePage::Windows1251, V80_V100),
    windows("Czech", 0x0405, CodePage::Windows1250, V80_V100),
    windows("Danish_Greenlandic", 0x0406, CodePage::Windows1252, &[Version::V100]),
    windows("Danish_Norwegian", 0x0406, CodePage::Windows1252, &[Version::V80]),
    windows("Estonian", 0x0425, CodePage::Windows1257, V80_V100),
    windows("Finnish_Swedish", 0x040B, CodePage::Windows1252, V80_V100),
    windows("French", 0x040C, CodePage::Windows1252, V80_V100),
    windows("German_PhoneBook", 0x0001_0407, CodePage::Windows1252, V80_V100),
    windows("Greek", 0x0408, CodePage::Windows1253, V80_V100),
    windows("Hebrew", 0x040D, CodePage::Windows1255, V80_V100),
    windows("Hungarian", 0x040E, CodePage::Windows1250, V80_V100),
    windows("Icelandic", 0x040F, CodePage::Windows1252, V80_V100),
    windows("Japanese_XJIS", 0x0411, CodePage::Windows932, &[Version::V100, Version::V140]),
    windows("Japanese", 0x0411, CodePage::Windows932, V80_V90),
    windows("Korean_Wansung", 0x0412, CodePage::Windows949, &[Version::V80]),
    windows("Korean", 0x0412, CodePage::Windows949, &[Version::V90, Version::V100]),
    windows("Latvian", 0x0426, CodePage::Windows1257, V80_V100),
    windows("Lithuanian", 0x0427, CodePage::Windows1257, V80_V100),
    windows("Modern_Spanish", 0x0C0A, CodePage::Windows1252, V80_V100),
    windows("Norwegian", 0x0414, CodePage::Windows1252, &[Version::V100]),
    windows("Polish", 0x0415, CodePage::Windows1250, V80_V100),
    windows("Romanian", 0x0418, CodePage::Windows1250, V80_V100),
    windows("Slovak", 0x041B, CodePage::Windows1250, V80_V100),
    windows("Slovenian", 0x0424, CodePage::Windows1250, V80_V100),
    windows("Thai", 0x041E, CodePage::Windows874, V80_V100),
    windows("Traditional_Spanish", 0x040A, CodePage::Windows1252, V80_V100),
    windows(TURKISH, 0x041F, CodePage::Windows1254, V80_V100),
    windows("Ukrainian", 0x0422, CodePage::Windows1251, V80_V100),
    windows("Vietnamese", 0x042A, CodePage::Windows1258, V80_V100),
];

/// The designator whose small `i` has no capital `I`.
pub(super) const TURKISH: &str = "Turkish";

/// A collation by its name, in any case of letters.
pub(super) fn parse(name: &str) -> Option<Collation> {
    let sql = SQL_COLLATIONS.iter().position(|known| known.name.eq_ignore_ascii_case(name));
    if let Some(place) = sql {
        let sensitivity =
            sensitivity(&mut name.split('_').skip_while(|part| !is_sensitivity(part)).peekable())?;
        return Some(Collation { origin: Origin::Sql(u8::try_from(place).ok()?), sensitivity });
    }
    let (place, designator) = DESIGNATORS.iter().enumerate().find(|(_, designator)| {
        name.get(..designator.name.len()).is_some_and(|start| start.eq_ignore_ascii_case(designator.name))
    })?;
    let rest = name[designator.name.len()..].strip_prefix('_')?;
    let mut parts = rest.split('_').peekable();
    let version = parts.next_if(|part| part.parse::<u32>().is_ok());
    let version = version.map_or(Some(Version::V80), Version::parse)?;
    let sensitivity = sensitivity(&mut parts)?;
    let mut option = |written: &str| parts.next_if(|part| part.eq_ignore_ascii_case(written)).is_some();
    let variation = option("VSS");
    let supplementary = option("SC");
    let utf8 = option("UTF8");
    let all_supplementary = version >= Version::V140;
    let possible = designator.versions.contains(&version)
        && parts.next().is_none()
        && !(supplementary && (all_supplementary || version == Version::V80 || sensitivity.is_binary()))
        && !(variation && (!all_supplementary || sensitivity.is_binary()))
        && (!utf8
            || version >= Version::V100 && utf8_possible(sensitivity, supplementary || all_supplementary));
    let locale = u8::try_from(place).ok()?;
    possible.then_some(Collation {
        origin: Origin::Windows { locale, version, variation, supplementary, utf8 },
        sensitivity,
    })
}

fn sql_collation(place: usize) -> Option<Collation> {
    let name = SQL_COLLATIONS[place].name;
    let mut parts = name.split('_').skip_while(|part| !is_sensitivity(part)).peekable();
    Some(Collation { origin: Origin::Sql(u8::try_from(place).ok()?), sensitivity: sensitivity(&mut parts)? })
}

/// A SQL collation by its sort order.
pub(super) fn by_sort_id(sort_id: u8) -> Option<Collation> {
    sql_collation(SQL_COLLATIONS.iter().position(|known| known.sort_id == sort_id)?)
}

/// The place of the designator that a locale has in a version.
pub(super) fn by_locale(lcid: u32, version: Version) -> Option<u8> {
    let is_it = |designator: &Designator| designator.lcid == lcid && designator.versions.contains(&version);
    DESIGNATORS.iter().position(is_it).and_then(|place| u8::try_from(place).ok())
}

fn utf8_possible(sensitivity: Sensitivity, supplementary: bool) -> bool {
    supplementary || sensitivity == Sensitivity::Binary2
}

fn is_sensitivity(part: &str) -> bool {
    ["BIN", "BIN2", "CI", "CS"].iter().any(|known| known.eq_ignore_ascii_case(part))
}

/// `BIN`, `BIN2`, or `CI_AS` with `KS` and `WS`.
fn sensitivity<'n>(parts: &mut std::iter::Peekable<impl Iterator<Item = &'n str>>) -> Option<Sensitivity> {
    let case = match parts.next()?.to_ascii_uppercase().as_str() {
        "BIN" => return Some(Sensitivity::Binary),
        "BIN2" => return Some(Sensitivity::Binary2),
        "CS" => true,
        "CI" => false,
        _ => return None,
    };
    let accent = match parts.next()?.to_ascii_uppercase().as_str() {
        "AS" => true,
        "AI" => false,
        _ => return None,
    };
    let mut option = |written: &str| parts.next_if(|part| part.eq_ignore_ascii_case(written)).is_some();
    let kana = option("KS");
    Some(Sensitivity::Linguistic { case, accent, kana, width: option("WS") })
}

/// The name in the case of letters in which the server writes it.
pub(super) fn written(collation: Collation) -> String {
    let Origin::Windows { locale, version, variation, supplementary, utf8 } = collation.origin else {
        return collation.sql().map_or("", |sql| sql.name).to_owned();
    };
    let mut name = DESIGNATORS[usize::from(locale)].name.to_owned();
    name.push_str(version.suffix());
    match collation.sensitivity {
        Sensitivity::Binary => name.push_str("_BIN"),
        Sensitivity::Binary2 => name.push_str("_BIN2"),
        Sensitivity::Linguistic { case, accent, kana, width } => {
            name.push_str(if case { "_CS" } else { "_CI" });
            name.push_str(if accent { "_AS" } else { "_AI" });
            name.push_str(if kana { "_KS" } else { "" });
            name.push_str(if width { "_WS" } else { "" });
        }
    }
    for (set, suffix) in [(variation, "_VSS"), (supplementary, "_SC"), (utf8, "_UTF8")] {
        name.push_str(if set { suffix } else { "" });
    }
    name
}
