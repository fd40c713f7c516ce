//! Procedures of the server: those over the catalog are T-SQL texts, those that change definitions are statements.

use super::batch::{Flow, Frame};
use super::event::{Command, Event};
use super::procedure::{Caller, Outcome};
use super::{Failure, Session};
use crate::exec::context::Variables;
use crate::exec::conversion::convert;
use crate::exec::ddl;
use crate::parser::ast::{PropertyChange, PropertyStatement, RenamedKind, Statement};
use crate::types::{Length, SqlError, SqlType, Value};
use crate::wire::rpc::Argument;

/// A procedure in T-SQL.
struct Text {
    name: &'static str,
    parameters: &'static [Parameter],
    text: &'static str,
}

/// A parameter: name, type, and its value where none is given; one without it is required.
type Parameter = (&'static str, &'static str, Option<Option<&'static str>>);

/// A name that need not be given.
const fn name(parameter: &'static str) -> Parameter {
    (parameter, "nvarchar(384)", Some(None))
}

/// A name that has to be given.
const fn required(parameter: &'static str) -> Parameter {
    (parameter, "nvarchar(776)", None)
}

const TEXTS: [Text; 11] = [
    Text {
        name: "sp_tables",
        parameters: &[
            name("table_name"),
            name("table_owner"),
            name("table_qualifier"),
            ("table_type", "varchar(100)", Some(None)),
            ("fUsePattern", "bit", Some(Some("1"))),
        ],
        text: include_str!("system/sp_tables.sql"),
    },
    Text {
        name: "sp_columns",
        parameters: &[
            required("table_name"),
            name("table_owner"),
            name("table_qualifier"),
            name("column_name"),
            ("ODBCVer", "int", Some(Some("2"))),
            ("fUsePattern", "bit", Some(Some("1"))),
        ],
        text: include_str!("system/sp_columns.sql"),
    },
    Text {
        name: "sp_pkeys",
        parameters: &[required("table_name"), name("table_owner"), name("table_qualifier")],
        text: include_str!("system/sp_pkeys.sql"),
    },
    Text {
        name: "sp_fkeys",
        parameters: &[
            name("pktable_name"),
            name("pktable_owner"),
            name("pktable_qualifier"),
            name("fktable_name"),
            name("fktable_owner"),
            name("fktable_qualifier"),
        ],
        text: include_str!("system/sp_fkeys.sql"),
    },
    Text {
        name: "sp_statistics",
        parameters: &[
            required("table_name"),
            name("table_owner"),
            name("table_qualifier"),
            name("index_name"),
            ("is_unique", "char(1)", Some(Some("N"))),
            ("accuracy", "char(1)", Some(Some("Q"))),
        ],
        text: include_str!("system/sp_statistics.sql"),
    },
    Text {
        name: "sp_special_columns",
        parameters: &[
            required("table_name"),
            name("table_owner"),
            name("table_qualifier"),
            ("col_type", "char(1)", Some(Some("R"))),
            ("scope", "char(1)", Some(Some("T"))),
            ("nullable", "char(1)", Some(Some("U"))),
            ("ODBCVer", "int", Some(Some("2"))),
        ],
        text: include_str!("system/sp_special_columns.sql"),
    },
    Text { name: "sp_databases", parameters: &[], text: include_str!("system/sp_databases.sql") },
    Text {
        name: "sp_helpindex",
        parameters: &[required("objname")],
        text: include_str!("system/sp_helpindex.sql"),
    },
    Text {
        name: "sp_helptext",
        parameters: &[required("objname")],
        text: include_str!("system/sp_helptext.sql"),
    },
    Text { name: "sp_help", parameters: &[name("objname")], text: include_str!("system/sp_help.sql") },
    Text {
        name: "sp_spaceused",
        parameters: &[name("objname"), ("updateusage", "varchar(5)", Some(Some("false")))],
        text: include_str!("system/sp_spaceused.sql"),
    },
];

/// Parameters of `sp_rename`.
const RENAME: &[Parameter] =
    &[required("objname"), required("newname"), ("objtype", "varchar(13)", Some(None))];

/// Parameters of `sp_addextendedproperty` and `sp_updateextendedproperty`; dropping takes no value.
const PROPERTY: &[Parameter] = &[
    required("name"),
    ("value", "sql_variant", Some(None)),
    name("level0type"),
    name("level0name"),
    name("level1type"),
    name("level1name"),
    name("level2type"),
    name("level2name"),
];

impl Session {
    /// Runs a procedure of the server; None if there is none of that name.
    pub(super) async fn run_system_procedure(
        &mut self,
        called: &str,
        arguments: &[Argument],
        caller: Caller<'_>,
    ) -> Result<Option<Outcome>, Failure> {
        // Drivers call the forms of later versions, which answer the same here.
        let known = called.trim_end_matches("_100").trim_end_matches("_90");
        if let Some(procedure) = TEXTS.iter().find(|procedure| procedure.name == known) {
            let declared =
                procedure.parameters.iter().map(|(name, sql_type, _)| format!("@{name} {sql_type}"));
            let declarations = declared.collect::<Vec<_>>().join(", ");
            let values = bind(known, procedure.parameters, arguments)?;
            return self.run_text(declarations, procedure.text.to_owned(), &values, caller).await.map(Some);
        }
        let statement = match known {
            "sp_rename" => rename(&bind(known, RENAME, arguments)?)?,
            "sp_addextendedproperty" => property(&bind(known, PROPERTY, arguments)?, PropertyChange::Add)?,
            "sp_updateextendedproperty" => {
                property(&bind(known, PROPERTY, arguments)?, PropertyChange::Update)?
            }
            "sp_dropextendedproperty" => {
                let parameters: Vec<Parameter> =
                    [PROPERTY[0]].into_iter().chain(PROPERTY[2..].iter().copied()).collect();
                let mut values = bind(known, &parameters, arguments)?;
                values.insert(1, given(&PROPERTY[1], None));
                property(&values, |_| PropertyChange::Drop)?
            }
            _ => return Ok(None),
        };
        self.run_definition(&statement, caller).await.map(Some)
    }

    /// Runs a definition as a procedure: an error is one of its own, and its status 1.
    async fn run_definition(
        &mut self,
        statement: &Statement,
        caller: Caller<'_>,
    ) -> Result<Outcome, Failure> {
        let mut frame = Frame::new("", caller.events, Variables::default(), caller.protected);
        match self.attempt(&mut frame, |context| ddl::run(context, statement, "")).await {
            Ok(()) => {
                if let Statement::Rename { .. } = statement {
                    let caution = "Caution: Changing any part of an object name could break scripts and stored procedures.";
                    let message = SqlError { class: 0, ..SqlError::statement(15477, caution) };
                    caller.events.send(Event::Info(message)).await?;
                }
                Ok(Outcome::success(Vec::new()))
            }
            Err(Failure::Error(error)) if !caller.protected => {
                self.last_error = error.number;
                caller.events.send(Event::Error(error)).await?;
                caller.events.send(Event::Failed(Command::Raise)).await?;
                Ok(Outcome { flow: Flow::Next, status: 1, outputs: Vec::new() })
            }
            Err(failure) => Err(failure),
        }
    }
}

/// A parameter's argument: what was given, or its own value.
fn given((name, _, default): &Parameter, argument: Option<&Argument>) -> Argument {
    let name = format!("@{name}");
    match argument {
        Some(argument) => Argument { name, ..argument.clone() },
        None => {
            let value = default.flatten().map_or(Value::Null, Value::text);
            Argument { name, output: false, sql_type: SqlType::NVarChar(Length::Limited(4000)), value }
        }
    }
}

/// One argument for each parameter, in their order.
fn bind(
    procedure: &str,
    parameters: &[Parameter],
    arguments: &[Argument],
) -> Result<Vec<Argument>, SqlError> {
    let mut bound: Vec<Option<&Argument>> = vec![None; parameters.len()];
    for (position, argument) in arguments.iter().enumerate() {
        let wanted = argument.name.trim_start_matches('@');
        let place = if wanted.is_empty() {
            Some(position)
        } else {
            let place = parameters.iter().position(|(name, ..)| name.eq_ignore_ascii_case(wanted));
            if place.is_none() {
                let message = format!("@{wanted} is not a parameter for procedure {procedure}.");
                return Err(SqlError { state: 2, ..SqlError::statement(8145, message) });
            }
            place
        };
        match place.and_then(|place| bound.get_mut(place)) {
            Some(slot) => *slot = Some(argument),
            None => {
                let message = format!("Procedure or function {procedure} has too many arguments specified.");
                return Err(SqlError { state: 2, ..SqlError::statement(8144, message) });
            }
        }
    }
    for ((name, _, default), argument) in parameters.iter().zip(&bound) {
        if argument.is_none() && default.is_none() {
            let message = format!(
                "Procedure or function '{procedure}' expects parameter '@{name}', which was not supplied."
            );
            return Err(SqlError { state: 4, ..SqlError::statement(201, message) });
        }
    }
    Ok(parameters.iter().zip(bound).map(|(parameter, argument)| given(parameter, argument)).collect())
}

/// An argument as text; None for NULL.
fn text_of(argument: &Argument) -> Result<Option<String>, SqlError> {
    match convert(argument.value.clone(), argument.sql_type, SqlType::NVarChar(Length::Max), None)? {
        Value::Text(units) => Ok(Some(String::from_utf16_lossy(&units))),
        _ => Ok(None),
    }
}

fn rename(arguments: &[Argument]) -> Result<Statement, SqlError> {
    let kind = match text_of(&arguments[2])?.map(|kind| kind.to_uppercase()).as_deref() {
        None => None,
        Some("OBJECT") => Some(RenamedKind::Object),
        Some("COLUMN") => Some(RenamedKind::Column),
        Some("INDEX") => Some(RenamedKind::Index),
        Some(other) => return Err(SqlError::unsupported(format!("sp_rename of a {other}"))),
    };
    let object = text_of(&arguments[0])?.unwrap_or_default();
    Ok(Statement::Rename { object, new_name: text_of(&arguments[1])?.unwrap_or_default(), kind })
}

fn property(
    arguments: &[Argument],
    change: impl FnOnce((SqlType, Value)) -> PropertyChange,
) -> Result<Statement, SqlError> {
    let mut levels = Vec::new();
    for level in arguments[2..].chunks(2) {
        let (Some(kind), Some(name)) = (text_of(&level[0])?, text_of(&level[1])?) else { break };
        levels.push((kind.to_uppercase(), name));
    }
    Ok(Statement::ExtendedProperty(PropertyStatement {
        name: text_of(&arguments[0])?.unwrap_or_default(),
        levels,
        change: change((arguments[1].sql_type, arguments[1].value.clone())),
    }))
}
