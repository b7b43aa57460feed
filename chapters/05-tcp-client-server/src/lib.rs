//! What happens between a client and a server, from the first `accept` to the end of either host?
//!
//! The modules stand in the order in which the chapter tells them.

pub mod connection;
pub mod echo;

pub mod children;
pub mod signals;

pub mod accept;

pub mod framing;
pub mod sum;

pub mod owner;
pub mod scan;
pub mod sock_diag;
