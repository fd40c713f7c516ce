//! Operands: literals, names, variables, functions, CASE, CAST, subqueries.

use super::Parser;
use super::ast::{Expr, FrameBound, Over, WindowFrame};
use super::lexer::{TokenKind, syntax_error};
use crate::types::{Length, SqlError, SqlType, Value};

/// Functions that are written without parentheses.
const NILADIC: [&str; 6] =
    ["CURRENT_DATE", "CURRENT_TIMESTAMP", "CURRENT_USER", "SESSION_USER", "SYSTEM_USER", "USER"];

/// Reserved words that are functions when a parenthesis follows.
const RESERVED_FUNCTIONS: [&str; 4] = ["COALESCE", "LEFT", "NULLIF", "RIGHT"];

impl Parser {
    pub(super) fn operand(&mut self) -> Result<Expr, SqlError> {
        match self.kind().clone() {
            TokenKind::Symbol("(") => self.parenthesis(),
            TokenKind::Variable(name) => {
                self.advance();
                Ok(Expr::Variable(name))
            }
            TokenKind::Global(name) => {
                self.advance();
                Ok(Expr::Global(name))
            }
            TokenKind::Word(word) => self.word(&word.to_ascii_uppercase()),
            TokenKind::Quoted(_) => self.column_or_function(),
            kind => match literal(&kind, self.line())? {
                Some(literal) => {
                    self.advance();
                    Ok(literal)
                }
                None => Err(self.unexpected()),
            },
        }
    }

    fn parenthesis(&mut self) -> Result<Expr, SqlError> {
        if self.is_at(1, "SELECT") || self.is_at(1, "WITH") {
            return Ok(Expr::Subquery(Box::new(self.parenthesized(Self::query)?)));
        }
        self.parenthesized(Self::disjunction)
    }

    fn word(&mut self, upper: &str) -> Result<Expr, SqlError> {
        let call = self.is_symbol_at(1, "(");
        match upper {
            "NULL" => {
                self.advance();
                Ok(Expr::Null)
            }
            "CASE" => self.nested(Self::case),
            "CAST" | "TRY_CAST" if call => self.cast(upper == "TRY_CAST"),
            "CONVERT" | "TRY_CONVERT" if call => self.convert(upper == "TRY_CONVERT"),
            "IIF" if call => self.iif(),
            "PARSE" | "TRY_PARSE" if call => self.unsupported(upper),
            "NEXT" if self.is_sequence(&["NEXT", "VALUE", "FOR"]) => self.unsupported("NEXT VALUE FOR"),
            _ if NILADIC.contains(&upper) => {
                self.advance();
                Ok(function(upper, Vec::new()))
            }
            _ if RESERVED_FUNCTIONS.contains(&upper) && call => {
                self.advance();
                self.call(upper.to_owned())
            }
            _ => self.column_or_function(),
        }
    }

    /// `a.b.c` or `f(...)`, also `dbo.f(...)`.
    fn column_or_function(&mut self) -> Result<Expr, SqlError> {
        let mut parts = vec![self.identifier()?];
        while self.accept_symbol(".") {
            parts.push(self.identifier()?);
        }
        let expr = if !self.is_symbol("(") {
            if parts.len() > 3 {
                return self.unsupported("four-part column name");
            } else {
                Expr::Column(parts)
            }
        } else if let [name] = parts.as_slice() {
            let name = name.to_ascii_uppercase();
            self.call(name)?
        } else {
            return self.unsupported(&format!("function {}", parts.join(".")));
        };
        Ok(expr)
    }

    /// `(arguments) [OVER (...)]` after a function's name.
    fn call(&mut self, name: String) -> Result<Expr, SqlError> {
        self.expect_symbol("(")?;
        let distinct = self.accept("DISTINCT");
        if !distinct {
            self.accept("ALL");
        }
        let sides = [("LEADING", "LTRIM"), ("TRAILING", "RTRIM"), ("BOTH", "TRIM")];
        let side =
            sides.iter().find(|(word, _)| name == "TRIM" && self.is(word) && !self.is_symbol_at(1, ")"));
        if let Some((_, function)) = side {
            self.advance();
            let characters = self.scalar()?;
            self.expect("FROM")?;
            let arguments = vec![self.scalar()?, characters];
            self.expect_symbol(")")?;
            return Ok(self::function(function, arguments));
        }
        let mut arguments = Vec::new();
        if self.accept_symbol("*") {
            arguments.push(Expr::Star);
        } else if !self.is_symbol(")") {
            arguments = self.comma_list(Self::scalar)?;
            // TRIM(characters FROM text)
            if name == "TRIM" && self.accept("FROM") {
                arguments.insert(0, self.scalar()?);
            }
        }
        self.expect_symbol(")")?;
        let order_within = if self.accept_sequence(&["WITHIN", "GROUP"]) {
            self.parenthesized(Self::order_by)?
        } else {
            Vec::new()
        };
        let ignore_nulls = self.accept_sequence(&["IGNORE", "NULLS"]);
        if !ignore_nulls {
            self.accept_sequence(&["RESPECT", "NULLS"]);
        }
        let over = if self.accept("OVER") {
            Some(Box::new(self.parenthesized(|p| p.window(ignore_nulls))?))
        } else {
            None
        };
        Ok(Expr::Function { name, distinct, arguments, order_within, over })
    }

    fn window(&mut self, ignore_nulls: bool) -> Result<Over, SqlError> {
        let partition_by = if self.accept_sequence(&["PARTITION", "BY"]) {
            self.comma_list(Self::scalar)?
        } else {
            Vec::new()
        };
        let order_by = self.order_by()?;
        let frame = if self.is_any(&["ROWS", "RANGE"]) { Some(self.window_frame(&order_by)?) } else { None };
        Ok(Over { partition_by, order_by, frame, ignore_nulls })
    }

    /// `ROWS|RANGE bound` or `ROWS|RANGE BETWEEN bound AND bound`
    fn window_frame(&mut self, order_by: &[(Expr, bool)]) -> Result<WindowFrame, SqlError> {
        let line = self.line();
        if order_by.is_empty() {
            let message = "Window frame with ROWS or RANGE must have an ORDER BY clause.";
            return Err(syntax_error(10756, line, message));
        }
        let by_rows = self.accept("ROWS");
        if !by_rows {
            self.expect("RANGE")?;
        }
        let (start, end) = if self.accept("BETWEEN") {
            let start = self.frame_bound()?;
            self.expect("AND")?;
            (start, self.frame_bound()?)
        } else {
            (self.frame_bound()?, FrameBound::Offset(0))
        };
        let counts = |bound| !matches!(bound, FrameBound::First | FrameBound::Offset(0) | FrameBound::Last);
        if !by_rows && (counts(start) || counts(end)) {
            let message = "RANGE is only supported with UNBOUNDED and CURRENT ROW window frame delimiters.";
            return Err(SqlError { class: 16, ..syntax_error(4194, line, message) });
        }
        if start > end || start == FrameBound::Last || end == FrameBound::First {
            let message = "'BETWEEN' is not a valid window frame: its first row comes after its last.";
            return Err(syntax_error(4193, line, message));
        }
        Ok(WindowFrame { by_rows, start, end })
    }

    fn frame_bound(&mut self) -> Result<FrameBound, SqlError> {
        if self.accept("UNBOUNDED") {
            if self.accept("PRECEDING") {
                return Ok(FrameBound::First);
            }
            return self.expect("FOLLOWING").map(|()| FrameBound::Last);
        }
        if self.accept_sequence(&["CURRENT", "ROW"]) {
            return Ok(FrameBound::Offset(0));
        }
        let count = self.integer()?;
        if self.accept("PRECEDING") {
            return Ok(FrameBound::Offset(-count));
        }
        self.expect("FOLLOWING").map(|()| FrameBound::Offset(count))
    }

    fn case(&mut self) -> Result<Expr, SqlError> {
        self.expect("CASE")?;
        let operand = if self.is("WHEN") { None } else { Some(Box::new(self.scalar()?)) };
        let mut branches = Vec::new();
        while self.accept("WHEN") {
            let when = if operand.is_some() { self.scalar()? } else { self.condition()? };
            self.expect("THEN")?;
            branches.push((when, self.scalar()?));
        }
        if branches.is_empty() {
            return Err(self.unexpected());
        }
        let otherwise = if self.accept("ELSE") { Some(Box::new(self.scalar()?)) } else { None };
        self.expect("END")?;
        Ok(Expr::Case { operand, branches, otherwise })
    }

    /// `IIF(condition, a, b)` is a CASE.
    fn iif(&mut self) -> Result<Expr, SqlError> {
        self.advance();
        self.parenthesized(|p| {
            let condition = p.condition()?;
            p.expect_symbol(",")?;
            let then = p.scalar()?;
            p.expect_symbol(",")?;
            let otherwise = Some(Box::new(p.scalar()?));
            Ok(Expr::Case { operand: None, branches: vec![(condition, then)], otherwise })
        })
    }

    fn cast(&mut self, try_cast: bool) -> Result<Expr, SqlError> {
        self.advance();
        self.parenthesized(|p| {
            let expr = Box::new(p.scalar()?);
            p.expect("AS")?;
            let sql_type = p.cast_type()?;
            Ok(Expr::Cast { expr, sql_type, style: None, try_cast })
        })
    }

    fn convert(&mut self, try_cast: bool) -> Result<Expr, SqlError> {
        self.advance();
        self.parenthesized(|p| {
            let sql_type = p.cast_type()?;
            p.expect_symbol(",")?;
            let expr = Box::new(p.scalar()?);
            let style = if p.accept_symbol(",") { Some(Box::new(p.scalar()?)) } else { None };
            Ok(Expr::Cast { expr, sql_type, style, try_cast })
        })
    }
}

/// A call of a function without anything behind its arguments.
pub(super) fn function(name: &str, arguments: Vec<Expr>) -> Expr {
    Expr::Function { name: name.to_owned(), distinct: false, arguments, order_within: Vec::new(), over: None }
}

/// The literal of a token, None when the token is none.
fn literal(kind: &TokenKind, line: i32) -> Result<Option<Expr>, SqlError> {
    Ok(Some(match kind {
        TokenKind::Text { text, national } => text_literal(text, *national),
        TokenKind::Number(digits) => number_literal(digits, line)?,
        TokenKind::Money(digits) => money_literal(digits, line)?,
        TokenKind::Binary(bytes) => {
            let length = limited(bytes.len(), 8000);
            Expr::Literal(Value::Bytes(bytes.clone()), SqlType::VarBinary(length))
        }
        _ => return Ok(None),
    }))
}

/// A literal's length: at least 1, and `max` beyond the limit.
fn limited(length: usize, limit: u16) -> Length {
    match u16::try_from(length.max(1)) {
        Ok(n) if n <= limit => Length::Limited(n),
        _ => Length::Max,
    }
}

fn text_literal(text: &str, national: bool) -> Expr {
    let value = Value::text(text);
    let units = text.encode_utf16().count();
    let sql_type = if national {
        SqlType::NVarChar(limited(units, 4000))
    } else {
        SqlType::VarChar(limited(units, 8000))
    };
    Expr::Literal(value, sql_type)
}

/// Digits that fit are `int`, with a point or beyond it `numeric`, with an exponent `float`.
fn number_literal(written: &str, line: i32) -> Result<Expr, SqlError> {
    if written.contains(['e', 'E']) {
        // `1e` means 1e0.
        let complete = if written.ends_with(|c: char| c.is_ascii_digit()) {
            written.to_owned()
        } else {
            format!("{written}0")
        };
        return match complete.parse::<f64>() {
            Ok(x) if x.is_finite() => Ok(Expr::Literal(Value::Float(x), SqlType::Float)),
            _ => {
                let message = format!(
                    "The floating point value '{written}' is out of the range of computer representation (8 bytes)."
                );
                Err(syntax_error(168, line, message))
            }
        };
    }
    let (whole, fraction) = written.split_once('.').unwrap_or((written, ""));
    // More than 11 characters are numeric even when the number is small.
    if let (false, true, Ok(n)) = (written.contains('.'), written.len() <= 11, written.parse::<i32>()) {
        return Ok(Expr::Literal(Value::Int(i64::from(n)), SqlType::Int));
    }
    let significant = whole.trim_start_matches('0').len();
    let too_long = || {
        let message = format!(
            "The number '{written}' is out of the range for numeric representation (maximum precision 38)."
        );
        syntax_error(1007, line, message)
    };
    let scale = u8::try_from(fraction.len()).map_err(|_| too_long())?;
    let precision = u8::try_from((significant + fraction.len()).max(1)).map_err(|_| too_long())?;
    if precision > 38 {
        return Err(too_long());
    }
    let unscaled = format!("{whole}{fraction}").parse::<i128>().map_err(|_| too_long())?;
    Ok(Expr::Literal(Value::Decimal { unscaled, scale }, SqlType::Numeric { precision, scale }))
}

/// Ten-thousandths; a fifth digit rounds half away from zero.
fn money_literal(written: &str, line: i32) -> Result<Expr, SqlError> {
    let invalid = || syntax_error(102, line, format!("Incorrect syntax near '${written}'."));
    let (whole, fraction) = written.split_once('.').unwrap_or((written, ""));
    if fraction.contains('.') {
        return Err(invalid());
    }
    let round_up = i64::from(fraction.as_bytes().get(4).is_some_and(|d| *d >= b'5'));
    let fraction = format!("{:0<4}", &fraction[..fraction.len().min(4)]);
    let digits = format!("0{whole}{fraction}").parse::<i64>().map_err(|_| invalid())?;
    Ok(Expr::Literal(Value::Money(digits + round_up), SqlType::Money))
}
