//! The catalog: `sys` and `INFORMATION_SCHEMA` views as tables computed from the engine's state.

/// A catalog view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {}

impl View {
    /// A view by schema and name.
    pub fn named(_schema: &str, _name: &str) -> Option<Self> {
        None
    }
}
