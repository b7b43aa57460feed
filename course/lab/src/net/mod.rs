//! A network on a bench.

pub mod diag;
mod netlink;
