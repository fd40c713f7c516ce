//! Real data, loaded by each client into a database of its own and read back by that client: equal to the files, column by
//! column. The folder with the data is not part of the project; where it is absent, the test says that it skips.

use std::path::{Path, PathBuf};

use crate::driver::{Client, Driver, Request, Typed};
use crate::site::{Login, Site};
use crate::values;

/// A file and the types of its columns.
struct Source {
    file: &'static str,
    types: &'static [&'static str],
}

const NORTHWIND: &[Source] = &[
    Source {
        file: "northwind/categories",
        types: &["int", "nvarchar(15)", "nvarchar(max)", "varbinary(max)"],
    },
    Source {
        file: "northwind/customers",
        types: &[
            "nchar(5)",
            "nvarchar(40)",
            "nvarchar(30)",
            "nvarchar(30)",
            "nvarchar(60)",
            "nvarchar(30)",
            "nvarchar(15)",
            "nvarchar(10)",
            "nvarchar(15)",
            "varchar(24)",
            "varchar(24)",
        ],
    },
    Source {
        file: "northwind/employees",
        types: &[
            "int",
            "nvarchar(20)",
            "nvarchar(10)",
            "nvarchar(30)",
            "nvarchar(25)",
            "datetime",
            "datetime",
            "nvarchar(60)",
            "nvarchar(15)",
            "nvarchar(15)",
            "nvarchar(10)",
            "nvarchar(15)",
            "nvarchar(24)",
            "nvarchar(4)",
            "varbinary(max)",
            "nvarchar(max)",
            "int",
            "nvarchar(255)",
        ],
    },
    Source { file: "northwind/employee-territories", types: &["int", "nvarchar(20)"] },
    Source {
        file: "northwind/orders",
        types: &[
            "int",
            "nchar(5)",
            "tinyint",
            "datetime",
            "datetime2(3)",
            "smalldatetime",
            "int",
            "money",
            "nvarchar(40)",
            "nvarchar(60)",
            "nvarchar(30)",
            "nvarchar(15)",
            "nvarchar(10)",
            "varchar(15)",
        ],
    },
    Source { file: "northwind/order-details", types: &["int", "bigint", "money", "smallint", "real"] },
    Source {
        file: "northwind/products",
        types: &[
            "int",
            "nvarchar(40)",
            "int",
            "int",
            "nvarchar(20)",
            "smallmoney",
            "smallint",
            "smallint",
            "smallint",
            "bit",
        ],
    },
    Source { file: "northwind/regions", types: &["int", "nchar(50)"] },
    Source { file: "northwind/shippers", types: &["int", "nvarchar(40)", "nvarchar(24)"] },
    Source {
        file: "northwind/suppliers",
        types: &[
            "int",
            "nvarchar(40)",
            "nvarchar(30)",
            "nvarchar(30)",
            "nvarchar(60)",
            "nvarchar(40)",
            "nvarchar(15)",
            "nvarchar(10)",
            "nvarchar(15)",
            "nvarchar(24)",
            "nvarchar(24)",
            "nvarchar(max)",
        ],
    },
    Source { file: "northwind/territories", types: &["nvarchar(20)", "nchar(50)", "int"] },
];

const LOGISTICS: &[Source] = &[
    Source {
        file: "logistics/OrderList",
        types: &[
            "decimal(12,1)",
            "datetime",
            "char(8)",
            "varchar(10)",
            "tinyint",
            "char(5)",
            "smallint",
            "int",
            "varchar(30)",
            "int",
            "char(10)",
            "char(6)",
            "int",
            "float",
        ],
    },
    Source {
        file: "logistics/FreightRates",
        types: &[
            "varchar(10)",
            "char(6)",
            "char(6)",
            "float",
            "float",
            "char(3)",
            "decimal(28,18)",
            "decimal(28,18)",
            "varchar(10)",
            "tinyint",
            "varchar(20)",
        ],
    },
    Source { file: "logistics/PlantPorts", types: &["char(10)", "char(8)"] },
    Source { file: "logistics/ProductsPerPlant", types: &["varchar(10)", "int"] },
    Source { file: "logistics/VmiCustomers", types: &["varchar(10)", "varchar(30)"] },
    Source { file: "logistics/WhCapacities", types: &["varchar(10)", "smallint"] },
    Source { file: "logistics/WhCosts", types: &["varchar(10)", "float"] },
];

fn folder() -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    data.is_dir().then_some(data)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_client_loads_it_and_reads_it_back() {
    let Some(folder) = folder() else {
        println!("skipped: the folder with real data is not here");
        return;
    };
    let sources: Vec<&Source> = match crate::is_long() {
        true => NORTHWIND.iter().chain(LOGISTICS).collect(),
        false => NORTHWIND.iter().collect(),
    };
    let tables: Vec<Table> = sources.into_iter().map(|source| Table::read(&folder, source)).collect();
    let site = Site::start().await;
    let mut values = 0;
    for driver in Driver::ALL {
        let database = format!("real_{}", driver.name());
        let mut client = Client::start(driver).await;
        client.connect("administrator", &site.login).await;
        client.run("administrator", &format!("CREATE DATABASE {database}")).await;
        client.connect("main", &Login { database, ..site.login.clone() }).await;
        for table in &tables {
            table.load(&mut client).await;
            values += table.compare(&mut client).await;
        }
    }
    let rows: usize = tables.iter().map(|table| table.rows.len()).sum();
    println!(
        "{} clients, {} tables, {rows} rows each: {values} values equal the files'",
        Driver::ALL.len(),
        tables.len()
    );
}

/// A file's rows, under a name.
struct Table {
    name: String,
    columns: Vec<(String, &'static str)>,
    rows: Vec<Vec<Option<String>>>,
}

impl Table {
    fn read(folder: &Path, source: &Source) -> Self {
        let file = folder.join(source.file).with_extension("csv");
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .from_path(&file)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let headings: Vec<String> = reader.headers().expect("headings").iter().map(str::to_owned).collect();
        let columns: Vec<_> = headings.into_iter().zip(source.types.iter().copied()).collect();
        let rows = reader.records().map(|record| cells(&record.expect("a record"), &columns)).collect();
        let name = format!("dbo.[{}]", source.file.replace('/', "."));
        Self { name, columns, rows }
    }

    /// The rows are numbered, so that they have an order to be read back in.
    async fn load(&self, client: &mut Client) {
        let columns: Vec<String> =
            self.columns.iter().map(|(name, sql_type)| format!("[{name}] {sql_type} NULL")).collect();
        let create =
            format!("CREATE TABLE {} (number int NOT NULL PRIMARY KEY, {})", self.name, columns.join(", "));
        client.run("main", &create).await;
        let numbers: Vec<String> = (0..self.rows.len()).map(|number| number.to_string()).collect();
        let rows: Vec<Vec<Typed<'_>>> = self
            .rows
            .iter()
            .zip(&numbers)
            .map(|(row, number)| {
                let cells =
                    row.iter().zip(&self.columns).map(|(cell, (_, sql_type))| (*sql_type, cell.as_deref()));
                [("int", Some(number.as_str()))].into_iter().chain(cells).collect()
            })
            .collect();
        let sql = format!("INSERT INTO {} VALUES (?{})", self.name, ", ?".repeat(self.columns.len()));
        client.expect(Request::Repeat { session: "main", sql: &sql, rows: &rows }).await;
    }

    /// Compares every value and returns how many there are.
    async fn compare(&self, client: &mut Client) -> usize {
        let driver = client.driver;
        let query = format!("SELECT * FROM {} ORDER BY number", self.name);
        let read = client.run("main", &query).await.remove(0).rows;
        assert_eq!(read.len(), self.rows.len(), "{}: {}", driver.name(), self.name);
        for (number, (read, row)) in read.iter().zip(&self.rows).enumerate() {
            for ((read, cell), (column, sql_type)) in read[1..].iter().zip(row).zip(&self.columns) {
                let same = values::is_same(driver, sql_type, read.as_deref(), cell.as_deref());
                let place = format!("{}: {} {column} of row {number}", driver.name(), self.name);
                assert!(same, "{place}: {read:?} instead of {cell:?}");
            }
        }
        self.rows.len() * self.columns.len()
    }
}

/// A record's cells: the word NULL, hexadecimal binary, or text. Some texts hold a comma without quotes; what follows it
/// begins with a blank.
fn cells(record: &csv::StringRecord, columns: &[(String, &'static str)]) -> Vec<Option<String>> {
    let mut cells: Vec<String> = Vec::with_capacity(columns.len());
    for cell in record {
        match cells.last_mut() {
            Some(last) if cell.starts_with(' ') && record.len() > columns.len() => {
                last.push(',');
                last.push_str(cell);
            }
            _ => cells.push(cell.to_owned()),
        }
    }
    assert_eq!(cells.len(), columns.len(), "{record:?}");
    let value = |(cell, (_, sql_type)): (String, &(String, &str))| match cell.as_str() {
        "NULL" => None,
        hex if sql_type.starts_with("varbinary") => Some(hex[2..].to_lowercase()),
        _ => Some(cell),
    };
    cells.into_iter().zip(columns).map(value).collect()
}
