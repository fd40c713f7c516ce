//! Collations: what text is equal, in which order it stands, and which bytes `char` and `varchar` have.
//!
//! A collation turns text into a *sort key*; two texts are equal when their sort keys are, and ordered as their sort
//! keys are. Trailing blanks never count.

mod code_page;
mod name;
mod sort_key;

use std::cmp::Ordering;
use std::fmt;

pub use code_page::CodePage;

use crate::types::SqlError;

/// A collation.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Collation {
    origin: Origin,
    sensitivity: Sensitivity,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Origin {
    /// The place in the table of SQL collations.
    Sql(u8),
    Windows {
        /// The place in the table of designators.
        locale: u8,
        version: Version,
        /// `_VSS`
        variation: bool,
        /// `_SC`
        supplementary: bool,
        utf8: bool,
    },
}

/// What a collation distinguishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Sensitivity {
    /// `_BIN`
    Binary,
    /// `_BIN2`
    Binary2,
    /// Letters always, and what is told.
    Linguistic { case: bool, accent: bool, kana: bool, width: bool },
}

impl Sensitivity {
    fn is_binary(self) -> bool {
        matches!(self, Self::Binary | Self::Binary2)
    }
}

/// Version of a Windows collation's tables; the discriminant is the one that the wire carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Version {
    V80 = 0,
    V90 = 1,
    V100 = 2,
    V140 = 3,
    V160 = 4,
}

impl Version {
    fn parse(written: &str) -> Option<Self> {
        Some(match written {
            "90" => Self::V90,
            "100" => Self::V100,
            "140" => Self::V140,
            "160" => Self::V160,
            _ => return None,
        })
    }

    fn from_wire(number: u32) -> Option<Self> {
        [Self::V80, Self::V90, Self::V100, Self::V140, Self::V160]
            .into_iter()
            .find(|version| *version as u32 == number)
    }

    /// As it stands in a name; the oldest does not.
    fn suffix(self) -> &'static str {
        match self {
            Self::V80 => "",
            Self::V90 => "_90",
            Self::V100 => "_100",
            Self::V140 => "_140",
            Self::V160 => "_160",
        }
    }
}

const BLANK: u16 = 0x20;

// A collation on the wire (MS-TDS 2.2.5.1.2): 20 bits of the locale, `ColFlags`, four bits of the version.
const LCID: u32 = 0xF_FFFF;
const IGNORES_CASE: u32 = 1 << 20;
const IGNORES_ACCENT: u32 = 1 << 21;
const IGNORES_WIDTH: u32 = 1 << 22;
const IGNORES_KANA: u32 = 1 << 23;
const BINARY: u32 = 1 << 24;
const BINARY2: u32 = 1 << 25;
const UTF8: u32 = 1 << 26;
const VERSION_SHIFT: u32 = 28;

impl Collation {
    /// The server's collation, and that of names: `SQL_Latin1_General_CP1_CI_AS`.
    pub const DEFAULT: Self = Self {
        origin: Origin::Sql(0),
        sensitivity: Sensitivity::Linguistic { case: false, accent: true, kana: false, width: false },
    };

    /// A collation by its name, `database_default` being the one given.
    ///
    /// # Errors
    /// 448 for a name that is no collation, or one of the few whose code page is not known here.
    pub fn named(name: &str, database_default: Self) -> Result<Self, SqlError> {
        if ["DATABASE_DEFAULT", "CATALOG_DEFAULT"].iter().any(|word| word.eq_ignore_ascii_case(name)) {
            return Ok(database_default);
        }
        name::parse(name).ok_or_else(|| SqlError::batch(448, format!("Invalid collation '{name}'.")))
    }

    /// Its name.
    pub fn name(self) -> String {
        name::written(self)
    }

    /// Code page of `char` and `varchar`.
    pub fn code_page(self) -> CodePage {
        match self.origin {
            Origin::Windows { utf8: true, .. } => CodePage::Utf8,
            Origin::Windows { locale, .. } => name::DESIGNATORS[usize::from(locale)].code_page,
            Origin::Sql(place) => name::SQL_COLLATIONS[usize::from(place)].code_page,
        }
    }

    /// Locale identifier.
    pub fn lcid(self) -> u32 {
        match self.origin {
            Origin::Windows { locale, .. } => name::DESIGNATORS[usize::from(locale)].lcid,
            Origin::Sql(_) => name::SQL_LCID,
        }
    }

    /// What `COLLATIONPROPERTY(…, 'ComparisonStyle')` answers: the flags of comparison of Windows.
    pub fn comparison_style(self) -> u32 {
        const IGNORE_CASE: u32 = 0x1;
        const IGNORE_ACCENT: u32 = 0x2;
        const IGNORE_KANA: u32 = 0x1_0000;
        const IGNORE_WIDTH: u32 = 0x2_0000;
        let Sensitivity::Linguistic { case, accent, kana, width } = self.sensitivity else { return 0 };
        [(case, IGNORE_CASE), (accent, IGNORE_ACCENT), (kana, IGNORE_KANA), (width, IGNORE_WIDTH)]
            .into_iter()
            .filter(|(seen, _)| !seen)
            .fold(0, |flags, (_, flag)| flags | flag)
    }

    /// What `COLLATIONPROPERTY(…, 'Version')` answers.
    pub fn version(self) -> u32 {
        match self.origin {
            Origin::Windows { version, .. } => version as u32,
            Origin::Sql(_) => Version::V80 as u32,
        }
    }

    /// The five bytes by which the wire names it: locale, flags and version, and the sort order of a SQL collation.
    pub fn wire_bytes(self) -> [u8; 5] {
        let flag = |set: bool, bit: u32| if set { bit } else { 0 };
        let flags = match self.sensitivity {
            Sensitivity::Binary => BINARY,
            Sensitivity::Binary2 => BINARY2,
            Sensitivity::Linguistic { case, accent, kana, width } => {
                flag(!case, IGNORES_CASE)
                    | flag(!accent, IGNORES_ACCENT)
                    | flag(!kana, IGNORES_KANA)
                    | flag(!width, IGNORES_WIDTH)
            }
        };
        let utf8 = flag(self.code_page() == CodePage::Utf8, UTF8);
        let [a, b, c, d] = (self.lcid() | flags | utf8 | self.version() << VERSION_SHIFT).to_le_bytes();
        [a, b, c, d, self.sql().map_or(0, |sql| sql.sort_id)]
    }

    /// The collation that five bytes name on the wire; None for a locale or sort order that is not known here. What
    /// they do not tell, `_SC` and `_VSS`, is taken as not said.
    pub fn from_wire([a, b, c, d, sort_id]: [u8; 5]) -> Option<Self> {
        if sort_id != 0 {
            return name::by_sort_id(sort_id);
        }
        let info = u32::from_le_bytes([a, b, c, d]);
        let flag = |bit: u32| info & bit != 0;
        let version = Version::from_wire(info >> VERSION_SHIFT)?;
        let sensitivity = if flag(BINARY2) {
            Sensitivity::Binary2
        } else if flag(BINARY) {
            Sensitivity::Binary
        } else {
            Sensitivity::Linguistic {
                case: !flag(IGNORES_CASE),
                accent: !flag(IGNORES_ACCENT),
                kana: !flag(IGNORES_KANA),
                width: !flag(IGNORES_WIDTH),
            }
        };
        let utf8 = flag(UTF8);
        let supplementary = utf8 && !sensitivity.is_binary() && version < Version::V140;
        let locale = name::by_locale(info & LCID, version)?;
        Some(Self {
            origin: Origin::Windows { locale, version, variation: false, supplementary, utf8 },
            sensitivity,
        })
    }

    /// Whether functions count supplementary characters as one.
    pub fn is_supplementary(self) -> bool {
        matches!(self.origin, Origin::Windows { version, supplementary, .. } if supplementary || version >= Version::V140)
    }

    /// Appends the sort key of a text (UTF-16).
    pub fn sort_key(self, text: &[u16], out: &mut Vec<u8>) {
        let text = without_trailing_blanks(text);
        match self.sensitivity {
            Sensitivity::Binary | Sensitivity::Binary2 => sort_key::binary(text, out),
            Sensitivity::Linguistic { case, accent, kana, width } => {
                let rules = sort_key::Rules {
                    case,
                    accent,
                    kana,
                    width,
                    turkish: self.is_turkish(),
                    minor_punctuation: self.sql().is_none(),
                };
                rules.key(text, out);
            }
        }
    }

    /// Compares two texts.
    pub fn compare(self, a: &[u16], b: &[u16]) -> Ordering {
        let (a, b) = (without_trailing_blanks(a), without_trailing_blanks(b));
        if a == b {
            return Ordering::Equal;
        }
        let (mut left, mut right) = (Vec::new(), Vec::new());
        self.sort_key(a, &mut left);
        self.sort_key(b, &mut right);
        left.cmp(&right)
    }

    /// Whether two names or texts are equal.
    pub fn equal_str(self, a: &str, b: &str) -> bool {
        if a.is_ascii() && b.is_ascii() && self == Self::DEFAULT {
            return a.trim_end_matches(' ').eq_ignore_ascii_case(b.trim_end_matches(' '));
        }
        let (a, b): (Vec<u16>, Vec<u16>) = (a.encode_utf16().collect(), b.encode_utf16().collect());
        self.compare(&a, &b) == Ordering::Equal
    }

    fn sql(self) -> Option<&'static name::SqlCollation> {
        match self.origin {
            Origin::Sql(place) => Some(&name::SQL_COLLATIONS[usize::from(place)]),
            Origin::Windows { .. } => None,
        }
    }

    fn is_turkish(self) -> bool {
        matches!(self.origin, Origin::Windows { locale, .. }
            if name::DESIGNATORS[usize::from(locale)].name == name::TURKISH)
    }
}

impl Default for Collation {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl fmt::Debug for Collation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// Folds a name to the form in which names are looked up.
pub(crate) fn fold_name(name: &str) -> String {
    name.trim_end_matches(' ').to_lowercase()
}

fn without_trailing_blanks(text: &[u16]) -> &[u16] {
    let end = text.iter().rposition(|&unit| unit != BLANK).map_or(0, |last| last + 1);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Collation {
        Collation::named(name, Collation::DEFAULT).expect(name)
    }

    #[test]
    fn equality_follows_the_collation() {
        for (collation, a, b, expected) in [
            ("SQL_Latin1_General_CP1_CI_AS", "Ab", "aB  ", true),
            ("SQL_Latin1_General_CP1_CI_AS", "café", "CAFÉ", true),
            ("SQL_Latin1_General_CP1_CI_AS", "café", "cafe", false),
            ("SQL_Latin1_General_CP1_CI_AS", " a", "a", false),
            ("SQL_Latin1_General_CP1_CI_AS", "ｓｋｕ", "SKU", true),
            ("Latin1_General_CI_AI", "café", "CAFE", true),
            ("Latin1_General_CS_AS", "a", "A", false),
            ("Latin1_General_CS_AS", "a ", "a", true),
            ("Latin1_General_CI_AS_WS", "ｓｋｕ", "SKU", false),
            ("Latin1_General_BIN2", "é", "É", false),
            ("Latin1_General_BIN2", "a", "a  ", true),
            ("Japanese_CI_AS", "ひ", "ヒ", true),
            ("Japanese_CI_AS_KS", "ひ", "ヒ", false),
            ("Turkish_CI_AS", "i", "I", false),
            ("Turkish_CI_AS", "i", "İ", true),
            ("Turkish_CI_AS", "ı", "I", true),
        ] {
            assert_eq!(named(collation).equal_str(a, b), expected, "{collation}: {a:?} = {b:?}");
        }
    }

    #[test]
    fn names_are_put_together_as_the_server_does() {
        for name in [
            "SQL_Latin1_General_CP437_BIN",
            "SQL_Latin1_General_CP850_CI_AI",
            "Latin1_General_100_CI_AS_KS_WS_SC_UTF8",
            "Latin1_General_100_BIN2_UTF8",
            "Japanese_XJIS_140_CI_AS_VSS_UTF8",
            "Modern_Spanish_CI_AS",
            "Chinese_PRC_90_CS_AI",
            "Cyrillic_General_BIN",
        ] {
            assert_eq!(named(&name.to_lowercase()).name(), name);
        }
        for name in [
            "Klingon_CI_AS",
            "Latin1_General",
            "Latin1_General_CI",
            "Latin1_General_CI_AS_SC",
            "Latin1_General_CI_AS_UTF8",
            "Latin1_General_100_CI_AS_UTF8",
            "Latin1_General_140_CI_AS",
            "Latin1_General_CI_AS_AS",
            "SQL_Latin1_General_CP1_BIN3",
            "",
        ] {
            assert_eq!(Collation::named(name, Collation::DEFAULT).map_err(|e| e.number), Err(448), "{name}");
        }
    }

    #[test]
    fn the_wire_names_a_collation_in_five_bytes() {
        for (name, bytes) in [
            ("SQL_Latin1_General_CP1_CI_AS", [0x09, 0x04, 0xD0, 0x00, 0x34]),
            ("SQL_Latin1_General_CP437_CI_AS", [0x09, 0x04, 0xD0, 0x00, 32]),
            ("Latin1_General_CS_AS", [0x09, 0x04, 0xC0, 0x00, 0x00]),
            ("Latin1_General_BIN", [0x09, 0x04, 0x00, 0x01, 0x00]),
            ("Latin1_General_BIN2", [0x09, 0x04, 0x00, 0x02, 0x00]),
            ("Latin1_General_100_CI_AS_SC_UTF8", [0x09, 0x04, 0xD0, 0x24, 0x00]),
            ("Modern_Spanish_CI_AS", [0x0A, 0x0C, 0xD0, 0x00, 0x00]),
            ("German_PhoneBook_CI_AI", [0x07, 0x04, 0xF1, 0x00, 0x00]),
        ] {
            assert_eq!(named(name).wire_bytes(), bytes, "{name}");
            assert_eq!(Collation::from_wire(bytes), Some(named(name)), "{name}");
        }
    }

    #[test]
    fn punctuation_digits_letters_stand_in_this_order() {
        let sorted = ["", " x", "-1", "1", "10", "2", "a", "A-1", "a1", "ab", "ábc", "b", "É", "f", "z"];
        for pair in sorted.windows(2) {
            let [a, b] = [pair[0], pair[1]].map(|s| s.encode_utf16().collect::<Vec<_>>());
            assert_eq!(Collation::DEFAULT.compare(&a, &b), Ordering::Less, "{pair:?}");
        }
        // A Windows collation sees hyphen and apostrophe last.
        let windows = named("Latin1_General_CI_AS");
        for pair in ["coop", "co-op", "cooq"].windows(2) {
            let [a, b] = [pair[0], pair[1]].map(|s| s.encode_utf16().collect::<Vec<_>>());
            assert_eq!(windows.compare(&a, &b), Ordering::Less, "{pair:?}");
        }
    }
}
