//! HOW records wait: bounded channels and the input gate that reads them.

mod bounded;
mod input_gate;

pub use bounded::{ChannelClosed, ChannelReceiver, ChannelSender, bounded};
pub use input_gate::InputGate;
