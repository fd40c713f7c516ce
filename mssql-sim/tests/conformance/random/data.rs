//! The tables that random queries read: small, with few different values and many NULLs.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use super::dialect::Dialect;
use super::tree::Type;

/// Rows of a table at most.
pub(super) const MOST_ROWS: i64 = 7;
pub(super) const TABLES: [&str; 3] = ["alpha", "beta", "gamma"];
/// Columns of every table. `id` is the key, the others may be NULL.
pub(super) const COLUMNS: [(&str, Type); 8] = [
    ("id", Type::Int(100)),
    ("i", Type::Int(100)),
    ("j", Type::Int(1000)),
    ("g", Type::Big(10_000_000_000)),
    ("d", Type::Decimal { precision: 9, scale: 2 }),
    ("e", Type::Decimal { precision: 7, scale: 4 }),
    ("t", Type::Text),
    ("w", Type::Date),
];

/// Makes the tables.
pub(super) fn definitions(dialect: Dialect) -> String {
    let mut sql = String::new();
    for table in TABLES {
        let columns = COLUMNS.iter().map(|(name, of)| {
            let null = if *name == "id" { "NOT NULL PRIMARY KEY" } else { "NULL" };
            let type_name = match of {
                Type::Text => format!("{} COLLATE {}", dialect.type_name(*of), dialect.binary_collation()),
                of => dialect.type_name(*of),
            };
            format!("{name} {type_name} {null}")
        });
        sql += &format!("CREATE TABLE {table} ({});\n", columns.collect::<Vec<_>>().join(", "));
    }
    sql
}

/// Fills the tables anew; the same text serves both dialects.
pub(super) fn rows(random: &mut StdRng) -> String {
    let mut sql = String::new();
    for table in TABLES {
        sql += &format!("DELETE FROM {table};\n");
        let count = if random.random_range(0..6) == 0 { 0 } else { random.random_range(1..=MOST_ROWS) };
        for id in 1..=count {
            let values = COLUMNS.map(|(name, of)| match of {
                _ if name == "id" => id.to_string(),
                _ if random.random_range(0..4) == 0 => "NULL".to_owned(),
                of => literal(of, random),
            });
            sql += &format!("INSERT INTO {table} VALUES ({});\n", values.join(", "));
        }
    }
    sql
}

fn literal(of: Type, random: &mut StdRng) -> String {
    match of {
        Type::Int(bound) => random.random_range(-bound / 10..=bound / 10).to_string(),
        Type::Big(bound) => (random.random_range(-3..4) * (bound / 4)).to_string(),
        Type::Decimal { scale, .. } => {
            let sign = if random.random_range(0..3) == 0 { "-" } else { "" };
            let (whole, fraction) = (random.random_range(0..100), random.random_range(0..100));
            let fraction = format!("{fraction:02}00");
            format!("{sign}{whole}.{}", &fraction[..usize::from(scale)])
        }
        Type::Text => {
            let words = ["''", "'a'", "'A'", "'ab'", "'aB'", "'b'", "'ba'", "'c'", "'abc'", "'Cab'"];
            (*words.choose(random).expect("there are words")).to_owned()
        }
        Type::Date => {
            let (month, day) = (random.random_range(1..13), random.random_range(1..29));
            format!("'{}-{month:02}-{day:02}'", random.random_range(2022..2027))
        }
    }
}
