use crate::command::Asked;
use crate::course::Course;
use anyhow::Result;
pub fn verify(_: &Course, _: &Asked) -> Result<bool> {
    Ok(true)
}
