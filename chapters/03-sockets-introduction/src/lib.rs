//! What does a program have to know before it can name a peer and read a whole message?
//!
//! The modules stand in the order in which the chapter tells them.

pub mod byte_order;
pub mod error;
pub mod layout;

pub mod address;
pub mod inet;
pub mod unix;
pub mod value_result;

pub mod parse;
pub mod scope;
pub mod text;

pub mod line;
pub mod whole;

pub mod program;
