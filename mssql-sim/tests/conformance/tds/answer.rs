//! A reply, whole.

use super::token::{Message, Token};

/// What a request was answered, token by token.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) tokens: Vec<Token>,
    /// The server closed the connection, before the reply's end or right behind it.
    pub(crate) closed: bool,
}

impl Answer {
    /// Every row of every result, values as the facts write them.
    pub(crate) fn values(&self) -> Vec<&[String]> {
        let rows = self.tokens.iter().filter_map(|token| match token {
            Token::Row(values) => Some(values.as_slice()),
            _ => None,
        });
        rows.collect()
    }

    /// Every row of every result: columns between commas, rows between semicolons; text without its quotes.
    pub(crate) fn rows(&self) -> String {
        let unquoted = |value: &String| {
            let inner = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
            inner.unwrap_or(value).trim_end().to_owned()
        };
        let rows = self.values().into_iter();
        rows.map(|row| row.iter().map(unquoted).collect::<Vec<_>>().join(",")).collect::<Vec<_>>().join("; ")
    }

    /// Errors, in order.
    pub(crate) fn errors(&self) -> Vec<&Message> {
        let errors = self.tokens.iter().filter_map(|token| match token {
            Token::Message(message) if message.is_error => Some(message),
            _ => None,
        });
        errors.collect()
    }

    /// Number of the first error, 0 if there is none.
    pub(crate) fn error(&self) -> i32 {
        self.errors().first().map_or(0, |error| error.number)
    }

    /// One line per token.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.tokens.iter().map(Token::to_string).collect()
    }
}
