//! Code pages: `char` and `varchar` as bytes.

use encoding_rs::{EncoderResult, Encoding};

/// The upper half of code page 437: the character of each byte from 0x80 on.
const CP437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»\
                     ░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
                     αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{A0}";
/// The upper half of code page 850.
const CP850: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»\
                     ░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀\
                     ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{AD}±‗¾¶§÷¸°¨·¹³²■\u{A0}";

const REPLACEMENT: u8 = b'?';

/// A code page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CodePage {
    /// 437, of DOS in the United States
    Dos437,
    /// 850, of DOS in western Europe
    Dos850,
    /// 874, Thai
    Windows874,
    /// 932, Japanese
    Windows932,
    /// 936, simplified Chinese
    Windows936,
    /// 949, Korean
    Windows949,
    /// 950, traditional Chinese
    Windows950,
    /// 1250, central Europe
    Windows1250,
    /// 1251, Cyrillic
    Windows1251,
    /// 1252, western Europe
    Windows1252,
    /// 1253, Greek
    Windows1253,
    /// 1254, Turkish
    Windows1254,
    /// 1255, Hebrew
    Windows1255,
    /// 1256, Arabic
    Windows1256,
    /// 1257, Baltic
    Windows1257,
    /// 1258, Vietnamese
    Windows1258,
    /// 65001, of the `_UTF8` collations
    Utf8,
}

impl CodePage {
    /// Its number, as `COLLATIONPROPERTY(…, 'CodePage')` answers it.
    pub fn number(self) -> i32 {
        match self {
            Self::Dos437 => 437,
            Self::Dos850 => 850,
            Self::Windows874 => 874,
            Self::Windows932 => 932,
            Self::Windows936 => 936,
            Self::Windows949 => 949,
            Self::Windows950 => 950,
            Self::Windows1250 => 1250,
            Self::Windows1251 => 1251,
            Self::Windows1252 => 1252,
            Self::Windows1253 => 1253,
            Self::Windows1254 => 1254,
            Self::Windows1255 => 1255,
            Self::Windows1256 => 1256,
            Self::Windows1257 => 1257,
            Self::Windows1258 => 1258,
            Self::Utf8 => 65001,
        }
    }

    /// Appends a text (UTF-16) in this code page; what it cannot hold becomes `?`, one per UTF-16 unit.
    pub fn encode(self, units: &[u16], out: &mut Vec<u8>) {
        if units.iter().all(|&unit| unit < 0x80) {
            out.extend(units.iter().map(|&unit| unit as u8));
            return;
        }
        match self {
            Self::Dos437 => encode_by_table(CP437, units, out),
            Self::Dos850 => encode_by_table(CP850, units, out),
            Self::Utf8 => out.extend_from_slice(String::from_utf16_lossy(units).as_bytes()),
            _ => encode_with(self.encoding(), units, out),
        }
    }

    /// The text (UTF-16) that bytes of this code page stand for; bytes that stand for none become U+FFFD.
    pub fn decode(self, bytes: &[u8]) -> Vec<u16> {
        if bytes.is_ascii() {
            return bytes.iter().map(|&byte| u16::from(byte)).collect();
        }
        match self {
            Self::Dos437 => decode_by_table(CP437, bytes),
            Self::Dos850 => decode_by_table(CP850, bytes),
            _ => self.encoding().decode_without_bom_handling(bytes).0.encode_utf16().collect(),
        }
    }

    /// The longest part of a text from its beginning that takes at most `limit` bytes; characters stay whole.
    pub fn fitting(self, units: &[u16], limit: usize) -> &[u16] {
        if self.bytes_of(units) <= limit {
            return units;
        }
        let (mut end, mut used) = (0, 0);
        for character in char::decode_utf16(units.iter().copied()) {
            let length = character.as_ref().map_or(1, |c| c.len_utf16());
            used += self.bytes_of(&units[end..end + length]);
            if used > limit {
                break;
            }
            end += length;
        }
        &units[..end]
    }

    /// Bytes that a text takes.
    pub fn bytes_of(self, units: &[u16]) -> usize {
        if self.is_single_byte() || units.iter().all(|&unit| unit < 0x80) {
            return units.len();
        }
        let mut bytes = Vec::with_capacity(units.len() * 2);
        self.encode(units, &mut bytes);
        bytes.len()
    }

    fn is_single_byte(self) -> bool {
        !matches!(
            self,
            Self::Utf8 | Self::Windows932 | Self::Windows936 | Self::Windows949 | Self::Windows950
        )
    }

    /// The encoding of the pages that are no DOS pages.
    fn encoding(self) -> &'static Encoding {
        match self {
            Self::Windows874 => encoding_rs::WINDOWS_874,
            Self::Windows932 => encoding_rs::SHIFT_JIS,
            Self::Windows936 => encoding_rs::GBK,
            Self::Windows949 => encoding_rs::EUC_KR,
            Self::Windows950 => encoding_rs::BIG5,
            Self::Windows1250 => encoding_rs::WINDOWS_1250,
            Self::Windows1251 => encoding_rs::WINDOWS_1251,
            Self::Windows1253 => encoding_rs::WINDOWS_1253,
            Self::Windows1254 => encoding_rs::WINDOWS_1254,
            Self::Windows1255 => encoding_rs::WINDOWS_1255,
            Self::Windows1256 => encoding_rs::WINDOWS_1256,
            Self::Windows1257 => encoding_rs::WINDOWS_1257,
            Self::Windows1258 => encoding_rs::WINDOWS_1258,
            Self::Utf8 => encoding_rs::UTF_8,
            Self::Windows1252 | Self::Dos437 | Self::Dos850 => encoding_rs::WINDOWS_1252,
        }
    }
}

fn encode_with(encoding: &'static Encoding, units: &[u16], out: &mut Vec<u8>) {
    let mut encoder = encoding.new_encoder();
    let mut rest = units;
    while !rest.is_empty() {
        let start = out.len();
        // Two bytes per unit are enough in these code pages; the encoder wants room to spare.
        out.resize(start + 2 * rest.len() + 4, 0);
        let (result, read, written) =
            encoder.encode_from_utf16_without_replacement(rest, &mut out[start..], true);
        out.truncate(start + written);
        rest = &rest[read..];
        if let EncoderResult::Unmappable(character) = result {
            out.extend(std::iter::repeat_n(REPLACEMENT, character.len_utf16()));
        }
    }
}

fn encode_by_table(upper_half: &str, units: &[u16], out: &mut Vec<u8>) {
    for character in char::decode_utf16(units.iter().copied()) {
        match character {
            Ok(c) if c.is_ascii() => out.push(c as u8),
            Ok(c) => match (0x80..=0xFF).zip(upper_half.chars()).find(|(_, known)| *known == c) {
                Some((byte, _)) => out.push(byte),
                None => out.extend(std::iter::repeat_n(REPLACEMENT, c.len_utf16())),
            },
            Err(_) => out.push(REPLACEMENT),
        }
    }
}

fn decode_by_table(upper_half: &str, bytes: &[u8]) -> Vec<u16> {
    let table: Vec<u16> = upper_half.encode_utf16().collect();
    let unit = |&byte: &u8| if byte < 0x80 { u16::from(byte) } else { table[usize::from(byte - 0x80)] };
    bytes.iter().map(unit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(page: CodePage, text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        page.encode(&text.encode_utf16().collect::<Vec<_>>(), &mut out);
        out
    }

    #[test]
    fn text_has_the_bytes_of_its_code_page() {
        // Bytes by the mapping tables of the Unicode Consortium.
        for (page, text, bytes) in [
            (CodePage::Windows1252, "x\u{20ac}\u{e9}", &[b'x', 0x80, 0xE9][..]),
            (CodePage::Dos437, "\u{e9}\u{df}\u{2502}\u{3b1}\u{a0}", &[0x82, 0xE1, 0xB3, 0xE0, 0xFF]),
            (CodePage::Dos850, "\u{e9}\u{df}\u{f8}\u{d8}\u{131}", &[0x82, 0xE1, 0x9B, 0x9D, 0xD5]),
            (CodePage::Windows1250, "\u{141}\u{f3}d\u{17a}", &[0xA3, 0xF3, b'd', 0x9F]),
            (CodePage::Windows1251, "\u{416}\u{44f}", &[0xC6, 0xFF]),
            (CodePage::Windows932, "\u{65e5}a", &[0x93, 0xFA, b'a']),
            (CodePage::Utf8, "\u{e9}\u{1f69a}", &[0xC3, 0xA9, 0xF0, 0x9F, 0x9A, 0x9A]),
        ] {
            assert_eq!(encoded(page, text), bytes, "{page:?} {text}");
            assert_eq!(String::from_utf16(&page.decode(bytes)).unwrap(), text, "{page:?} {bytes:02x?}");
        }
    }

    #[test]
    fn what_a_code_page_lacks_becomes_a_question_mark() {
        assert_eq!(
            encoded(CodePage::Windows1252, "\u{20ac}\u{3b1}\u{1f69a}x"),
            [0x80, b'?', b'?', b'?', b'x']
        );
        assert_eq!(encoded(CodePage::Dos437, "\u{20ac}\u{e9}\u{1f69a}"), [b'?', 0x82, b'?', b'?']);
        assert_eq!(encoded(CodePage::Windows1251, "\u{e9}\u{416}"), [b'?', 0xC6]);
    }

    #[test]
    fn dos_pages_have_a_character_for_every_byte_and_no_two_bytes_for_one() {
        let every: Vec<u8> = (0..=255).collect();
        for page in [CodePage::Dos437, CodePage::Dos850] {
            let mut again = Vec::new();
            page.encode(&page.decode(&every), &mut again);
            assert_eq!(again, every, "{page:?}");
        }
    }

    #[test]
    fn a_cut_leaves_characters_whole() {
        let text: Vec<u16> = "a\u{e9}\u{1f69a}b".encode_utf16().collect();
        for (page, limit, units) in [
            (CodePage::Utf8, 6, 2),
            (CodePage::Utf8, 7, 4),
            (CodePage::Utf8, 2, 1),
            (CodePage::Windows1252, 2, 2),
        ] {
            assert_eq!(page.fitting(&text, limit).len(), units, "{page:?} {limit}");
        }
    }
}
