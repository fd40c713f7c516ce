//! Logins, users, roles and permissions; CREATE DATABASE beside them.

use super::Parser;
use super::ast::{GrantKind, GrantedPermission, Permission, Securable, SetPrincipal, Statement};
use super::lexer::TokenKind;
use crate::types::SqlError;

impl Parser {
    /// `CREATE DATABASE | LOGIN | USER | ROLE`
    pub(super) fn create_database_object(&mut self) -> Result<Statement, SqlError> {
        if self.accept("DATABASE") {
            return self.create_database();
        }
        if self.accept("LOGIN") {
            return self.create_login();
        }
        if self.accept("ROLE") {
            let name = self.identifier()?;
            if self.accept("AUTHORIZATION") {
                self.identifier()?;
            }
            return Ok(Statement::Permission(Permission::CreateRole(name)));
        }
        self.expect("USER")?;
        let name = self.identifier()?;
        let login = if self.accept_sequence(&["WITHOUT", "LOGIN"]) {
            None
        } else if self.accept("FOR") || self.accept("FROM") {
            self.expect("LOGIN")?;
            Some(self.identifier()?)
        } else {
            Some(name.clone())
        };
        let default_schema = if self.accept("WITH") { Some(self.default_schema()?) } else { None };
        Ok(Statement::Permission(Permission::CreateUser { name, login, default_schema }))
    }

    /// What follows `CREATE DATABASE`; where its files lie changes nothing here.
    fn create_database(&mut self) -> Result<Statement, SqlError> {
        let name = self.identifier()?;
        if self.accept("CONTAINMENT") {
            self.expect_symbol("=")?;
            self.expect("NONE")?;
        }
        while self.is("ON") || self.is_sequence(&["LOG", "ON"]) {
            self.accept("LOG");
            self.expect("ON")?;
            self.accept("PRIMARY");
            self.comma_list(Self::skip_parentheses)?;
        }
        let collation = if self.accept("COLLATE") { Some(self.identifier()?) } else { None };
        if self.is_any(&["WITH", "FOR", "AS"]) {
            let construct = format!("CREATE DATABASE {}", self.kind().shown().to_uppercase());
            return self.unsupported(&construct);
        }
        Ok(Statement::CreateDatabase { name, collation })
    }

    /// `DEFAULT_SCHEMA = name`
    fn default_schema(&mut self) -> Result<String, SqlError> {
        if !self.is("DEFAULT_SCHEMA") {
            return self.unsupported_here();
        }
        self.advance();
        self.expect_symbol("=")?;
        self.identifier()
    }

    fn create_login(&mut self) -> Result<Statement, SqlError> {
        let name = self.identifier()?;
        if self.is("FROM") {
            return self.unsupported("CREATE LOGIN FROM");
        }
        self.expect_sequence(&["WITH", "PASSWORD"])?;
        self.expect_symbol("=")?;
        let password = self.text()?;
        while self.accept_symbol(",") {
            self.login_option()?;
        }
        Ok(Statement::Permission(Permission::CreateLogin { name, password }))
    }

    /// An option of a login. Password policy is not modelled; what would change what the login may do is refused.
    fn login_option(&mut self) -> Result<(), SqlError> {
        let name = self.kind().shown().to_uppercase();
        if !matches!(
            name.as_str(),
            "CHECK_POLICY" | "CHECK_EXPIRATION" | "DEFAULT_DATABASE" | "DEFAULT_LANGUAGE" | "SID"
        ) {
            return self.unsupported_here();
        }
        self.advance();
        self.expect_symbol("=")?;
        self.advance();
        Ok(())
    }

    /// What follows `ALTER`: `ROLE r ADD | DROP MEMBER m`, `USER u WITH ...`, `LOGIN l WITH PASSWORD`, `AUTHORIZATION`
    pub(super) fn alter_principal(&mut self) -> Result<Statement, SqlError> {
        let on_server = self.accept("SERVER");
        if self.accept("ROLE") {
            let role = self.identifier()?;
            let add = self.accept("ADD");
            if !add {
                self.expect("DROP")?;
            }
            self.expect("MEMBER")?;
            let member = self.identifier()?;
            return Ok(Statement::Permission(Permission::ChangeMember { role, member, add, on_server }));
        }
        if self.accept("LOGIN") {
            let name = self.identifier()?;
            if self.is_any(&["ENABLE", "DISABLE"]) {
                let enabled = self.is("ENABLE");
                self.advance();
                return Ok(Statement::Permission(Permission::SetPrincipal(
                    name,
                    SetPrincipal::Enabled(enabled),
                )));
            }
            self.expect_sequence(&["WITH", "PASSWORD"])?;
            self.expect_symbol("=")?;
            let password = self.text()?;
            return Ok(Statement::Permission(Permission::SetPrincipal(
                name,
                SetPrincipal::Password(password),
            )));
        }
        if self.accept("USER") {
            let name = self.identifier()?;
            self.expect("WITH")?;
            let schema = self.default_schema()?;
            return Ok(Statement::Permission(Permission::SetPrincipal(
                name,
                SetPrincipal::DefaultSchema(schema),
            )));
        }
        let construct = format!("ALTER {}", self.kind().shown().to_uppercase());
        self.unsupported(&construct)
    }

    /// What follows `DROP`: `LOGIN l`, `USER [IF EXISTS] u`, `ROLE [IF EXISTS] r`
    pub(super) fn drop_principal(&mut self) -> Result<Statement, SqlError> {
        if self.accept("LOGIN") {
            let name = self.identifier()?;
            return Ok(Statement::Permission(Permission::DropLogin(name)));
        }
        let is_role = self.is("ROLE");
        self.advance();
        let if_exists = self.accept_sequence(&["IF", "EXISTS"]);
        let name = self.identifier()?;
        Ok(Statement::Permission(Permission::DropUser { name, is_role, if_exists }))
    }

    /// `GRANT | DENY | REVOKE permissions [ON securable] TO | FROM principals`
    pub(super) fn change_permission(&mut self) -> Result<Statement, SqlError> {
        let kind = if self.accept("GRANT") {
            GrantKind::Grant
        } else if self.accept("DENY") {
            GrantKind::Deny
        } else {
            self.expect("REVOKE")?;
            GrantKind::Revoke
        };
        if self.is_sequence(&["GRANT", "OPTION"]) {
            return self.unsupported("GRANT OPTION FOR");
        }
        let mut permissions = self.comma_list(Self::granted_permission)?;
        let securable = if self.accept("ON") { self.securable()? } else { Securable::Database };
        if self.is_symbol("(") {
            // The columns may stand behind the object too, then for every permission.
            let columns = self.identifier_list()?;
            permissions.iter_mut().for_each(|permission| permission.columns.clone_from(&columns));
        }
        if let Some(other) = permissions.iter().find(|p| !p.columns.is_empty() && p.name != "SELECT") {
            return self.unsupported(&format!("{} permission on columns", other.name));
        }
        if !(self.accept("TO") || kind == GrantKind::Revoke && self.accept("FROM")) {
            return Err(self.unexpected());
        }
        let principals =
            self.comma_list(|p| if p.accept("PUBLIC") { Ok("public".to_owned()) } else { p.identifier() })?;
        self.accept("CASCADE");
        if self.is_sequence(&["WITH", "GRANT"]) || self.is("AS") {
            return self.unsupported_here();
        }
        Ok(Statement::Permission(Permission::Change { kind, permissions, securable, principals }))
    }

    /// Words up to `,`, `ON`, `TO`, `FROM` or the columns in parentheses, as `VIEW CHANGE TRACKING`.
    fn granted_permission(&mut self) -> Result<GrantedPermission, SqlError> {
        let mut words = Vec::new();
        while let TokenKind::Word(word) = self.kind() {
            if self.is_any(&["ON", "TO", "FROM"]) {
                break;
            }
            words.push(word.to_ascii_uppercase());
            self.advance();
        }
        if words.is_empty() {
            return Err(self.unexpected());
        }
        let columns = if self.is_symbol("(") { self.identifier_list()? } else { Vec::new() };
        // EXEC and ALL PRIVILEGES are other words for the same.
        let name = match words.join(" ").as_str() {
            "EXEC" => "EXECUTE".to_owned(),
            "ALL" | "ALL PRIVILEGES" => return self.unsupported("permission ALL"),
            name => name.to_owned(),
        };
        Ok(GrantedPermission { name, columns })
    }

    fn securable(&mut self) -> Result<Securable, SqlError> {
        if self.is_symbol_at(1, "::") {
            let class = self.kind().shown().to_uppercase();
            if !matches!(class.as_str(), "SCHEMA" | "OBJECT" | "DATABASE") {
                return self.unsupported(&format!("permission on {class}"));
            }
            self.advance();
            self.advance();
            return match class.as_str() {
                "SCHEMA" => self.identifier().map(Securable::Schema),
                "DATABASE" => self.identifier().map(|_| Securable::Database),
                _ => self.object_name().map(Securable::Object),
            };
        }
        self.object_name().map(Securable::Object)
    }
}
