//! Operators: conditions and scalars.
//!
//! T-SQL keeps the two apart, the syntax tree does not; so every entry checks what came out. A scalar where a
//! condition must stand is 4145, a condition where a scalar must stand is a syntax error.

use super::ast::{BinaryOp, Expr, UnaryOp};
use super::lexer::{TokenKind, syntax_error};
use super::primary::function;
use super::{MAX_CHAIN, MAX_CONDITIONS, Parser};
use crate::types::{SqlError, SqlType, Value};

impl Parser {
    /// An expression that has a value.
    pub(super) fn scalar(&mut self) -> Result<Expr, SqlError> {
        let parsed = self.nested(Self::additive)?;
        if is_condition(&parsed) { Err(self.unexpected()) } else { Ok(parsed) }
    }

    /// An expression that is true, false or unknown.
    pub(super) fn condition(&mut self) -> Result<Expr, SqlError> {
        let parsed = self.disjunction()?;
        if is_condition(&parsed) {
            return Ok(parsed);
        }
        let near = if self.at_end() { self.kind_before() } else { self.kind() }.shown();
        let message = format!(
            "An expression of non-boolean type specified in a context where a condition is expected, near '{near}'."
        );
        Err(syntax_error(4145, self.line(), message))
    }

    /// A condition or, inside parentheses, a scalar.
    pub(super) fn disjunction(&mut self) -> Result<Expr, SqlError> {
        self.nested(|p| {
            let mut left = p.conjunction()?;
            let mut links = 0;
            while p.accept("OR") {
                p.count_link(&mut links, MAX_CONDITIONS)?;
                left = p.combine(left, BinaryOp::Or, Self::conjunction)?;
            }
            Ok(left)
        })
    }

    fn conjunction(&mut self) -> Result<Expr, SqlError> {
        let mut left = self.negation()?;
        let mut links = 0;
        while self.accept("AND") {
            self.count_link(&mut links, MAX_CONDITIONS)?;
            left = self.combine(left, BinaryOp::And, Self::negation)?;
        }
        Ok(left)
    }

    /// `left AND right` or `left OR right`, both of which must be conditions.
    fn combine(
        &mut self,
        left: Expr,
        operator: BinaryOp,
        right: impl FnOnce(&mut Self) -> Result<Expr, SqlError>,
    ) -> Result<Expr, SqlError> {
        let right = right(self)?;
        if !is_condition(&left) || !is_condition(&right) {
            return Err(self.unexpected());
        }
        Ok(binary(left, operator, right))
    }

    fn negation(&mut self) -> Result<Expr, SqlError> {
        if !self.accept("NOT") {
            return self.predicate();
        }
        let inside = self.nested(Self::negation)?;
        if is_condition(&inside) { Ok(Expr::Not(Box::new(inside))) } else { Err(self.unexpected()) }
    }

    fn predicate(&mut self) -> Result<Expr, SqlError> {
        if self.accept("EXISTS") {
            return Ok(Expr::Exists(Box::new(self.parenthesized(Self::query)?)));
        }
        let left = self.additive()?;
        if is_condition(&left) {
            return Ok(left);
        }
        if let Some(operator) = self.comparison_operator() {
            self.advance();
            if self.is_any(&["ALL", "ANY", "SOME"]) {
                let all = self.is("ALL");
                self.advance();
                let query = Box::new(self.parenthesized(Self::query)?);
                return Ok(Expr::Quantified(Box::new(left), operator, all, query));
            }
            let right = self.additive()?;
            return if is_condition(&right) {
                Err(self.unexpected())
            } else {
                Ok(binary(left, operator, right))
            };
        }
        if self.accept("IS") {
            let negated = self.accept("NOT");
            if self.accept("DISTINCT") {
                self.expect("FROM")?;
                let right = self.scalar()?;
                return Ok(Expr::DistinctFrom(Box::new(left), Box::new(right), negated));
            }
            self.expect("NULL")?;
            return Ok(Expr::IsNull(Box::new(left), negated));
        }
        self.negatable(left)
    }

    /// `[NOT] IN`, `[NOT] BETWEEN`, `[NOT] LIKE`, or nothing of the kind.
    fn negatable(&mut self, left: Expr) -> Result<Expr, SqlError> {
        let negated = self.accept("NOT");
        if self.accept("IN") {
            return self.membership(left, negated);
        }
        if self.accept("BETWEEN") {
            let low = self.scalar()?;
            self.expect("AND")?;
            let high = self.scalar()?;
            return Ok(Expr::Between(Box::new(left), Box::new(low), Box::new(high), negated));
        }
        if self.accept("LIKE") {
            let pattern = self.scalar()?;
            let escape = if self.accept("ESCAPE") { Some(Box::new(self.scalar()?)) } else { None };
            return Ok(Expr::Like(Box::new(left), Box::new(pattern), escape, negated));
        }
        if negated { Err(self.unexpected()) } else { Ok(left) }
    }

    fn membership(&mut self, left: Expr, negated: bool) -> Result<Expr, SqlError> {
        self.expect_symbol("(")?;
        let parsed = if self.is_any(&["SELECT", "WITH"]) {
            Expr::InQuery(Box::new(left), Box::new(self.query()?), negated)
        } else {
            Expr::InList(Box::new(left), self.comma_list(Self::scalar)?, negated)
        };
        self.expect_symbol(")")?;
        Ok(parsed)
    }

    fn comparison_operator(&self) -> Option<BinaryOp> {
        let TokenKind::Symbol(symbol) = self.kind() else { return None };
        Some(match *symbol {
            "=" => BinaryOp::Equal,
            "<>" | "!=" => BinaryOp::NotEqual,
            "<" => BinaryOp::Less,
            "<=" | "!>" => BinaryOp::LessOrEqual,
            ">" => BinaryOp::Greater,
            ">=" | "!<" => BinaryOp::GreaterOrEqual,
            _ => return None,
        })
    }

    fn additive(&mut self) -> Result<Expr, SqlError> {
        let mut left = self.multiplicative()?;
        let mut links = 0;
        loop {
            let operator = match self.kind() {
                TokenKind::Symbol("+") => BinaryOp::Add,
                TokenKind::Symbol("-") => BinaryOp::Subtract,
                TokenKind::Symbol("&") => BinaryOp::BitAnd,
                TokenKind::Symbol("|") => BinaryOp::BitOr,
                TokenKind::Symbol("^") => BinaryOp::BitXor,
                _ => return Ok(left),
            };
            self.count_link(&mut links, MAX_CHAIN)?;
            self.advance();
            let right = self.multiplicative()?;
            left = binary(left, operator, right);
        }
    }

    fn multiplicative(&mut self) -> Result<Expr, SqlError> {
        let mut left = self.unary()?;
        let mut links = 0;
        loop {
            let operator = match self.kind() {
                TokenKind::Symbol("*") => BinaryOp::Multiply,
                TokenKind::Symbol("/") => BinaryOp::Divide,
                TokenKind::Symbol("%") => BinaryOp::Modulo,
                _ => return Ok(left),
            };
            self.count_link(&mut links, MAX_CHAIN)?;
            self.advance();
            let right = self.unary()?;
            left = binary(left, operator, right);
        }
    }

    /// A sign binds looser than `*` and `/`: `100 / -10 / 2` is `100 / -(10 / 2)`.
    fn unary(&mut self) -> Result<Expr, SqlError> {
        let operator = match self.kind() {
            TokenKind::Symbol("-") => UnaryOp::Minus,
            TokenKind::Symbol("+") => UnaryOp::Plus,
            TokenKind::Symbol("~") => UnaryOp::BitNot,
            _ => return self.collated(),
        };
        self.advance();
        self.nested(|p| match operator {
            UnaryOp::BitNot => Ok(Expr::Unary(operator, Box::new(p.unary()?))),
            UnaryOp::Plus => Ok(Expr::Unary(operator, Box::new(p.multiplicative()?))),
            UnaryOp::Minus => Ok(negative(p.multiplicative()?)),
        })
    }

    fn collated(&mut self) -> Result<Expr, SqlError> {
        let mut operand = self.operand()?;
        loop {
            if self.accept("COLLATE") {
                operand = Expr::Collate(Box::new(operand), self.identifier()?);
            } else if self.accept_sequence(&["AT", "TIME", "ZONE"]) {
                operand = function("AT TIME ZONE", vec![operand, self.operand()?]);
            } else {
                return Ok(operand);
            }
        }
    }
}

fn binary(left: Expr, operator: BinaryOp, right: Expr) -> Expr {
    Expr::Binary(Box::new(left), operator, Box::new(right))
}

/// `-operand`; the minus becomes part of a literal, so that -2147483648 is an `int`.
fn negative(operand: Expr) -> Expr {
    match operand {
        Expr::Literal(Value::Int(n), sql_type @ SqlType::Int) => Expr::Literal(Value::Int(-n), sql_type),
        Expr::Literal(Value::Decimal { unscaled: 2_147_483_648, scale: 0 }, _) => {
            Expr::Literal(Value::Int(i64::from(i32::MIN)), SqlType::Int)
        }
        Expr::Literal(Value::Decimal { unscaled, scale }, sql_type) => {
            Expr::Literal(Value::Decimal { unscaled: -unscaled, scale }, sql_type)
        }
        Expr::Literal(Value::Money(n), sql_type) => Expr::Literal(Value::Money(-n), sql_type),
        Expr::Literal(Value::Float(x), sql_type) => Expr::Literal(Value::Float(-x), sql_type),
        operand => Expr::Unary(UnaryOp::Minus, Box::new(operand)),
    }
}

/// Whether an expression is a condition rather than a value.
fn is_condition(expr: &Expr) -> bool {
    match expr {
        Expr::Binary(_, operator, _) => operator.is_condition(),
        Expr::Not(_)
        | Expr::IsNull(..)
        | Expr::InList(..)
        | Expr::InQuery(..)
        | Expr::Between(..)
        | Expr::Like(..)
        | Expr::Quantified(..)
        | Expr::DistinctFrom(..)
        | Expr::Exists(_) => true,
        _ => false,
    }
}
