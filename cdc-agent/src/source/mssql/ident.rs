//! Names inside T-SQL. Nothing else puts a name into a statement.

use proto::SourceTable;
use std::fmt;

/// One identifier, written in brackets; a closing bracket within is doubled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ident<'a>(pub(super) &'a str);

impl fmt::Display for Ident<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.0.replace(']', "]]"))
    }
}

/// `[schema].[table]`
#[derive(Clone, Copy, Debug)]
pub(super) struct TableIdent<'a>(pub(super) &'a SourceTable);

impl fmt::Display for TableIdent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", Ident(&self.0.schema), Ident(&self.0.table))
    }
}

#[cfg(test)]
mod tests {
    use super::TableIdent;
    use proto::SourceTable;

    #[test]
    fn a_bracket_in_a_name_does_not_end_it() {
        let table = SourceTable { schema: "dbo".into(), table: "a]; DROP TABLE b --".into() };
        assert_eq!(TableIdent(&table).to_string(), "[dbo].[a]]; DROP TABLE b --]");
    }
}
