//! An API on a socket, and a client of it.

use crate::warehouse::{TOKEN, Warehouse};
use api::{Clock, Config, Server};
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::StreamExt;
use http_body_util::{BodyExt, BodyStream};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// Longest wait for a state that must come.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct TestApi {
    pub(crate) address: SocketAddr,
    pub(crate) metrics: SocketAddr,
    now: Arc<Mutex<DateTime<Utc>>>,
    client: Client<HttpConnector, Body>,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

/// An answer that was read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// One server-sent event.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) id: Option<String>,
    pub(crate) data: Value,
}

/// An open event stream.
pub(crate) struct Events {
    body: BodyStream<Incoming>,
    text: String,
}

impl TestApi {
    /// Starts at the moment `now` and waits until it can answer.
    pub(crate) async fn start(warehouse: &Warehouse, now: &str) -> Self {
        let file = std::env::temp_dir().join(format!("cdc-api-{}/api.toml", warehouse.postgres.port()));
        std::fs::write(&file, warehouse.config()).unwrap();
        let config = Config::read(&file).unwrap();
        let now = Arc::new(Mutex::new(now.parse().unwrap()));
        let shown = Arc::clone(&now);
        let server = Server::bind(&config, Clock::showing(move || *shown.lock().unwrap())).await.unwrap();
        let (address, metrics) = server.addresses().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(server.run(async move { drop(stopped.await) }));
        let client = Client::builder(TokioExecutor::new()).build_http();
        let api = Self { address, metrics, now, client, stop: Some(stop), running };
        api.until(async |api: &Self| api.open("/readyz").await.status == StatusCode::OK).await;
        api
    }

    pub(crate) fn set_clock(&self, now: &str) {
        *self.now.lock().unwrap() = now.parse().unwrap();
    }

    /// Asks with the token.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[]).await
    }

    /// Asks with the token and more headers.
    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let bearer = format!("Bearer {TOKEN}");
        let headers = [&[("authorization", bearer.as_str())], headers].concat();
        self.send(Method::GET, path, &headers, "").await
    }

    /// Asks without a token.
    pub(crate) async fn open(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "").await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let response = self.request(self.address, method, path, headers, body).await;
        read(response).await
    }

    /// What Prometheus reads.
    pub(crate) async fn metrics(&self) -> String {
        let answer = read(self.request(self.metrics, Method::GET, "/metrics", &[], "").await).await;
        String::from_utf8(answer.body.to_vec()).unwrap()
    }

    pub(crate) async fn events(&self, headers: &[(&str, &str)]) -> Events {
        let bearer = format!("Bearer {TOKEN}");
        let headers = [&[("authorization", bearer.as_str())], headers].concat();
        let response = self.request(self.address, Method::GET, "/api/stream", &headers, "").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Events { body: BodyStream::new(response.into_body()), text: String::new() }
    }

    /// Waits until `holds`.
    pub(crate) async fn until(&self, holds: impl AsyncFn(&Self) -> bool) {
        let began = Instant::now();
        while !holds(self).await {
            assert!(began.elapsed() < PATIENCE, "the state did not come within {PATIENCE:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Stops the API and tells how long that took.
    pub(crate) async fn stop(mut self) -> Duration {
        let began = Instant::now();
        drop(self.stop.take());
        timeout(PATIENCE, &mut self.running).await.unwrap().unwrap();
        began.elapsed()
    }

    async fn request(
        &self,
        address: SocketAddr,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response<Incoming> {
        let mut request = Request::builder().method(method).uri(format!("http://{address}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        timeout(PATIENCE, self.client.request(request)).await.unwrap().unwrap()
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {:?}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no header {name}")).to_str().unwrap()
    }

    /// The problem document, checked for what every problem must have.
    pub(crate) fn problem(&self, status: u16, path: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{:?}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let document = self.json();
        assert_eq!(document["status"], status);
        assert_eq!(document["instance"], path);
        assert!(document["type"].as_str().unwrap().starts_with("urn:cdc-agent:problem:"));
        assert!(!document["title"].as_str().unwrap().is_empty());
        document
    }
}

impl Events {
    /// The next event of this name.
    pub(crate) async fn next(&mut self, name: &str) -> Event {
        let wait = async {
            loop {
                match self.any().await {
                    Some(event) if event.name == name => return event,
                    Some(_) => {}
                    None => panic!("the stream ended before an event {name}"),
                }
            }
        };
        timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("no event {name} within {PATIENCE:?}"))
    }

    /// Reads to the end of the stream.
    pub(crate) async fn ended(&mut self) {
        let wait = async { while self.any().await.is_some() {} };
        timeout(PATIENCE, wait).await.expect("the stream ends");
    }

    /// The next event; None at the end. Comments are skipped.
    async fn any(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let event = parse(event);
                self.text = rest.to_owned();
                if event.is_some() {
                    return event;
                }
                continue;
            }
            let frame = self.body.next().await?.ok()?;
            if let Ok(data) = frame.into_data() {
                self.text.push_str(std::str::from_utf8(&data).unwrap());
            }
        }
    }
}

fn parse(event: &str) -> Option<Event> {
    let field = |name: &str| {
        event
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(|value| value.trim().to_owned())
    };
    let data = serde_json::from_str(&field("data")?).unwrap();
    Some(Event { name: field("event")?, id: field("id"), data })
}

async fn read(response: Response<Incoming>) -> Answer {
    let (parts, body) = response.into_parts();
    let body = timeout(PATIENCE, body.collect()).await.unwrap().unwrap().to_bytes();
    Answer { status: parts.status, headers: parts.headers, body }
}
