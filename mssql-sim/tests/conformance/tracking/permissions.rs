//! Who may see changes.

use super::{SETUP, run, shown};
use crate::target::Target;
use crate::tds::{Login, Session};

#[tokio::test]
async fn changes_take_a_permission_of_their_own() {
    let target = Target::new().await;
    let mut administrator = target.session().await;
    for batch in SETUP {
        administrator.run(batch).await;
    }
    run(&mut administrator, "INSERT t VALUES (1, 1, 1)").await;
    let login = Login {
        user: format!("reader_of_{}", target.login().database),
        password: "Reader-0123".into(),
        ..target.login().clone()
    };
    let Login { user, password, .. } = &login;
    administrator.run(&format!("CREATE LOGIN {user} WITH PASSWORD = '{password}', CHECK_POLICY = OFF")).await;
    administrator.run(&format!("CREATE USER {user} FOR LOGIN {user}; GRANT SELECT ON dbo.t TO {user}")).await;
    let mut reader = Session::log_in(&login).await.expect("the user may log in");

    let changes = "SELECT id FROM CHANGETABLE(CHANGES dbo.t, 0) AS c";
    let min_valid = "SELECT CHANGE_TRACKING_MIN_VALID_VERSION(OBJECT_ID(N'dbo.t'))";
    for (grant, question, expected) in [
        ("", "SELECT id FROM dbo.t", "1"),
        ("", changes, "error 229"),
        ("", min_valid, "NULL"),
        ("GRANT VIEW CHANGE TRACKING ON dbo.t TO", changes, "1"),
        ("", min_valid, "0"),
        ("DENY VIEW CHANGE TRACKING ON dbo.t TO", changes, "error 229"),
        ("REVOKE VIEW CHANGE TRACKING ON dbo.t TO", changes, "error 229"),
        ("GRANT VIEW CHANGE TRACKING ON SCHEMA::dbo TO", changes, "1"),
    ] {
        if !grant.is_empty() {
            administrator.run(&format!("{grant} {user}")).await;
        }
        assert_eq!(shown(&reader.batch(question).await), expected, "{grant}: {question}");
    }
    drop(reader);
    administrator.batch(&format!("DROP USER {user}; DROP LOGIN {user}")).await;
    drop(administrator);
    target.close().await;
}
