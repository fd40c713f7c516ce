//! Handlers by resource.

pub(crate) mod daily_metrics;
pub(crate) mod detail;
pub(crate) mod events;
pub(crate) mod health;
pub(crate) mod metrics;
pub(crate) mod page;
pub(crate) mod pipeline;
pub(crate) mod session;
