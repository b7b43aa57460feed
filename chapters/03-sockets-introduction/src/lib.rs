//! What must a program know before it can name a peer and read a whole message?
//!
//! The modules stand in the order in which the chapter tells them.

pub mod byte_order;
pub mod layout;
pub mod address;
pub mod inet;
pub mod value_result;
pub mod text;
pub mod scope;
pub mod parse;
pub mod unix;
pub mod whole;
pub mod line;
