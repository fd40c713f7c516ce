//! Query parameters, read strictly: an unknown, repeated or malformed one is an error that says what is allowed.

use crate::problem::Problem;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use chrono::NaiveDate;

/// The parameters of a request, in the order given.
#[derive(Debug)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let pairs: Result<Query<Vec<(String, String)>>, QueryRejection> =
            Query::from_request_parts(parts, state).await;
        pairs.map(|Query(pairs)| Self(pairs)).map_err(|rejection| Problem::BadRequest(rejection.body_text()))
    }
}

impl Parameters {
    /// Refuses every parameter that is not one of `known`.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Problem> {
        match self.0.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, _)) => {
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                Err(Problem::UnknownParameter { name: name.clone(), known })
            }
        }
    }

    /// The value of a parameter that may be given once.
    pub(crate) fn one(&self, name: &str) -> Result<Option<&str>, Problem> {
        let mut values = self.0.iter().filter(|(given, _)| given == name).map(|(_, value)| value.as_str());
        let value = values.next();
        match values.next() {
            None => Ok(value),
            Some(_) => Err(Problem::RepeatedParameter { name: name.to_owned() }),
        }
    }

    /// The values of a parameter that may be repeated or hold several between commas.
    pub(crate) fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(given, _)| given == name)
            .flat_map(|(_, value)| value.split(','))
            .map(str::trim)
            .filter(|value| !value.is_empty())
    }

    /// A day, `YYYY-MM-DD`.
    pub(crate) fn day(&self, name: &'static str) -> Result<Option<NaiveDate>, Problem> {
        let parse = |value: &str| {
            NaiveDate::parse_from_str(value, "%Y-%m-%d").map_err(|_| Problem::InvalidParameter {
                name,
                value: value.to_owned(),
                allowed: "a day such as 2026-11-24".to_owned(),
            })
        };
        self.one(name)?.map(parse).transpose()
    }
}
