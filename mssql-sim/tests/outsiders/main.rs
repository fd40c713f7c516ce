//! The double as clients see it that nobody here wrote: Microsoft's ODBC driver, FreeTDS (pymssql), python-tds, tedious
//! and tiberius, each told the same things through one protocol ([`driver`]).

mod conversation;
mod driver;
mod matrix;
mod program;
mod site;
mod tls;
mod values;
