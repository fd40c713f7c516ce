//! The examples of MS-TDS chapter 4: requests read, answers written.
//!
//! Not here: 4.3, 4.17, 4.20 and 4.21 (federated login, features that are never acknowledged), 4.11 (integrated
//! login), 4.18 (session recovery). Of 4.5 and 4.15 the parts that this server has are compared.

use mssql_sim::types::{ColumnMeta, Length, Origin, SqlError, SqlType, Value};
use mssql_sim::wire::ProtocolError;
use mssql_sim::wire::bulk::RowDecoder;
use mssql_sim::wire::login;
use mssql_sim::wire::packet::{Message, MessageReader, MessageType, MessageWriter};
use mssql_sim::wire::prelogin::{self, Encryption};
use mssql_sim::wire::request::{self, RequestKind};
use mssql_sim::wire::token::{self, Done, DoneKind};
use mssql_sim::wire::value;

use crate::examples;

fn bytes(hex: &str) -> Vec<u8> {
    hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

async fn request(hex: &str) -> Message {
    let bytes = bytes(hex);
    let mut reader = MessageReader::new(bytes.as_slice());
    let message = reader.next().await.unwrap().unwrap();
    assert!(reader.next().await.unwrap().is_none(), "an example is one message");
    message
}

/// Tokens as one message of session 0.
async fn response(tokens: Vec<u8>) -> Vec<u8> {
    let mut sent = Vec::new();
    let mut writer = MessageWriter::new(&mut sent, 0);
    writer.tokens = tokens;
    writer.finish().await.unwrap();
    sent
}

fn info(number: i32, state: u8, text: &str, line: i32) -> SqlError {
    SqlError { class: 0, state, line, ..SqlError::statement(number, text) }
}

#[tokio::test]
async fn a_prelogin_request_is_read() {
    let message = request(examples::PRELOGIN_REQUEST).await;
    assert_eq!(message.kind, MessageType::PreLogin);
    assert_eq!(prelogin::requested_encryption(&message.body).unwrap(), Encryption::On);
}

#[tokio::test]
async fn logins_are_read() {
    let plain = request(examples::LOGIN7).await;
    assert_eq!(plain.kind, MessageType::Login);
    let plain = login::read(&plain.body).unwrap();
    let named = [&plain.host, &plain.user, &plain.password, &plain.program, &plain.database];
    assert_eq!(named, ["skostov1", "sa", "", "OSQL-32", ""]);
    assert_eq!(plain.packet_size, 4096);

    let with_features = login::read(&request(examples::LOGIN7_WITH_FEATURES).await.body).unwrap();
    assert_eq!((with_features.user.as_str(), with_features.database.as_str()), ("sa", "tempdb"));
}

#[tokio::test]
async fn a_login_is_answered() {
    let database = "Changed database context to 'master'.";
    let language = "Changed language setting to us_english.";
    let mut first = Vec::new();
    token::environment_text(token::ENV_DATABASE, "master", "master", &mut first);
    token::message(&info(5701, 2, database, 0), "", &mut first);
    token::environment_bytes(token::ENV_COLLATION, &[0x09, 0x04, 0xD0, 0x00, 0x34], &[], &mut first);
    token::environment_text(token::ENV_LANGUAGE, "us_english", "", &mut first);
    token::environment_text(token::ENV_PACKET_SIZE, "4096", "4096", &mut first);
    token::message(&info(5703, 1, language, 0), "", &mut first);
    let example = bytes(examples::LOGIN_RESPONSE);
    assert_eq!(&example[8..8 + first.len()], first, "4.4 up to LOGINACK, which tells TDS 7.2");

    let mut second = Vec::new();
    token::environment_text(token::ENV_DATABASE, "master", "master", &mut second);
    token::message(&info(5701, 2, database, 1), "cloud", &mut second);
    token::environment_bytes(token::ENV_COLLATION, &[0x09, 0x04, 0xD0, 0x00, 0x34], &[], &mut second);
    token::environment_text(token::ENV_LANGUAGE, "us_english", "", &mut second);
    token::message(&info(5703, 1, language, 1), "cloud", &mut second);
    token::login_ack(login::SERVER_NAME, [11, 0, 0x08, 0xCB], &mut second);
    token::environment_text(token::ENV_PACKET_SIZE, "4096", "4096", &mut second);
    let example = bytes(examples::LOGIN_RESPONSE_74);
    assert_eq!(&example[8..8 + second.len()], second, "4.5 up to FEATUREEXTACK");
    let mut done = Vec::new();
    Done::plain(DoneKind::Done).write(&mut done);
    assert!(example.ends_with(&done));
}

#[tokio::test]
async fn a_batch_is_read_and_answered() {
    let request = request::read(&request(examples::BATCH).await).unwrap();
    assert_eq!(request.transaction, 0x0100_0000_0000_0000);
    let RequestKind::Batch(text) = request.kind else { panic!("{:?}", request.kind) };
    assert_eq!(text, "\nselect 'foo' as 'bar'\n        ");

    let plain = ColumnMeta::new("bar", SqlType::VarChar(Length::Limited(3)), false);
    let column = ColumnMeta { origin: Origin::Computed, ..plain };
    let mut row = Vec::new();
    value::encode(&Value::text("foo"), &column, &mut row);
    let mut tokens = Vec::new();
    token::columns(&[column], &mut tokens);
    token::row(&row, &mut tokens);
    Done { command: 0xC1, rows: Some(1), ..Done::plain(DoneKind::Done) }.write(&mut tokens);
    assert_eq!(response(tokens).await, bytes(examples::BATCH_RESPONSE));
}

#[tokio::test]
async fn a_call_is_read_and_answered() {
    let request = request::read(&request(examples::CALL).await).unwrap();
    let RequestKind::Calls(calls) = request.kind else { panic!("{:?}", request.kind) };
    let [call] = calls.as_slice() else { panic!("{calls:?}") };
    let [argument] = call.arguments.as_slice() else { panic!("{call:?}") };
    assert_eq!((call.procedure.as_str(), argument.name.as_str(), argument.output), ("foo3", "", false));
    assert_eq!((argument.sql_type, &argument.value), (SqlType::SmallInt, &Value::Null));

    let mut tokens = Vec::new();
    let statement = Done { command: 0xC1, more: true, rows: Some(1), ..Done::plain(DoneKind::InProcedure) };
    statement.write(&mut tokens);
    token::return_status(0, &mut tokens);
    Done { command: 0xE0, ..Done::plain(DoneKind::Procedure) }.write(&mut tokens);
    assert_eq!(response(tokens).await, bytes(examples::CALL_RESPONSE));
}

#[tokio::test]
async fn an_attention_is_read() {
    let message = request(examples::ATTENTION).await;
    assert_eq!((message.kind, message.body.len()), (MessageType::Attention, 0));
}

#[tokio::test]
async fn rows_of_a_bulk_load_are_read() {
    let message = request(examples::BULK_LOAD).await;
    assert_eq!(message.kind, MessageType::BulkLoad);
    let mut rows = RowDecoder::default();
    rows.push(&message.body);
    assert_eq!(rows.next_row(message.is_complete()).unwrap(), Some(vec![Value::Bit(false)]));
    assert_eq!(rows.next_row(message.is_complete()).unwrap(), None);
    assert_eq!(rows.columns()[0].sql_type, SqlType::Bit);
}

#[tokio::test]
async fn what_is_not_supported_is_refused_by_name() {
    for (example, name) in [
        (examples::TRANSACTION_REQUEST, "transaction request"),
        (examples::TABLE_PARAMETER, "a parameter of wire type 0xf3"),
    ] {
        match request::read(&request(example).await) {
            Err(ProtocolError::Unsupported(construct)) => assert!(construct.contains(name), "{construct}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

/// The rows of 4.15 whose second column, sparse and of xml, is NULL.
#[test]
fn rows_with_nulls_are_compressed() {
    let columns = [ColumnMeta::new("id", SqlType::Int, true), ColumnMeta::new("set", SqlType::Xml, true)];
    let example = bytes(examples::SPARSE);
    for id in 4..=10 {
        let mut row = Vec::new();
        value::encode(&Value::Int(id), &columns[0], &mut row);
        value::encode(&Value::Null, &columns[1], &mut row);
        let mut written = Vec::new();
        token::null_compressed_row(&row, &columns, &mut written);
        assert!(example.windows(written.len()).any(|window| window == written), "{written:02x?}");
    }
}
