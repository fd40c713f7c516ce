//! The demo's warehouse management system: its schema, its past and its traffic.

pub mod history;
pub mod model;
#[macro_use]
pub mod script;
pub mod traffic;

use model::Order;

/// The schema and its first rows, in batches separated by `GO`.
pub const SCHEMA: &str = include_str!("schema.sql");

/// An order that is not finished yet.
#[derive(Clone, Debug)]
pub struct Open {
    /// Position in [`model::WAREHOUSES`].
    pub warehouse: usize,
    /// The order.
    pub order: Order,
    /// How far it is.
    pub stage: Stage,
}

/// Stages of an order, with the WMS's codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Entered.
    New,
    /// Stock is reserved.
    Allocated,
    /// On the floor.
    Picking,
    /// Ready to leave.
    Packed,
    /// Gone.
    Shipped,
    /// Called off.
    Cancelled,
}

impl Stage {
    /// The code in `orders.status`.
    pub fn code(self) -> u8 {
        match self {
            Self::New => 10,
            Self::Allocated => 20,
            Self::Picking => 30,
            Self::Packed => 40,
            Self::Shipped => 50,
            Self::Cancelled => 90,
        }
    }

    fn next(self) -> Self {
        match self {
            Self::New => Self::Allocated,
            Self::Allocated => Self::Picking,
            Self::Picking => Self::Packed,
            Self::Packed | Self::Shipped => Self::Shipped,
            Self::Cancelled => Self::Cancelled,
        }
    }
}
