//! Expressions of constraints as the catalog shows them: rendered anew, names in brackets, constants in parentheses, IN
//! and BETWEEN as the comparisons that they are.

use crate::exec::conversion::{is_text, text_of, type_name};
use crate::parser::ast::{BinaryOp, Expr, UnaryOp};
use crate::types::{SqlType, Value};

/// The definition of a constraint, default, filter or computed column.
pub(super) fn definition(expr: &Expr) -> String {
    format!("({})", render(expr))
}

/// How tightly an operator binds; what binds less tightly than what is around it stands in parentheses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Or,
    And,
    Not,
    Comparison,
    Bits,
    Sum,
    Product,
    Operand,
}

fn binding(expr: &Expr) -> Binding {
    match expr {
        Expr::Binary(_, operator, _) => operator_binding(*operator),
        Expr::InList(_, list, false) if list.len() > 1 => Binding::Or,
        Expr::Between(_, _, _, false) => Binding::And,
        Expr::Not(_)
        | Expr::InList(_, _, true)
        | Expr::Between(_, _, _, true)
        | Expr::Like(_, _, _, true) => Binding::Not,
        Expr::InList(..) | Expr::IsNull(..) | Expr::Like(..) => Binding::Comparison,
        _ => Binding::Operand,
    }
}

fn operator_binding(operator: BinaryOp) -> Binding {
    match operator {
        BinaryOp::Or => Binding::Or,
        BinaryOp::And => Binding::And,
        BinaryOp::BitAnd | BinaryOp::BitOr | BinaryOp::BitXor => Binding::Bits,
        BinaryOp::Add | BinaryOp::Subtract => Binding::Sum,
        BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Modulo => Binding::Product,
        _ => Binding::Comparison,
    }
}

/// An operand of something that binds so tightly.
fn operand(expr: &Expr, around: Binding) -> String {
    let own = binding(expr);
    // Operators on bits stand in parentheses wherever they are operands.
    if own < around || own == Binding::Bits { format!("({})", render(expr)) } else { render(expr) }
}

fn render(expr: &Expr) -> String {
    match expr {
        Expr::Literal(value, sql_type) => literal(value, *sql_type),
        Expr::Null => "NULL".to_owned(),
        Expr::Column(parts) => parts.iter().map(|part| format!("[{part}]")).collect::<Vec<_>>().join("."),
        Expr::Variable(name) => format!("@{name}"),
        Expr::Global(name) => format!("@@{name}"),
        Expr::Unary(operator, e) => match operator {
            UnaryOp::Minus => format!("(-{})", render(e).trim_matches(['(', ')'])),
            UnaryOp::Plus => render(e),
            UnaryOp::BitNot => format!("~{}", operand(e, Binding::Operand)),
        },
        Expr::Binary(a, operator, b) => binary(a, *operator, b),
        Expr::Not(e) => format!("NOT {}", operand(e, Binding::Comparison)),
        Expr::IsNull(e, not) => {
            format!("{} IS {}NULL", operand(e, Binding::Bits), if *not { "NOT " } else { "" })
        }
        Expr::InList(e, list, not) => {
            // The last of the list comes first.
            let own = operand(e, Binding::Bits);
            let equal = list.iter().rev().map(|item| format!("{own}={}", operand(item, Binding::Bits)));
            negated(*not, equal.collect::<Vec<_>>().join(" OR "))
        }
        Expr::Between(e, low, high, not) => {
            let [own, low, high] = [e, low, high].map(|e| operand(e, Binding::Bits));
            negated(*not, format!("{own}>={low} AND {own}<={high}"))
        }
        Expr::Like(e, pattern, escape, not) => {
            let escape =
                escape.as_ref().map_or_else(String::new, |escape| format!(" escape {}", render(escape)));
            let like =
                format!("{} like {}{escape}", operand(e, Binding::Bits), operand(pattern, Binding::Bits));
            if *not { format!("NOT {like}") } else { like }
        }
        Expr::Case { operand, branches, otherwise } => {
            case(operand.as_deref(), branches, otherwise.as_deref())
        }
        Expr::Cast { expr, sql_type, style, try_cast } => {
            let style = style.as_ref().map_or_else(String::new, |style| format!(",{}", render(style)));
            let function = if *try_cast { "TRY_CAST" } else { "CONVERT" };
            format!("{function}({},{}{style})", bracketed_type(*sql_type), render(expr))
        }
        Expr::Function { name, arguments, .. } => function(name, arguments),
        Expr::Collate(e, name) => format!("{} collate {name}", operand(e, Binding::Operand)),
        Expr::Star => "*".to_owned(),
        Expr::DistinctFrom(a, b, not) => {
            format!("{} IS {}DISTINCT FROM {}", render(a), if *not { "NOT " } else { "" }, render(b))
        }
        // No constraint and no computed column holds a query.
        Expr::Quantified(..) | Expr::InQuery(..) | Expr::Exists(_) | Expr::Subquery(_) => {
            "(SELECT ...)".to_owned()
        }
    }
}

fn binary(a: &Expr, operator: BinaryOp, b: &Expr) -> String {
    let own = operator_binding(operator);
    let left = operand(a, own);
    // The right side of a difference or quotient keeps its parentheses: it was written in them.
    let right = match binding(b) {
        same if same == own && !matches!(own, Binding::Or | Binding::And) => format!("({})", render(b)),
        _ => operand(b, own),
    };
    match operator {
        BinaryOp::And | BinaryOp::Or => format!("{left} {} {right}", symbol(operator)),
        _ => format!("{left}{}{right}", symbol(operator)),
    }
}

fn negated(not: bool, condition: String) -> String {
    if not { format!("NOT ({condition})") } else { condition }
}

fn function(name: &str, arguments: &[Expr]) -> String {
    let arguments = arguments.iter().map(render).collect::<Vec<_>>().join(",");
    match name.to_lowercase().as_str() {
        "current_timestamp" => "getdate()".to_owned(),
        name => format!("{name}({arguments})"),
    }
}

/// `[decimal](9,2)`
fn bracketed_type(sql_type: SqlType) -> String {
    let name = type_name(sql_type);
    match name.split_once('(') {
        Some((name, length)) => format!("[{name}]({length}"),
        None => format!("[{name}]"),
    }
}

fn case(operand: Option<&Expr>, branches: &[(Expr, Expr)], otherwise: Option<&Expr>) -> String {
    let operand = operand.map_or_else(String::new, |operand| format!(" {}", render(operand)));
    let branches: String =
        branches.iter().map(|(when, then)| format!(" when {} then {}", render(when), render(then))).collect();
    let otherwise = otherwise.map_or_else(String::new, |otherwise| format!(" else {}", render(otherwise)));
    format!("case{operand}{branches}{otherwise} end")
}

fn symbol(operator: BinaryOp) -> &'static str {
    match operator {
        BinaryOp::Add => "+",
        BinaryOp::Subtract => "-",
        BinaryOp::Multiply => "*",
        BinaryOp::Divide => "/",
        BinaryOp::Modulo => "%",
        BinaryOp::BitAnd => "&",
        BinaryOp::BitOr => "|",
        BinaryOp::BitXor => "^",
        BinaryOp::Equal => "=",
        BinaryOp::NotEqual => "<>",
        BinaryOp::Less => "<",
        BinaryOp::LessOrEqual => "<=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterOrEqual => ">=",
        BinaryOp::And => "AND",
        BinaryOp::Or => "OR",
    }
}

/// Numbers stand in parentheses, text in quotes, bytes in hexadecimal.
fn literal(value: &Value, sql_type: SqlType) -> String {
    match value {
        Value::Bytes(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            return format!("0x{digits}");
        }
        Value::Float(float) => return format!("({})", scientific(*float)),
        Value::Money(ten_thousandths) => {
            let (whole, rest) = (ten_thousandths / 10_000, (ten_thousandths % 10_000).abs());
            return format!("(${whole}.{rest:04})");
        }
        _ => {}
    }
    let shown = text_of(value.clone(), sql_type).unwrap_or_default();
    let shown = String::from_utf16_lossy(&shown);
    if !is_text(sql_type) {
        // A whole number too large for int is a numeric, and shows its point.
        let point = matches!(value, Value::Decimal { scale: 0, .. });
        return format!("({shown}{})", if point { "." } else { "" });
    }
    let national = if matches!(sql_type, SqlType::NVarChar(_) | SqlType::NChar(_)) { "N" } else { "" };
    format!("{national}'{}'", shown.replace('\'', "''"))
}

/// A float with 17 digits and an exponent of three.
fn scientific(float: f64) -> String {
    let shown = format!("{float:.16e}");
    let (mantissa, exponent) = shown.split_once('e').unwrap_or((&shown, "0"));
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>3}")
}
