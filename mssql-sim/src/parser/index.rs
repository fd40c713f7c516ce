//! Indexes: their columns, options and filegroups.

use super::Parser;
use super::ast::{CreateIndex, IndexOptions, KeyClause, Statement};
use super::lexer::syntax_error;
use crate::types::SqlError;

/// Options that say how data is stored or an index is built, and change no answer.
const NEUTRAL_OPTIONS: [&str; 9] = [
    "STATISTICS_NORECOMPUTE",
    "STATISTICS_INCREMENTAL",
    "OPTIMIZE_FOR_SEQUENTIAL_KEY",
    "DATA_COMPRESSION",
    "XML_COMPRESSION",
    "SORT_IN_TEMPDB",
    "ONLINE",
    "RESUMABLE",
    "MAXDOP",
];

/// What `WITH (...)` behind a key, an index or a table says.
#[derive(Default)]
pub(super) struct StorageOptions {
    pub(super) index: IndexOptions,
    drop_existing: bool,
}

impl Parser {
    /// `ON filegroup`, `TEXTIMAGE_ON filegroup`, `WITH (...)`: where and how data is stored.
    pub(super) fn storage_options(&mut self) -> Result<StorageOptions, SqlError> {
        let mut options = StorageOptions::default();
        loop {
            if self.is_any(&["ON", "TEXTIMAGE_ON"]) {
                self.advance();
                if !self.accept("PRIMARY") {
                    self.identifier()?;
                }
                if self.is_symbol("(") {
                    return self.unsupported("partition scheme");
                }
            } else if self.is("WITH") && self.is_symbol_at(1, "(") {
                self.advance();
                self.parenthesized(|p| p.comma_list(|p| p.storage_option(&mut options)))?;
            } else if self.is("WITH") && self.is_at(1, "FILLFACTOR") {
                self.advance();
                self.storage_option(&mut options)?;
            } else {
                return Ok(options);
            }
        }
    }

    /// `name = value`; an option that would change what a statement does is refused.
    fn storage_option(&mut self, options: &mut StorageOptions) -> Result<(), SqlError> {
        let name = self.kind().shown().to_uppercase();
        let line = self.line();
        self.advance();
        if !self.is_symbol("=") {
            return Err(syntax_error(102, line, format!("Incorrect syntax near '{name}'.")));
        }
        self.advance();
        match name.as_str() {
            "PAD_INDEX" => options.index.padded = self.on_off()?,
            "ALLOW_ROW_LOCKS" => options.index.row_locks = self.on_off()?,
            "ALLOW_PAGE_LOCKS" => options.index.page_locks = self.on_off()?,
            "FILLFACTOR" => {
                let percent = self.integer()?;
                let Some(factor) = u8::try_from(percent).ok().filter(|factor| (1..=100).contains(factor))
                else {
                    let message = format!(
                        "Fillfactor {percent} is not a valid percentage; fillfactor must be between 1 and 100."
                    );
                    return Err(syntax_error(129, line, message));
                };
                options.index.fill_factor = factor;
            }
            "DROP_EXISTING" => options.drop_existing = self.on_off()?,
            "IGNORE_DUP_KEY" if self.is("OFF") => self.advance(),
            "IGNORE_DUP_KEY" => return self.unsupported("IGNORE_DUP_KEY = ON"),
            _ if NEUTRAL_OPTIONS.contains(&name.as_str()) => self.advance(),
            _ => {
                let message = format!("'{name}' is not a recognized CREATE INDEX option.");
                return Err(syntax_error(155, line, message));
            }
        }
        Ok(())
    }

    /// `CLUSTERED` or `NONCLUSTERED`.
    pub(super) fn clustering(&mut self) -> Option<bool> {
        if self.accept("CLUSTERED") {
            return Some(true);
        }
        self.accept("NONCLUSTERED").then_some(false)
    }

    /// `[CLUSTERED|NONCLUSTERED] (column [ASC|DESC], ...)` and storage options.
    pub(super) fn key_clause(&mut self) -> Result<KeyClause, SqlError> {
        let clustered = self.clustering();
        let columns = self.parenthesized(|p| p.comma_list(Self::key_column))?;
        let options = self.storage_options()?.index;
        Ok(KeyClause { columns, clustered, options })
    }

    fn key_column(&mut self) -> Result<(String, bool), SqlError> {
        let name = self.identifier()?;
        let descending = self.accept("DESC");
        if !descending {
            self.accept("ASC");
        }
        Ok((name, descending))
    }

    pub(super) fn create_index(&mut self) -> Result<Statement, SqlError> {
        let unique = self.accept("UNIQUE");
        let clustered = self.clustering();
        if self.is("COLUMNSTORE") {
            return self.unsupported_here();
        }
        self.expect("INDEX")?;
        let name = self.identifier()?;
        self.expect("ON")?;
        let table = self.object_name()?;
        let columns = self.parenthesized(|p| p.comma_list(Self::key_column))?;
        let included = if self.accept("INCLUDE") { self.identifier_list()? } else { Vec::new() };
        let filter = if self.accept("WHERE") { Some(self.condition()?) } else { None };
        let StorageOptions { index: options, drop_existing } = self.storage_options()?;
        let key = KeyClause { columns, clustered, options };
        Ok(Statement::CreateIndex(CreateIndex { name, table, unique, key, included, filter, drop_existing }))
    }

    /// `ALTER INDEX name | ALL ON t REBUILD | REORGANIZE`
    pub(super) fn alter_index(&mut self) -> Result<Statement, SqlError> {
        let name = if self.accept("ALL") { None } else { Some(self.identifier()?) };
        self.expect("ON")?;
        let table = self.object_name()?;
        if !(self.accept("REBUILD") || self.accept("REORGANIZE")) {
            let construct = format!("ALTER INDEX {}", self.kind().shown().to_uppercase());
            return self.unsupported(&construct);
        }
        self.storage_options()?;
        Ok(Statement::RebuildIndex { name, table })
    }

    /// `DROP INDEX [IF EXISTS] name ON t, ...`, also `t.name`
    pub(super) fn drop_index(&mut self) -> Result<Statement, SqlError> {
        let if_exists = self.accept_sequence(&["IF", "EXISTS"]);
        let indexes = self.comma_list(|p| {
            let mut name = p.object_name()?;
            if p.accept("ON") {
                return Ok((name.name, p.object_name()?));
            }
            // The old form names the table first.
            let Some(table) = name.schema.take() else { return Err(p.unexpected()) };
            let index = std::mem::replace(&mut name.name, table);
            name.schema = name.database.take();
            Ok((index, name))
        })?;
        self.storage_options()?;
        Ok(Statement::DropIndex { indexes, if_exists })
    }
}
