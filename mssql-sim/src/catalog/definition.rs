//! Expressions of constraints as the catalog shows them: rendered anew, names in brackets, constants in parentheses.

use crate::exec::conversion::{is_text, text_of, type_name};
use crate::parser::ast::{BinaryOp, Expr, UnaryOp};
use crate::types::{SqlType, Value};

/// The definition of a constraint, default or computed column.
pub(super) fn definition(expr: &Expr) -> String {
    format!("({})", render(expr))
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
            UnaryOp::BitNot => format!("~{}", render(e)),
        },
        Expr::Binary(a, BinaryOp::And, b) => format!("{} AND {}", render(a), render(b)),
        Expr::Binary(a, BinaryOp::Or, b) => format!("{} OR {}", render(a), render(b)),
        Expr::Binary(a, operator, b) => format!("{}{}{}", render(a), symbol(*operator), render(b)),
        Expr::Not(e) => format!("NOT {}", render(e)),
        Expr::IsNull(e, not) => format!("{} IS {}NULL", render(e), negation(*not)),
        Expr::InList(e, list, not) => format!("{} {}IN ({})", render(e), negation(*not), renders(list)),
        Expr::Between(e, low, high, not) => {
            format!("{} {}BETWEEN {} AND {}", render(e), negation(*not), render(low), render(high))
        }
        Expr::Like(e, pattern, escape, not) => {
            let escape =
                escape.as_ref().map_or_else(String::new, |escape| format!(" ESCAPE {}", render(escape)));
            format!("{} {}LIKE {}{escape}", render(e), negation(*not), render(pattern))
        }
        Expr::Case { operand, branches, otherwise } => {
            case(operand.as_deref(), branches, otherwise.as_deref())
        }
        Expr::Cast { expr, sql_type, style, try_cast } => {
            let style = style.as_ref().map_or_else(String::new, |style| format!(",{}", render(style)));
            let function = if *try_cast { "TRY_CONVERT" } else { "CONVERT" };
            format!("{function}([{}],{}{style})", type_name(*sql_type), render(expr))
        }
        Expr::Function { name, arguments, .. } => format!("{}({})", name.to_lowercase(), renders(arguments)),
        Expr::Collate(e, name) => format!("{} COLLATE {name}", render(e)),
        Expr::Star => "*".to_owned(),
        Expr::DistinctFrom(a, b, not) => {
            format!("{} IS {}DISTINCT FROM {}", render(a), negation(*not), render(b))
        }
        // No constraint and no computed column holds a query.
        Expr::Quantified(..) | Expr::InQuery(..) | Expr::Exists(_) | Expr::Subquery(_) => {
            "(SELECT ...)".to_owned()
        }
    }
}

fn renders(list: &[Expr]) -> String {
    list.iter().map(render).collect::<Vec<_>>().join(",")
}

fn case(operand: Option<&Expr>, branches: &[(Expr, Expr)], otherwise: Option<&Expr>) -> String {
    let operand = operand.map_or_else(String::new, |operand| format!(" {}", render(operand)));
    let branches: String =
        branches.iter().map(|(when, then)| format!(" WHEN {} THEN {}", render(when), render(then))).collect();
    let otherwise = otherwise.map_or_else(String::new, |otherwise| format!(" ELSE {}", render(otherwise)));
    format!("case{operand}{branches}{otherwise} end")
}

fn negation(not: bool) -> &'static str {
    if not { "NOT " } else { "" }
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
        BinaryOp::And => " AND ",
        BinaryOp::Or => " OR ",
    }
}

/// Numbers stand in parentheses, text in quotes, bytes in hexadecimal.
fn literal(value: &Value, sql_type: SqlType) -> String {
    if let Value::Bytes(bytes) = value {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        return format!("0x{digits}");
    }
    let shown = text_of(value.clone(), sql_type).unwrap_or_default();
    let shown = String::from_utf16_lossy(&shown);
    if !is_text(sql_type) {
        return format!("({shown})");
    }
    let national = if matches!(sql_type, SqlType::NVarChar(_) | SqlType::NChar(_)) { "N" } else { "" };
    format!("{national}'{}'", shown.replace('\'', "''"))
}
