//! The shared schema: applied once, by whoever may.

use crate::fixture::{Target, client, show};
use ::migrations::{self, MigrationError};
use cdc_agent::apply::{Applier, TargetError};
use cdc_agent::config::Secret;

/// How many files of SQL there are.
fn files() -> usize {
    std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations/sql")).unwrap().count()
}

#[tokio::test]
async fn migrations_apply_once_whoever_comes_first_and_notice_a_changed_text() {
    let target = Target::bare("migrations_once").await;
    let (mut one, mut two) = (client(&target.url).await, client(&target.url).await);
    let (one, two) = tokio::join!(migrations::migrate(&mut one), migrations::migrate(&mut two));
    let mut applied = [one.unwrap().len(), two.unwrap().len()];
    applied.sort_unstable();
    assert_eq!(applied, [0, files()], "one applied all of them, the other none");
    target.observer.batch_execute("update cdc.migration set digest = '' where version = 2").await.unwrap();
    let error = migrations::migrate(&mut client(&target.url).await).await.unwrap_err();
    assert!(matches!(&error, MigrationError::Changed { name } if name == "0002_reading"), "{error}");
    let later = "update cdc.migration set version = 99, name = '0099_later' where version = 2";
    target.observer.batch_execute(later).await.unwrap();
    let error = migrations::pending_names(&target.observer).await.unwrap_err();
    assert!(matches!(error, MigrationError::Newer { version: 99 }), "{error}");
}

#[tokio::test]
async fn a_role_without_rights_is_told_the_sql_that_gives_them() {
    let mut target = Target::bare("migrations_rights").await;
    target.observer.batch_execute("create role clerk login password 'p'").await.unwrap();
    target.settings.endpoint.user = "clerk".into();
    target.settings.endpoint.password = Secret::new("p");
    let mut applier = Applier::connect(target.settings.clone()).await.unwrap();
    let error = applier.migrate().await.unwrap_err();
    let TargetError::Migration(MigrationError::Roles { sql, .. }) = &error else { panic!("{error}") };
    assert!(sql.contains("grant cdc_views to \"clerk\""), "{sql}");
    let roles = "do $$ begin create role cdc_views nologin; create role cdc_reader nologin; \
                 exception when duplicate_object or unique_violation then null; end $$";
    target.observer.batch_execute(&format!("{roles}; grant cdc_views to clerk")).await.unwrap();
    let error = applier.migrate().await.unwrap_err().to_string();
    assert!(error.contains("grant create on database \"migrations_rights\" to \"clerk\""), "{error}");
    target.observer.batch_execute("grant create on database migrations_rights to clerk").await.unwrap();
    assert_eq!(applier.migrate().await.unwrap().len(), files());
    let owner = "select tableowner from pg_tables where schemaname = 'cdc' and tablename = 'stream'";
    assert_eq!(show(&target.observer, owner).await, "clerk");
}
