// ANCHOR: modules
//! What happens between two programs, from `connect` down to the frame and up again?
//!
//! The modules stand in the order in which the chapter tells them.

pub mod error;
pub mod program;

pub mod client;
pub mod name;

pub mod clock;
pub mod server;

pub mod anatomy;
pub mod capture;
// ANCHOR_END: modules
