//! Real data, written by a client that nobody here wrote, while the agent streams.

use crate::site::{Replicated, Site};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;

/// `(schema, table at the source, table in the target)`; the table without a key is not among them.
const TABLES: [(&str, &str, &str); 17] = [
    ("logistics", "OrderList", "orderlist"),
    ("logistics", "PlantPorts", "plantports"),
    ("logistics", "ProductsPerPlant", "productsperplant"),
    ("logistics", "VmiCustomers", "vmicustomers"),
    ("logistics", "WhCapacities", "whcapacities"),
    ("logistics", "WhCosts", "whcosts"),
    ("northwind", "Categories", "categories"),
    ("northwind", "Customers", "customers"),
    ("northwind", "Employees", "employees"),
    ("northwind", "EmployeeTerritories", "employeeterritories"),
    ("northwind", "Orders", "orders"),
    ("northwind", "Order Details", "order_details"),
    ("northwind", "Products", "products"),
    ("northwind", "Regions", "regions"),
    ("northwind", "Shippers", "shippers"),
    ("northwind", "Suppliers", "suppliers"),
    ("northwind", "Territories", "territories"),
];

/// Clients that write at the same time, and transactions of each.
const WRITERS: u64 = 3;
const TRANSACTIONS: u64 = 120;

const METRICS: &str = include_str!("real_data.toml");

/// The day's figures, counted by SQL that shares nothing with the agent's.
const FIGURES: [(&str, &str); 3] = [
    (
        "orders_by_plant",
        "select order_date::date::text, upper(rtrim(plant_code)), count(*)::numeric::text from wms.orderlist group by 1, 2",
    ),
    (
        "units_by_plant",
        "select order_date::date::text, upper(rtrim(plant_code)), sum(unit_quantity)::numeric::text from wms.orderlist group by 1, 2",
    ),
    (
        "order_value",
        "select o.orderdate::date::text, '', sum(d.unitprice * d.quantity)::text from wms.order_details d \
         join wms.orders o on o.orderid = d.orderid where o.orderdate is not null group by 1, 2",
    ),
];

fn data() -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    data.is_dir().then_some(data)
}

fn client(python: &Path, site: &Site, arguments: &[&str]) -> Command {
    let mut command = Command::new(python);
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/whole/real_data.py"))
        .arg(site.login.address.port().to_string())
        .arg(&site.login.password)
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn said(command: &mut Command) -> String {
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn real_data_arrives_whole_while_strangers_write() {
    let Some(data) = data() else {
        println!("skipped: the folder with real data is not here");
        return;
    };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
    let python =
        tokio::task::spawn_blocking(move || services::python::environment(&folder, &["pymssql==2.4.6"]))
            .await
            .unwrap()
            .unwrap();
    let site = Site::new().await;
    println!("loaded: {}", said(&mut client(&python, &site, &["load", data.to_str().unwrap()])).await);
    let tables: String = TABLES
        .iter()
        .map(|(schema, name, _)| format!("[[table]]\nname = \"[{schema}].[{name}]\"\n"))
        .collect();
    let with_keyless = format!("{tables}[[table]]\nname = \"logistics.FreightRates\"\n");
    site.configure(&Replicated { tables: &with_keyless, metrics: METRICS }, |text| text);

    let check = site.agent(&["check"]).await;
    let findings = String::from_utf8_lossy(&check.stdout).into_owned();
    println!("{findings}");
    assert!(findings.contains("logistics.FreightRates"), "check names the table without a key:\n{findings}");
    site.agent_ok(&["migrate"]).await;
    let mut agent = site.start_agent();
    site.until_caught_up().await;
    let first = site.compare(&TABLES).await;

    let seed = rand::random_range(0..1_000_000_u64);
    println!("seed {seed}");
    let writers = (0..WRITERS).map(|writer| {
        let [seed, writer, count] = [seed + writer, writer, TRANSACTIONS].map(|number| number.to_string());
        let mut command = client(&python, &site, &["change", &seed, &writer, &count]);
        async move { said(&mut command).await }
    });
    for counts in futures::future::join_all(writers).await {
        println!("changed: {counts}");
    }
    site.until_caught_up().await;
    let rows = site.compare(&TABLES).await;
    compare_figures(&site).await;
    let verified = site.agent_ok(&["verify", "--metrics"]).await;
    println!("{verified}{first} rows after the load, {rows} after the changes, 0 different");
    agent.kill().await.unwrap();
}

async fn compare_figures(site: &Site) {
    let target = site.target().await;
    for (metric, query) in FIGURES {
        let stored = "select day::text, warehouse, numerator::text from cdc.daily where metric = $1";
        let read = async |rows: Vec<tokio_postgres::Row>| {
            let mut figures: Vec<(String, String, f64)> = rows
                .iter()
                .map(|row| (row.get(0), row.get(1), row.get::<_, String>(2).parse().unwrap()))
                .collect();
            figures.sort_by(|a, b| a.partial_cmp(b).unwrap());
            figures
        };
        let stored = read(target.query(stored, &[&metric]).await.unwrap()).await;
        let counted = read(target.query(query, &[]).await.unwrap()).await;
        assert!(!counted.is_empty());
        assert_eq!(stored, counted, "{metric}");
        println!("{metric}: {} daily figures equal their recomputation", counted.len());
    }
}
