//! What an operator does wrong ends in one paragraph that names the thing and the remedy, with a documented exit code, and nothing
//! half done.

use crate::site::{Replicated, Site};
use crate::workload::{METRICS, SCHEMA, TABLES};

/// A mistake in the configuration: what is replaced by what, the exit code, and words that the error must contain.
struct Mistake {
    name: &'static str,
    find: &'static str,
    replace: &'static str,
    exit: i32,
    words: &'static [&'static str],
}

const MISTAKES: [Mistake; 9] = [
    Mistake {
        name: "wrong password at the source",
        find: "password_file = \"source-password\"",
        replace: "password_file = \"wrong-password\"",
        exit: 4,
        words: &["18456", "password"],
    },
    Mistake {
        name: "wrong password at the target",
        find: "password_file = \"target-password\"",
        replace: "password_file = \"wrong-password\"",
        exit: 5,
        words: &["PostgreSQL", "password"],
    },
    Mistake {
        name: "no password file",
        find: "password_file = \"source-password\"",
        replace: "password_file = \"nowhere\"",
        exit: 3,
        words: &["nowhere", "password"],
    },
    Mistake {
        name: "unreachable source",
        find: "port = SOURCE_PORT",
        replace: "port = 1",
        exit: 4,
        words: &["127.0.0.1:1"],
    },
    Mistake {
        name: "unreachable target",
        find: "port = TARGET_PORT",
        replace: "port = 1",
        exit: 5,
        words: &["127.0.0.1:1"],
    },
    Mistake {
        name: "plaintext to another machine",
        find: "host = \"127.0.0.1\"\nport = TARGET_PORT",
        replace: "host = \"db.example.com\"\nport = TARGET_PORT",
        exit: 3,
        words: &["plaintext", "db.example.com"],
    },
    Mistake {
        name: "unknown table",
        find: "name = \"dbo.orders\"",
        replace: "name = \"dbo.oders\"",
        exit: 3,
        words: &["dbo.oders", "dbo.orders"],
    },
    Mistake {
        name: "typo in a key",
        find: "poll_interval_ms",
        replace: "pol_interval_ms",
        exit: 3,
        words: &["pol_interval_ms", "poll_interval_ms", "agent.toml"],
    },
    Mistake {
        name: "unknown column",
        find: "name = \"dbo.lines\"",
        replace: "name = \"dbo.lines\"\ncolumns_excluded = [\"qtty\"]",
        exit: 3,
        words: &["qtty", "qty"],
    },
];

async fn site() -> Site {
    let site = Site::new().await;
    site.source_client().await.script(SCHEMA).await.unwrap();
    std::fs::write(site.folder.path().join("wrong-password"), "not this one").unwrap();
    site
}

/// Runs the agent and checks how it ends; the target must be as it was.
async fn assert_refused(site: &Site, name: &str, exit: i32, words: &[&str]) {
    let output = site.agent(&["run", "--once"]).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(exit), "{name}: {said}");
    for word in words {
        assert!(said.contains(word), "{name}: {word:?} is missing in: {said}");
    }
    let error: Vec<_> = said.lines().filter(|line| line.starts_with("error")).collect();
    assert_eq!(error.len(), 1, "{name}: one paragraph, not: {said}");
    let secret = [site.login.password.as_str(), site.postgres.password()];
    assert!(!secret.iter().any(|secret| said.contains(secret)), "{name}: a password was said");
    let applied: i64 = site
        .target()
        .await
        .query_one("select coalesce(max(applied_sequence), 0) from cdc.stream", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(applied, 0, "{name}: something was applied");
    println!("{name}: {}", error[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_in_the_configuration_are_named_with_their_remedy() {
    let site = site().await;
    let good = Replicated { tables: TABLES, metrics: METRICS };
    site.configure(&good, |text| text);
    site.agent_ok(&["migrate"]).await;
    let (source_port, target_port) = (site.login.address.port().to_string(), site.target_port.to_string());
    let filled = |text: &str| text.replace("SOURCE_PORT", &source_port).replace("TARGET_PORT", &target_port);
    for mistake in &MISTAKES {
        site.configure(&good, |text| {
            let broken = text.replacen(&filled(mistake.find), &filled(mistake.replace), 1);
            assert_ne!(broken, text, "{}: the mistake was not made", mistake.name);
            broken
        });
        assert_refused(&site, mistake.name, mistake.exit, mistake.words).await;
    }
    let metrics = METRICS.replace("day = \"shipped_at\"", "day = \"shiped_at\"");
    site.configure(&Replicated { tables: TABLES, metrics: &metrics }, |text| text);
    assert_refused(&site, "unknown column in a metric", 3, &["orders_shipped", "shiped_at"]).await;
    let spanish = site.agent(&["--lang", "es", "run", "--once"]).await;
    let said = String::from_utf8_lossy(&spanish.stderr).into_owned();
    assert!(said.contains("Qué hacer: Corrija el archivo de métricas"), "{said}");
    site.configure(&good, |text| text);
    site.agent_ok(&["run", "--once"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_at_the_source_is_named_with_the_statement_that_mends_it() {
    let site = site().await;
    let mut source = site.source_client().await;
    source
        .script(
            "CREATE LOGIN reader WITH PASSWORD = 'Str0ng-enough';\nGO\nCREATE USER reader FOR LOGIN reader;\nGO\n\
             GRANT SELECT ON SCHEMA::dbo TO reader;\nGO\n",
        )
        .await
        .unwrap();
    let good = Replicated { tables: TABLES, metrics: METRICS };
    site.configure(&good, |text| text);
    site.agent_ok(&["migrate"]).await;
    site.configure(&good, |text| text.replacen("user = \"sa\"", "user = \"reader\"", 1));
    std::fs::write(site.folder.path().join("source-password"), "Str0ng-enough").unwrap();
    assert_refused(&site, "missing right", 4, &["VIEW CHANGE TRACKING", "GRANT"]).await;

    site.configure(&good, |text| text);
    source.run("ALTER TABLE dbo.lines DISABLE CHANGE_TRACKING").await.unwrap();
    assert_refused(&site, "tracking off on a table", 4, &["dbo.lines", "ENABLE CHANGE_TRACKING"]).await;
    source.run("ALTER TABLE dbo.orders DISABLE CHANGE_TRACKING").await.unwrap();
    source.run("ALTER DATABASE CURRENT SET CHANGE_TRACKING = OFF").await.unwrap();
    assert_refused(&site, "tracking off", 4, &["SET CHANGE_TRACKING = ON"]).await;
}
