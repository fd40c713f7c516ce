//! What stands in the way of replication at the source, and the statement that mends it.

use super::catalog::{Database, Description, Lookup, Survey};
use super::error::SourceError;
use super::ident::{Ident, TableIdent};
use super::layout::{LayoutError, problems};

/// Below this, a weekend's outage costs a reload of every table.
const SHORT_RETENTION_MINUTES: i64 = 3 * 24 * 60;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Works, with less protection than possible.
    Notice,
    /// Works, with a risk that somebody should decide about.
    Warning,
    /// The table, or everything, cannot be replicated.
    Error,
}

/// Something that `check` reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// The database, table or column.
    pub subject: String,
    /// What it is, in Spanish.
    pub text_es: String,
    /// What it is, in English.
    pub text_en: String,
    /// The exact statement that mends it, where there is one.
    pub mend: Option<String>,
}

impl Survey {
    /// Everything that is to be said about the source, the database first, tables in the configuration's order. `user` is the agent's
    /// own user, to whom rights are granted.
    pub fn findings(&self, user: &str) -> Vec<Finding> {
        let mut findings = of_database(&self.database, user);
        for lookup in &self.tables {
            match &lookup.found {
                Some(description) => findings.extend(of_table(lookup, description, user)),
                None => findings.push(unknown_table(lookup, user)),
            }
        }
        findings
    }
}

fn finding(
    severity: Severity,
    subject: &str,
    text_es: String,
    text_en: String,
    mend: Option<String>,
) -> Finding {
    Finding { severity, subject: subject.to_owned(), text_es, text_en, mend }
}

fn of_database(database: &Database, user: &str) -> Vec<Finding> {
    let name = database.name.as_str();
    let ident = Ident(name);
    let mut findings = Vec::new();
    let mut add =
        |severity, es: String, en: String, mend| findings.push(finding(severity, name, es, en, mend));
    if database.read_only {
        add(
            Severity::Error,
            "La base de datos es de solo lectura (¿una réplica secundaria?); conecte con la principal."
                .into(),
            "The database is read only (a secondary replica?); connect to the primary.".into(),
            None,
        );
    }
    if !database.tracking {
        add(
            Severity::Error,
            "Change Tracking está desactivado en la base de datos.".into(),
            "Change Tracking is off in the database.".into(),
            Some(format!(
                "ALTER DATABASE {ident} SET CHANGE_TRACKING = ON (CHANGE_RETENTION = 7 DAYS, AUTO_CLEANUP = ON);"
            )),
        );
    }
    if !database.snapshot_isolation {
        add(
            Severity::Warning,
            "SNAPSHOT no está permitido: las tablas se leen en instantes distintos y nunca están sincronizadas entre sí.".into(),
            "SNAPSHOT is not allowed: tables are read at different instants and are never in step with each other.".into(),
            Some(format!("ALTER DATABASE {ident} SET ALLOW_SNAPSHOT_ISOLATION ON;")),
        );
    }
    if let Some(retention) =
        database.retention.filter(|r| r.auto_cleanup && r.minutes < SHORT_RETENTION_MINUTES)
    {
        let hours = retention.minutes / 60;
        add(
            Severity::Warning,
            format!(
                "Los cambios se conservan {hours} horas: una parada más larga obliga a cargar todas las tablas de nuevo."
            ),
            format!("Changes are kept for {hours} hours: after a longer outage every table is loaded again."),
            Some(format!("ALTER DATABASE {ident} SET CHANGE_TRACKING (CHANGE_RETENTION = 7 DAYS);")),
        );
    }
    if !database.commits_readable {
        add(
            Severity::Warning,
            "No se puede leer quién confirmó una versión: una restauración cuyas versiones ya superaron las del agente puede pasar inadvertida.".into(),
            "Who committed a version cannot be read: a restore whose versions have overtaken the agent's can stay unseen.".into(),
            Some(format!("GRANT VIEW DATABASE STATE TO {};", Ident(user))),
        );
    }
    findings
}

/// The catalog hides what the login may not see, so a missing right looks like a missing table.
fn unknown_table(lookup: &Lookup, user: &str) -> Finding {
    let source = &lookup.table.source;
    let english = SourceError::UnknownTable { table: source.to_string(), nearest: lookup.nearest.clone() };
    let suggestion =
        lookup.nearest.as_ref().map(|name| format!("; ¿quiso decir {name}?")).unwrap_or_default();
    let grant = format!("GRANT SELECT, VIEW CHANGE TRACKING ON {} TO {};", TableIdent(source), Ident(user));
    finding(
        Severity::Error,
        &source.to_string(),
        format!("La tabla no existe o el usuario no la ve{suggestion}."),
        english.to_string(),
        lookup.nearest.is_none().then_some(grant),
    )
}

fn of_table(lookup: &Lookup, description: &Description, user: &str) -> Vec<Finding> {
    let table = TableIdent(&description.source);
    let subject = description.source.to_string();
    let mut findings: Vec<_> = problems(description, &lookup.table).iter().map(of_layout).collect();
    let mut missing_right = |right: &str| {
        findings.push(finding(
            Severity::Error,
            &subject,
            format!("Falta el permiso {right}."),
            format!("The right {right} is missing."),
            Some(format!("GRANT {right} ON {table} TO {};", Ident(user))),
        ));
    };
    if !description.may_select {
        missing_right("SELECT");
    }
    if !description.may_view_tracking {
        missing_right("VIEW CHANGE TRACKING");
    }
    if description.may_view_tracking && !description.tracked && !description.key.is_empty() {
        findings.push(finding(
            Severity::Error,
            &subject,
            "Change Tracking está desactivado en la tabla.".into(),
            "Change Tracking is off on the table.".into(),
            Some(format!("ALTER TABLE {table} ENABLE CHANGE_TRACKING WITH (TRACK_COLUMNS_UPDATED = OFF);")),
        ));
    }
    let excluded = &lookup.table.columns_excluded;
    for column in description.columns.iter().filter(|c| c.recomputed && !excluded.contains(&c.name)) {
        findings.push(finding(
            Severity::Notice,
            &format!("{subject}.{}", column.name),
            "Columna calculada no persistente: si depende de algo más que de su fila, cambia sin que nadie lo registre.".into(),
            "A computed column that is not persisted: where it depends on more than its row, it changes untracked.".into(),
            Some(format!("ALTER TABLE {table} ALTER COLUMN {} ADD PERSISTED;", Ident(&column.name))),
        ));
    }
    findings
}

/// The errors' own words are the English text.
fn of_layout(problem: &LayoutError) -> Finding {
    let (subject, text_es, mend) = match problem {
        LayoutError::NoKey { table } => (
            table.to_string(),
            "La tabla no tiene clave primaria y Change Tracking no puede seguirla; quítela de la configuración o añada una clave."
                .to_owned(),
            Some(format!(
                "ALTER TABLE {} ADD [cdc_row] bigint IDENTITY NOT NULL PRIMARY KEY;",
                TableIdent(table)
            )),
        ),
        LayoutError::KeyType { table, column, sql_type } => (
            format!("{table}.{column}"),
            format!("Columna de la clave de tipo {sql_type}: el destino no puede guardar sus valores exactamente."),
            None,
        ),
        LayoutError::KeyExcluded { table, column } => (
            format!("{table}.{column}"),
            "La columna es parte de la clave primaria y no se puede excluir.".to_owned(),
            None,
        ),
        LayoutError::UnknownColumn { table, column, nearest } => {
            let suggestion = nearest.as_ref().map(|name| format!("; ¿quiso decir {name}?")).unwrap_or_default();
            (table.to_string(), format!("La tabla no tiene la columna {column} de columns_excluded{suggestion}."), None)
        }
        LayoutError::Unsupported { table, column, sql_type } => (
            format!("{table}.{column}"),
            format!("El tipo {sql_type} no se replica; añada la columna a columns_excluded."),
            None,
        ),
        LayoutError::Unnameable { table, column } => (
            format!("{table}.{column}"),
            "La columna no tiene un nombre válido en el destino; añádala a columns_excluded o cámbiele el nombre.".to_owned(),
            None,
        ),
        LayoutError::Collision { table, first, second, name } => (
            table.to_string(),
            format!("Las columnas {first} y {second} se llamarían {name} en el destino; excluya o renombre una."),
            None,
        ),
    };
    Finding { severity: Severity::Error, subject, text_es, text_en: problem.to_string(), mend }
}

#[cfg(test)]
mod tests {
    use super::super::catalog::{Database, Lookup, Retention, Survey};
    use super::super::layout::tests::{column, description, table};
    use super::super::sql_type::SqlType;
    use super::Severity;

    fn database() -> Database {
        Database {
            name: "wms".into(),
            collation: "SQL_Latin1_General_CP1_CI_AS".into(),
            read_only: false,
            snapshot_isolation: true,
            tracking: true,
            retention: Some(Retention { minutes: 7 * 24 * 60, auto_cleanup: true }),
            commits_readable: true,
        }
    }

    fn survey(database: Database) -> Survey {
        let found = description(vec![column("id", SqlType::Int)], &[0]);
        Survey { database, tables: vec![Lookup { table: table(&[]), found: Some(found), nearest: None }] }
    }

    #[test]
    fn a_well_kept_source_has_no_findings() {
        assert_eq!(survey(database()).findings("cdc_agent"), []);
    }

    #[test]
    fn every_finding_that_a_statement_mends_says_it() {
        let mut survey = survey(Database {
            tracking: false,
            snapshot_isolation: false,
            commits_readable: false,
            retention: Some(Retention { minutes: 90, auto_cleanup: true }),
            ..database()
        });
        let found = survey.tables[0].found.as_mut().unwrap();
        found.tracked = false;
        found.may_select = false;
        let mends: Vec<_> =
            survey.findings("cdc_agent").into_iter().filter_map(|finding| finding.mend).collect();
        assert_eq!(
            mends,
            [
                "ALTER DATABASE [wms] SET CHANGE_TRACKING = ON (CHANGE_RETENTION = 7 DAYS, AUTO_CLEANUP = ON);",
                "ALTER DATABASE [wms] SET ALLOW_SNAPSHOT_ISOLATION ON;",
                "ALTER DATABASE [wms] SET CHANGE_TRACKING (CHANGE_RETENTION = 7 DAYS);",
                "GRANT VIEW DATABASE STATE TO [cdc_agent];",
                "GRANT SELECT ON [dbo].[Order Lines] TO [cdc_agent];",
                "ALTER TABLE [dbo].[Order Lines] ENABLE CHANGE_TRACKING WITH (TRACK_COLUMNS_UPDATED = OFF);",
            ]
        );
    }

    #[test]
    fn a_table_that_is_not_there_stops_only_itself() {
        let mut survey = survey(database());
        let mut missing = survey.tables[0].clone();
        missing.found = None;
        missing.nearest = Some("dbo.Order Lines".into());
        survey.tables.push(missing);
        let findings = survey.findings("cdc_agent");
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].severity, Severity::Error);
        assert!(findings[0].text_en.contains("did you mean dbo.Order Lines?"));
        assert!(findings[0].text_es.contains("¿quiso decir dbo.Order Lines?"));
    }
}
