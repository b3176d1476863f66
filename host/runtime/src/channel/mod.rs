//! HOW records wait: bounded channels and the input gate that reads them.

mod bounded;
mod inbox;
mod input_gate;
mod limits;

pub use bounded::{ChannelClosed, ChannelSender, NotSent, Sent, bounded};
pub use input_gate::InputGate;
pub use limits::ChannelLimits;
