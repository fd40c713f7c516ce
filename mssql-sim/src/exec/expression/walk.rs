//! Questions about the inside of an expression.

use super::{Condition, Node, Scalar};

impl Scalar {
    /// Visits this scalar and every scalar inside it, but not inside its subqueries.
    fn visit(&self, visitor: &mut impl FnMut(&Scalar)) {
        visitor(self);
        match &self.node {
            Node::Constant(_) | Node::Column(_) | Node::Variable(_) | Node::Subquery(_) => {}
            Node::Convert { inner, style, .. } => {
                inner.visit(visitor);
                if let Some(style) = style {
                    style.visit(visitor);
                }
            }
            Node::Arithmetic(left, _, right) => {
                left.visit(visitor);
                right.visit(visitor);
            }
            Node::Negate(inner) | Node::BitNot(inner) => inner.visit(visitor),
            Node::Case { branches, otherwise } => {
                for (condition, result) in branches {
                    condition.visit(visitor);
                    result.visit(visitor);
                }
                if let Some(otherwise) = otherwise {
                    otherwise.visit(visitor);
                }
            }
            Node::Coalesce(candidates) => candidates.iter().for_each(|c| c.visit(visitor)),
            Node::Call(call) => call.arguments().iter().for_each(|a| a.visit(visitor)),
        }
    }

    /// Places of this query's tuple that the scalar reads.
    pub(crate) fn places(&self) -> Vec<usize> {
        let mut places = Vec::new();
        self.visit(&mut |scalar| {
            if let Node::Column(place) = &scalar.node
                && place.depth == 0
            {
                places.push(place.source);
            }
        });
        places
    }

    /// Whether a subquery is inside; it may read any place.
    pub(crate) fn has_subquery(&self) -> bool {
        let mut found = false;
        self.visit(&mut |scalar| found |= matches!(scalar.node, Node::Subquery(_)));
        found || self.has_condition_subquery()
    }

    /// Whether a condition inside, as of a CASE, has a subquery.
    fn has_condition_subquery(&self) -> bool {
        let mut found = false;
        self.visit(&mut |scalar| {
            if let Node::Case { branches, .. } = &scalar.node {
                found |= branches.iter().any(|(condition, _)| condition.has_subquery());
            }
        });
        found
    }
}

impl Condition {
    fn visit(&self, visitor: &mut impl FnMut(&Scalar)) {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|p| p.visit(visitor)),
            Self::Not(inside) => inside.visit(visitor),
            Self::Compare(left, _, right, _) => {
                left.visit(visitor);
                right.visit(visitor);
            }
            Self::IsNull(operand)
            | Self::In { value: operand, .. }
            | Self::Quantified { value: operand, .. } => operand.visit(visitor),
            Self::Like { text, pattern, escape, .. } => {
                text.visit(visitor);
                pattern.visit(visitor);
                if let Some(escape) = escape {
                    escape.visit(visitor);
                }
            }
            Self::Exists(_) => {}
        }
    }

    /// Places of this query's tuple that the condition reads.
    pub(crate) fn places(&self) -> Vec<usize> {
        let mut places = Vec::new();
        self.visit(&mut |scalar| {
            if let Node::Column(place) = &scalar.node
                && place.depth == 0
            {
                places.push(place.source);
            }
        });
        places
    }

    /// Whether a subquery is inside; it may read any place.
    pub(crate) fn has_subquery(&self) -> bool {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().any(Self::has_subquery),
            Self::Not(inside) => inside.has_subquery(),
            Self::In { .. } | Self::Quantified { .. } | Self::Exists(_) => true,
            _ => {
                let mut found = false;
                self.visit(&mut |scalar| found |= matches!(scalar.node, Node::Subquery(_)));
                found
            }
        }
    }
}
