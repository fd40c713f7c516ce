//! Transaction-manager requests (2.2.6.9) and the descriptors that go with them.

use mssql_sim::server::{Options, Server};

use crate::raw::{self, BATCH, Raw, TRANSACTION};

const BEGIN: u8 = 8;
const COMMIT: u8 = 9;
const ROLLBACK: u8 = 10;
/// Commits and rolls back: begin another transaction at once.
const BEGIN_NEXT: u8 = 1;

/// What a request is called and says, which ENVCHANGE tokens answer it, and the state behind it: isolation level and
/// number of open transactions.
type Case = (&'static str, &'static [u8], &'static [u8], (i32, i32));

/// A client that keeps book of its transaction.
struct Client {
    raw: Raw,
    descriptor: [u8; 8],
}

impl Client {
    /// Sends a request; kinds of the ENVCHANGE tokens of its answer, and the number of its error, 0 without one.
    async fn ask(&mut self, kind: u8, request: &[u8]) -> (Vec<u8>, i32) {
        let mut body = raw::headers();
        body[10..18].copy_from_slice(&self.descriptor);
        body.extend_from_slice(request);
        self.raw.send(&raw::message(kind, &body, 4096)).await.unwrap();
        let answer = self.raw.message().await.unwrap();
        let (mut rest, mut changes, mut error) = (answer.as_slice(), Vec::new(), 0);
        while let [token @ (0xE3 | 0xAA), low, high, ..] = *rest {
            let (content, behind) = rest[3..].split_at(usize::from(u16::from_le_bytes([low, high])));
            if token == 0xAA {
                error = i32::from_le_bytes(content[..4].try_into().unwrap());
            } else {
                // The new value of a beginning is the descriptor; an end has it as the old value.
                let new = content[1] == 8;
                assert_eq!(new, content[0] == BEGIN, "{content:02x?}");
                self.descriptor = if new { content[2..10].try_into().unwrap() } else { [0; 8] };
                changes.push(content[0]);
            }
            rest = behind;
        }
        assert_eq!((rest.len(), rest[0]), (13, 0xFD), "a DONE ends it: {answer:02x?}");
        (changes, error)
    }

    async fn request(&mut self, request: &[u8]) -> (Vec<u8>, i32) {
        self.ask(TRANSACTION, request).await
    }

    /// The isolation level and the number of open transactions, as the session itself sees them.
    async fn state(&mut self, server: &Server) -> (i32, i32) {
        let sql = "DECLARE @n int = @@TRANCOUNT; DECLARE @level int = (SELECT transaction_isolation_level
            FROM sys.dm_exec_sessions WHERE session_id = @@SPID); DELETE FROM dbo.state;
            INSERT INTO dbo.state VALUES (@level, @n)";
        let mut body = raw::headers();
        body[10..18].copy_from_slice(&self.descriptor);
        body.extend(raw::utf16(sql));
        self.raw.send(&raw::message(BATCH, &body, 4096)).await.unwrap();
        self.raw.message().await.unwrap();
        let rows = server.execute("SELECT level, n FROM dbo.state WITH (NOLOCK)").await.unwrap();
        let number = |column: usize| match rows[0][column] {
            mssql_sim::types::Value::Int(n) => i32::try_from(n).unwrap(),
            ref other => panic!("{other:?}"),
        };
        (number(0), number(1))
    }
}

async fn client(server: &Server) -> Client {
    server.execute("CREATE TABLE dbo.state (level int, n int)").await.unwrap();
    server.execute("ALTER DATABASE wms SET ALLOW_SNAPSHOT_ISOLATION ON").await.unwrap();
    Client { raw: Raw::log_in(server).await, descriptor: [0; 8] }
}

#[tokio::test]
async fn a_begin_says_its_level_and_an_end_may_begin_the_next() {
    let server = Server::new(Options::default());
    let mut client = client(&server).await;
    const READ_COMMITTED: i32 = 2;
    let cases: [Case; 7] = [
        ("begin, level of the session", &[5, 0, 0, 0], &[BEGIN], (READ_COMMITTED, 1)),
        ("commit, begin SERIALIZABLE", &[7, 0, 0, BEGIN_NEXT, 4, 2, b'x', 0], &[COMMIT, BEGIN], (4, 1)),
        ("roll back, begin REPEATABLE READ", &[8, 0, 0, BEGIN_NEXT, 3, 0], &[ROLLBACK, BEGIN], (3, 1)),
        ("save", &[9, 0, 2, b's', 0], &[], (3, 1)),
        ("roll back to it", &[8, 0, 2, b's', 0, 0], &[], (3, 1)),
        ("commit", &[7, 0, 0, 0], &[COMMIT], (3, 0)),
        ("begin READ UNCOMMITTED", &[5, 0, 1, 0], &[BEGIN], (1, 1)),
    ];
    for (name, request, changes, state) in cases {
        assert_eq!(client.request(request).await, (changes.to_vec(), 0), "{name}");
        assert_eq!(client.state(&server).await, state, "{name}");
    }
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let server = Server::new(Options::default());
    let mut client = client(&server).await;
    for (name, request, number) in [
        ("commit of nothing", [7, 0, 0, 0].as_slice(), 3902),
        ("roll back of nothing", &[8, 0, 0, 0], 3903),
        ("savepoint of nothing", &[9, 0, 2, b's', 0], 628),
        ("promotion to a distributed transaction", &[6, 0], 102),
    ] {
        assert_eq!(client.request(request).await, (Vec::new(), number), "{name}");
    }
    client.request(&[5, 0, 0, 0]).await;
    assert_eq!(client.request(&[8, 0, 2, b'?', 0, 0]).await.1, 6401, "no such savepoint");
    let descriptor = std::mem::replace(&mut client.descriptor, [9; 8]);
    assert_eq!(client.ask(BATCH, &raw::utf16("SELECT 1")).await.1, 3989, "another session's transaction");
    client.descriptor = descriptor;
    assert_eq!(client.request(&[7, 0, 0, 0]).await, (vec![COMMIT], 0));
}
