//! HOW records wait: bounded channels and the input gate that reads them.

mod bounded;
mod inbox;
mod limits;

pub use bounded::{ChannelClosed, ChannelSender, InputGate, NotSent, Sent, bounded};
pub use limits::ChannelLimits;
