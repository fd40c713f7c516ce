//! Tokens of T-SQL: identifiers in every quoting, literals of every kind, nested comments.
//!
//! The lexer reads the whole batch at once, so that a string or comment that never closes refuses the batch before
//! anything of it runs, as SQL Server does.

use crate::types::SqlError;

/// A token and the line on which it starts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) line: i32,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    /// A word without quotes: keyword or identifier, as written.
    Word(String),
    /// `[x]` or `"x"`: always an identifier.
    Quoted(String),
    /// `@x`, lower-case, without the sign.
    Variable(String),
    /// `@@x`, upper-case, without the signs.
    Global(String),
    /// `'x'` or `N'x'`.
    Text { text: String, national: bool },
    /// Digits with an optional point or exponent, as written.
    Number(String),
    /// `$1.50`, without the sign.
    Money(String),
    /// `0x...`
    Binary(Vec<u8>),
    /// An operator or a punctuation mark.
    Symbol(&'static str),
    /// End of the batch.
    End,
}

impl TokenKind {
    /// The token as an error message names it: without quotes and brackets.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Word(s) | Self::Quoted(s) | Self::Number(s) => s.clone(),
            Self::Text { text, .. } => text.clone(),
            Self::Variable(s) => format!("@{s}"),
            Self::Global(s) => format!("@@{s}"),
            Self::Money(s) => format!("${s}"),
            Self::Binary(bytes) => bytes.iter().fold("0x".to_owned(), |text, b| text + &format!("{b:02X}")),
            Self::Symbol(s) => (*s).to_owned(),
            Self::End => String::new(),
        }
    }
}

/// Longest first, so that the first match is the right one.
const SYMBOLS: [&str; 34] = [
    "<=", ">=", "<>", "!=", "!<", "!>", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "::", "(", ")", ",",
    ";", ".", "*", "+", "-", "/", "%", "&", "|", "^", "~", "=", "<", ">", ":", "!",
];

/// Most characters of one identifier.
const IDENTIFIER_LIMIT: usize = 128;

/// Cuts `text` into tokens, the last of which is [`TokenKind::End`].
pub(super) fn tokenize(text: &str) -> Result<Vec<Token>, SqlError> {
    let mut lexer = Lexer { rest: text, line: 1 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blanks()?;
        let line = lexer.line;
        let kind = lexer.token()?;
        let end = kind == TokenKind::End;
        tokens.push(Token { kind, line });
        if end {
            return Ok(tokens);
        }
    }
}

/// The text of a definition as the catalog keeps it: an ALTER shows as the CREATE that it amounts to.
pub fn definition_text(batch: &str) -> String {
    let mut lexer = Lexer { rest: batch, line: 1 };
    let mut words = Vec::new();
    while words.len() < 3 && lexer.skip_blanks().is_ok() {
        let start = batch.len() - lexer.rest.len();
        let word = lexer.take_while(continues_identifier).to_uppercase();
        if word.is_empty() {
            break;
        }
        words.push((word, start, batch.len() - lexer.rest.len()));
    }
    let (first, last) = match &words[..] {
        [(alter, first, last), ..] if alter == "ALTER" => (*first, *last),
        [(_, first, _), (or, ..), (alter, _, last)] if or == "OR" && alter == "ALTER" => (*first, *last),
        _ => return batch.to_owned(),
    };
    format!("{}CREATE{}", &batch[..first], &batch[last..])
}

/// A syntax error: class 15, ends the batch.
pub(super) fn syntax_error(number: i32, line: i32, message: impl Into<String>) -> SqlError {
    SqlError { class: 15, line, ..SqlError::batch(number, message) }
}

struct Lexer<'t> {
    rest: &'t str,
    line: i32,
}

impl<'t> Lexer<'t> {
    fn first(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Takes `bytes` bytes, counting the lines in them.
    fn take(&mut self, bytes: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        self.line += taken.bytes().filter(|b| *b == b'\n').map(|_| 1).sum::<i32>();
        taken
    }

    /// Takes characters while `accept` holds.
    fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &'t str {
        self.take(self.rest.find(|c| !accept(c)).unwrap_or(self.rest.len()))
    }

    fn skip_blanks(&mut self) -> Result<(), SqlError> {
        loop {
            // A byte order mark and a NUL are blanks to SQL Server too.
            self.take_while(|c| c.is_whitespace() || c == '\u{feff}' || c == '\0');
            if self.rest.starts_with("--") {
                self.take_while(|c| c != '\n');
            } else if self.rest.starts_with("/*") {
                self.skip_comment()?;
            } else {
                return Ok(());
            }
        }
    }

    /// Skips a comment; comments nest.
    fn skip_comment(&mut self) -> Result<(), SqlError> {
        let mut depth = 0;
        loop {
            if self.rest.starts_with("/*") {
                depth += 1;
                self.take(2);
            } else if self.rest.starts_with("*/") {
                depth -= 1;
                self.take(2);
            } else if let Some(c) = self.first() {
                self.take(c.len_utf8());
            } else {
                return Err(syntax_error(113, self.line, "Missing end comment mark '*/'."));
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    fn token(&mut self) -> Result<TokenKind, SqlError> {
        let Some(first) = self.first() else { return Ok(TokenKind::End) };
        let second = self.rest.chars().nth(1);
        match first {
            '\'' => Ok(TokenKind::Text { text: self.delimited('\'')?, national: false }),
            'N' | 'n' if second == Some('\'') => {
                self.take(1);
                Ok(TokenKind::Text { text: self.delimited('\'')?, national: true })
            }
            '[' => Ok(TokenKind::Quoted(self.quoted_identifier(']')?)),
            '"' => Ok(TokenKind::Quoted(self.quoted_identifier('"')?)),
            '@' => self.variable(),
            // $action
            '$' if second.is_some_and(char::is_alphabetic) => {
                self.take(1);
                Ok(TokenKind::Word(format!("${}", self.take_while(continues_identifier))))
            }
            '$' => {
                self.take(1);
                let digits = self.take_while(|c| c.is_ascii_digit() || c == '.');
                Ok(TokenKind::Money(digits.to_owned()))
            }
            '0' if matches!(second, Some('x' | 'X')) => Ok(self.binary()),
            c if c.is_ascii_digit() => Ok(self.number()),
            '.' if second.is_some_and(|c| c.is_ascii_digit()) => Ok(self.number()),
            c if starts_identifier(c) => {
                let word = self.take_while(continues_identifier).to_owned();
                self.check_length(&word)?;
                Ok(TokenKind::Word(word))
            }
            c => self.symbol(c),
        }
    }

    fn symbol(&mut self, first: char) -> Result<TokenKind, SqlError> {
        match SYMBOLS.iter().find(|s| self.rest.starts_with(**s)) {
            Some(symbol) => {
                self.take(symbol.len());
                Ok(TokenKind::Symbol(symbol))
            }
            None => Err(syntax_error(102, self.line, format!("Incorrect syntax near '{first}'."))),
        }
    }

    /// The inside of a pair of `quote`s, doubled quotes halved.
    fn delimited(&mut self, quote: char) -> Result<String, SqlError> {
        let line = self.line;
        self.take(1);
        let mut text = String::new();
        loop {
            text.push_str(self.take_while(|c| c != quote));
            if self.first().is_none() {
                let shown: String = text.chars().take(IDENTIFIER_LIMIT).collect();
                let message = format!("Unclosed quotation mark after the character string '{shown}'.");
                return Err(syntax_error(105, line, message));
            }
            self.take(1);
            if self.first() != Some(quote) {
                return Ok(text);
            }
            self.take(1);
            text.push(quote);
        }
    }

    fn quoted_identifier(&mut self, quote: char) -> Result<String, SqlError> {
        let line = self.line;
        let name = self.delimited(quote)?;
        if name.is_empty() {
            let message = "An object or column name is missing or empty. For SELECT INTO statements, verify each \
                           column has a name. For other statements, look for empty alias names.";
            return Err(syntax_error(1038, line, message));
        }
        self.check_length(&name)?;
        Ok(name)
    }

    fn check_length(&self, name: &str) -> Result<(), SqlError> {
        if name.encode_utf16().count() <= IDENTIFIER_LIMIT {
            return Ok(());
        }
        let start: String = name.chars().take(IDENTIFIER_LIMIT).collect();
        let message =
            format!("The identifier that starts with '{start}' is too long. Maximum length is 128.");
        Err(SqlError { state: 4, ..syntax_error(103, self.line, message) })
    }

    fn variable(&mut self) -> Result<TokenKind, SqlError> {
        self.take(1);
        let global = self.rest.starts_with('@');
        if global {
            self.take(1);
        }
        let name = self.take_while(continues_identifier);
        self.check_length(name)?;
        Ok(if global {
            TokenKind::Global(name.to_uppercase())
        } else {
            TokenKind::Variable(name.to_lowercase())
        })
    }

    fn binary(&mut self) -> TokenKind {
        self.take(2);
        let digits = self.take_while(|c| c.is_ascii_hexdigit());
        // An odd count of digits is read as if it began with a zero.
        let padded = if digits.len() % 2 == 1 { format!("0{digits}") } else { digits.to_owned() };
        let nibble = |b: u8| (b as char).to_digit(16).map_or(0, |d| d as u8);
        TokenKind::Binary(
            padded.as_bytes().chunks(2).map(|pair| nibble(pair[0]) << 4 | nibble(pair[1])).collect(),
        )
    }

    fn number(&mut self) -> TokenKind {
        let digits = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
        let mut length = digits(self.rest);
        if self.rest[length..].starts_with('.') {
            length += 1 + digits(&self.rest[length + 1..]);
        }
        if self.rest[length..].starts_with(['e', 'E']) {
            let after = &self.rest[length + 1..];
            let sign = usize::from(after.starts_with(['+', '-']));
            // `1e` without digits is 1e0.
            length += 1 + sign + digits(&after[sign..]);
        }
        TokenKind::Number(self.take(length).to_owned())
    }
}

fn starts_identifier(c: char) -> bool {
    c.is_alphabetic() || c == '_' || c == '#'
}

fn continues_identifier(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '#' | '$' | '@')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<TokenKind> {
        tokenize(text).unwrap().into_iter().map(|t| t.kind).collect()
    }

    #[test]
    fn every_quoting_and_literal_is_one_token() {
        let word = |s: &str| TokenKind::Word(s.to_owned());
        let text = |s: &str, national| TokenKind::Text { text: s.to_owned(), national };
        assert_eq!(
            kinds("a$1 [b]]c] \"d\"\"e\" 'f''g' N'h' n @I @@J 1.5e-3 .5 0xA0b $1.25 <>"),
            vec![
                word("a$1"),
                TokenKind::Quoted("b]c".to_owned()),
                TokenKind::Quoted("d\"e".to_owned()),
                text("f'g", false),
                text("h", true),
                word("n"),
                TokenKind::Variable("i".to_owned()),
                TokenKind::Global("J".to_owned()),
                TokenKind::Number("1.5e-3".to_owned()),
                TokenKind::Number(".5".to_owned()),
                TokenKind::Binary(vec![0x0A, 0x0B]),
                TokenKind::Money("1.25".to_owned()),
                TokenKind::Symbol("<>"),
                TokenKind::End,
            ]
        );
    }

    #[test]
    fn what_never_closes_is_refused_with_its_line() {
        let failure = |text| tokenize(text).map_err(|e| (e.number, e.line)).unwrap_err();
        assert_eq!(failure("select\n'abc\nd"), (105, 2));
        assert_eq!(failure("/* a /* b */\n"), (113, 2));
        assert_eq!(failure("select []"), (1038, 1));
        assert_eq!(failure(&"x".repeat(129)), (103, 1));
        assert_eq!(kinds("/* a /* b */ c */ --d\n"), vec![TokenKind::End]);
    }
}
