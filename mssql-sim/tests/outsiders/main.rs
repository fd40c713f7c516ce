//! The double as clients see it that nobody here wrote: Microsoft's ODBC driver, FreeTDS (pymssql), python-tds, tedious
//! and tiberius, each told the same things through one protocol ([`driver`]).

mod conversation;
mod driver;
mod freebcp;
mod matrix;
mod program;
mod real_data;
mod site;
mod tls;
mod values;

/// Whether to run the long form, `CONFORMANCE=long`.
fn is_long() -> bool {
    std::env::var("CONFORMANCE").is_ok_and(|form| form == "long")
}
