//! Who gets in.

use crate::NOON;
use crate::api::TestApi;
use crate::warehouse::{TOKEN, Warehouse};
use axum::http::{Method, StatusCode};

const PRIVATE: [&str; 8] = [
    "/api/session",
    "/api/metrics",
    "/api/data/daily_metrics/?metric=orders&date_range=today",
    "/api/data/orders/",
    "/api/pipeline/",
    "/api/stream",
    "/api",
    "/api/no/such/address",
];

#[tokio::test(flavor = "multi_thread")]
async fn everything_but_health_and_page_wants_a_token() {
    let warehouse = Warehouse::start().await;
    let api = TestApi::start(&warehouse, NOON).await;
    for path in PRIVATE {
        let answer = api.open(path).await;
        answer.problem(401, path);
        assert_eq!(answer.header("www-authenticate"), "Bearer", "{path}");
        let wrong =
            api.send(Method::GET, path, &[("authorization", "Bearer not-the-token-of-this-api")], "").await;
        assert_eq!(wrong.problem(401, path)["type"], "urn:cdc-agent:problem:wrong-token");
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(api.open(path).await.status, StatusCode::OK, "{path}");
    }
    let page = api.open("/").await;
    assert_ne!(page.status, StatusCode::UNAUTHORIZED);
    assert!(page.header("content-security-policy").contains("default-src 'self'"));
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    api.open("/metrics.json").await.problem(404, "/metrics.json");
    api.get("/api/no/such/address").await.problem(404, "/api/no/such/address");
    api.send(Method::PUT, "/healthz", &[], "").await.problem(405, "/healthz");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_becomes_a_cookie_that_ends() {
    let warehouse = Warehouse::start().await;
    let api = TestApi::start(&warehouse, NOON).await;
    let json = ("content-type", "application/json");
    let sign_in = |token: &str| format!(r#"{{"token": "{token}"}}"#);

    let wrong = api.send(Method::POST, "/api/session", &[json], &sign_in("not-the-token-of-this-api")).await;
    wrong.problem(401, "/api/session");
    let form =
        api.send(Method::POST, "/api/session", &[("content-type", "text/plain")], &sign_in(TOKEN)).await;
    form.problem(400, "/api/session");
    let foreign = [json, ("sec-fetch-site", "cross-site")];
    api.send(Method::POST, "/api/session", &foreign, &sign_in(TOKEN)).await.problem(403, "/api/session");

    let signed_in = api.send(Method::POST, "/api/session", &[json], &sign_in(TOKEN)).await;
    assert_eq!(signed_in.status, StatusCode::NO_CONTENT);
    let set = signed_in.header("set-cookie").to_owned();
    for attribute in ["cdc_session=", "HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=604800"] {
        assert!(set.contains(attribute), "{attribute} in {set}");
    }
    assert!(!set.contains(TOKEN));
    let cookie = set.split(';').next().unwrap().to_owned();
    let ask = async |cookie: &str| api.send(Method::GET, "/api/session", &[("cookie", cookie)], "").await;

    let session = ask(&format!("other=1; {cookie}")).await;
    assert_eq!(session.status, StatusCode::OK);
    assert_eq!(
        session.json(),
        serde_json::json!({
            "name": "operator", "language": "es", "scope": "all",
            "tabs": [{"id": "testing", "title_es": "Pruebas", "title_en": "Testing"}],
        })
    );

    // One second more, under the same seal.
    let (end, seal) = cookie.trim_start_matches("cdc_session=").split_once('.').unwrap();
    let later = end.parse::<i64>().unwrap() + 1;
    ask(&format!("cdc_session={later}.{seal}")).await.problem(401, "/api/session");

    api.set_clock("2026-12-01T11:59:59Z");
    assert_eq!(ask(&cookie).await.status, StatusCode::OK);
    api.set_clock("2026-12-01T12:00:00Z");
    ask(&cookie).await.problem(401, "/api/session");

    let signed_out = api.send(Method::DELETE, "/api/session", &[], "").await;
    assert!(signed_out.header("set-cookie").contains("Max-Age=0"));
}
