//! Conversion to `xml`: content is checked and written again as the server writes it.
//!
//! The declaration, text that is only white space and the marks of CDATA sections are gone afterwards; empty elements
//! end in `/>`, attributes stand in double quotes, references to characters are resolved.

use xmlparser::{ElementEnd, Error, StrSpan, StreamError, Token, Tokenizer};

use crate::collation::CodePage;
use crate::exec::messages::impossible_cast;
use crate::types::{SqlError, SqlType, Value};

/// UTF-16 in bytes says so.
const BYTE_ORDER_MARK: [u8; 2] = [0xFF, 0xFE];

pub(super) fn to_xml(value: Value, from: SqlType) -> Result<Value, SqlError> {
    let (text, in_units) = match value {
        Value::Text(units) => (String::from_utf16_lossy(&units), !from.has_code_page()),
        Value::Bytes(bytes) => match bytes.strip_prefix(&BYTE_ORDER_MARK) {
            Some(rest) => {
                let units = rest.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
                (String::from_utf16_lossy(&units.collect::<Vec<_>>()), true)
            }
            None => (String::from_utf16_lossy(&CodePage::Utf8.decode(&bytes)), false),
        },
        _ => return Err(impossible_cast(from, SqlType::Xml)),
    };
    let content = without_declaration(&text, in_units)?;
    if content.trim_start().starts_with("<!DOCTYPE") {
        let message = "Parsing XML with internal subset DTDs not allowed. Use CONVERT with style option 2 to enable \
                       limited internal subset DTD support.";
        return Err(SqlError::statement(6359, message));
    }
    let mut writer = Writer::new(&text);
    for token in Tokenizer::from_fragment(&text, text.len() - content.len()..text.len()) {
        let token = token.map_err(|error| malformed(&error))?;
        writer.token(&token)?;
    }
    if !writer.open.is_empty() {
        return Err(failure(9400, place(&text, text.len()), "unexpected end of input"));
    }
    Ok(Value::text(&writer.out))
}

/// The content behind `<?xml …?>`, whose encoding must be one that the text can have.
fn without_declaration(text: &str, in_units: bool) -> Result<&str, SqlError> {
    let start = text.trim_start_matches('\u{FEFF}');
    let Some(declaration) = start.strip_prefix("<?xml ") else { return Ok(start) };
    let Some(end) = declaration.find("?>") else {
        return Err(failure(9400, place(text, text.len()), "unexpected end of input"));
    };
    let (written, content) = (declaration[..end].to_ascii_lowercase(), &declaration[end + 2..]);
    let wide = ["utf-16", "ucs-2"].iter().any(|name| written.contains(name));
    if written.contains("encoding") && wide != in_units {
        return Err(failure(9402, place(text, text.len() - content.len()), "unable to switch the encoding"));
    }
    Ok(content)
}

/// Line and character of a byte; the character counts those up to it.
fn place(text: &str, byte: usize) -> (u32, u32) {
    let before = &text[..byte];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or(before).chars().count();
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}

fn failure(number: i32, (line, character): (u32, u32), what: &str) -> SqlError {
    SqlError::statement(number, format!("XML parsing: line {line}, character {character}, {what}"))
}

/// What the tokenizer does not take, by the numbers of the server that are known for it.
fn malformed(error: &Error) -> SqlError {
    let (number, what) = match error {
        Error::InvalidElement(StreamError::InvalidName, _) => (9455, "illegal qualified name character"),
        Error::InvalidAttribute(StreamError::InvalidQuote(..), _) => (9413, "A string literal was expected"),
        _ => (9422, "incorrect document syntax"),
    };
    failure(number, (error.pos().row, error.pos().col), what)
}

/// Writes tokens as the server does.
struct Writer<'t> {
    text: &'t str,
    out: String,
    /// The elements that are not closed yet: their names, and the attributes met so far.
    open: Vec<(&'t str, Vec<&'t str>)>,
    /// The last start tag still lacks its end, which depends on whether content follows.
    tag_is_open: bool,
}

impl<'t> Writer<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, out: String::with_capacity(text.len()), open: Vec::new(), tag_is_open: false }
    }

    fn token(&mut self, token: &Token<'t>) -> Result<(), SqlError> {
        match token {
            Token::ElementStart { span, .. } => {
                self.content(span.as_str());
                self.open.push((&span.as_str()[1..], Vec::new()));
            }
            Token::Attribute { value, span, .. } => self.attribute(*value, *span)?,
            Token::ElementEnd { end: ElementEnd::Open, .. } => self.tag_is_open = true,
            Token::ElementEnd { end: ElementEnd::Empty, .. } => {
                self.out.push_str("/>");
                self.open.pop();
            }
            Token::ElementEnd { end: ElementEnd::Close(..), span } => self.close(*span)?,
            Token::Text { text } if text.as_str().trim().is_empty() => {}
            Token::Text { text } => {
                let escaped = escaped(&self.resolved(*text)?);
                self.content(&escaped);
            }
            Token::Cdata { text, .. } => self.content(&escaped(text.as_str())),
            Token::Comment { span, .. } | Token::ProcessingInstruction { span, .. } => {
                self.content(span.as_str());
            }
            // A fragment has neither a declaration nor a document type.
            other => {
                return Err(failure(9422, place(self.text, other.span().end()), "incorrect document syntax"));
            }
        }
        Ok(())
    }

    /// Writes what stands in an element, whose start tag ends before it.
    fn content(&mut self, written: &str) {
        if std::mem::take(&mut self.tag_is_open) {
            self.out.push('>');
        }
        self.out.push_str(written);
    }

    fn attribute(&mut self, value: StrSpan<'t>, span: StrSpan<'t>) -> Result<(), SqlError> {
        let name = span.as_str().split(['=', ' ', '\t', '\r', '\n']).next().unwrap_or_default();
        let names = &mut self.open.last_mut().expect("an attribute stands in a start tag").1;
        if names.contains(&name) {
            return Err(failure(9437, place(self.text, span.end()), "duplicate attribute"));
        }
        names.push(name);
        let value = escaped(&self.resolved(value)?).replace('"', "&quot;");
        self.out.push_str(&format!(" {name}=\"{value}\""));
        Ok(())
    }

    fn close(&mut self, span: StrSpan<'t>) -> Result<(), SqlError> {
        let name = span.as_str().trim_start_matches("</").trim_end_matches('>').trim_end();
        if self.open.pop().is_none_or(|(opened, _)| opened != name) {
            return Err(failure(9436, place(self.text, span.end()), "end tag does not match start tag"));
        }
        if std::mem::take(&mut self.tag_is_open) {
            self.out.push_str("/>");
        } else {
            self.out.push_str(&format!("</{name}>"));
        }
        Ok(())
    }

    /// Text with its references to characters resolved.
    fn resolved(&self, span: StrSpan<'t>) -> Result<String, SqlError> {
        let mut resolved = String::with_capacity(span.as_str().len());
        let mut rest = span.as_str();
        while let Some((before, reference)) = rest.split_once('&') {
            resolved.push_str(before);
            let at = || place(self.text, span.end() - reference.len());
            let Some((name, after)) = reference.split_once(';') else {
                return Err(failure(9411, at(), "semicolon expected"));
            };
            let character =
                character(name).ok_or_else(|| failure(9448, at(), "well formed check: undeclared entity"))?;
            resolved.push(character);
            rest = after;
        }
        resolved.push_str(rest);
        Ok(resolved)
    }
}

/// The character that a reference names.
fn character(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_is_written_as_the_server_writes_it() {
        let xml = |text: &str| to_xml(Value::text(text), SqlType::NText);
        for (text, written) in [
            ("<a></a>", "<a/>"),
            ("<a  b = '1'\n/>", "<a b=\"1\"/>"),
            ("<?xml version=\"1.0\"?>\n<a> <b>x</b> </a>", "<a><b>x</b></a>"),
            ("<a>&#65;&amp;&lt;<![CDATA[<b>]]></a>", "<a>A&amp;&lt;&lt;b&gt;</a>"),
            ("x<a/>y<p:b xmlns:p=\"u\"/>", "x<a/>y<p:b xmlns:p=\"u\"/>"),
            ("<!--c--><a b=\"&quot;'\"/>", "<!--c--><a b=\"&quot;'\"/>"),
            ("", ""),
        ] {
            assert_eq!(xml(text), Ok(Value::text(written)), "{text}");
        }
        for (text, number, place) in [
            ("<a>", 9400, "line 1, character 3"),
            ("<a>\n</b>", 9436, "line 2, character 4"),
            ("<a>&x;</a>", 9448, ""),
            ("<a b='1' b='2'/>", 9437, ""),
            ("<a", 9400, ""),
            ("<a b=1/>", 9413, ""),
            ("<1/>", 9455, ""),
            ("<a>]]></a>", 9422, ""),
            ("<?xml version=\"1.0\" encoding=\"utf-8\"?><a/>", 9402, ""),
            ("<!DOCTYPE a><a/>", 6359, ""),
        ] {
            let error = xml(text).expect_err(text);
            assert_eq!(error.number, number, "{text}: {}", error.message);
            assert!(error.message.contains(place), "{text}: {}", error.message);
        }
    }
}
