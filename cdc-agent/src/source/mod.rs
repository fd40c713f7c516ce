//! Where changes come from. SQL Server is the only source so far; its driver's types do not leave [`mssql`].

pub mod mssql;

pub use mssql::{
    CapturedTable, Chunk, Connection, Connector, Description, Finding, ImageReader, Isolation, Latest,
    LayoutError, Overview, Severity, SourceError, Standing, Survey,
};
