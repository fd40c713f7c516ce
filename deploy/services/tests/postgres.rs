//! The private server: what a client sees of it, and that it ends with us.

use services::postgres::Postgres;
use std::net::TcpStream;

#[test]
fn the_server_answers_stops_and_comes_back_on_its_port_and_leaves_nothing() {
    let mut server = Postgres::temporary().expect("a server");
    let address = ("127.0.0.1", server.port());
    assert!(TcpStream::connect(address).is_ok());
    server.stop();
    assert!(TcpStream::connect(address).is_err());
    server.resume().expect("the server again");
    assert!(TcpStream::connect(address).is_ok());
    drop(server);
    assert!(TcpStream::connect(address).is_err());
}
