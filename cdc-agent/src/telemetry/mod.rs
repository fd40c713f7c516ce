//! What the agent says about itself: a log on stderr, metrics, and a listener for both people and machines.

mod listener;
mod log;
mod metrics;

pub use listener::Listener;
pub use log::{LogForm, start_log};
pub use metrics::Metrics;
