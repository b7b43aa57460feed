use crate::course::Course;
use anyhow::Result;
pub fn doctor(_: &Course) -> Result<bool> {
    Ok(true)
}
