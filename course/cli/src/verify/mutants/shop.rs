//! Where are solutions changed? In a small workspace below `target/`, one for each, with a copy of the solution and the
//! exercise's own grader. A change that is interrupted is left in the copy and in nobody's work.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use catalog::{Catalog, Exercise};

use super::super::workshop::{absolute, tables, write_if_new};

/// What is changed, in the solution's folder and in the copy.
pub const SOURCE: &str = "src/lib.rs";

/// Writes the workspace of this exercise, and says where it is.
pub fn set_up(catalog: &Catalog, exercise: &Exercise, target: &Path) -> Result<PathBuf> {
    let shop = target.join("course/mutants").join(&exercise.slug);
    let root = fs::read_to_string(catalog.root.join("Cargo.toml"))?;
    let dir = catalog.at(&exercise.dir);
    let own = fs::read_to_string(dir.join("Cargo.toml"))?;
    let solution = fs::read_to_string(catalog.at(exercise.solution.join(SOURCE)))?;
    write_if_new(&shop.join(SOURCE), &solution)?;
    write_if_new(
        &shop.join("Cargo.toml"),
        &manifest(
            &exercise.slug,
            &catalog.at(&exercise.grader),
            &absolute(&tables(&own, &["dependencies", "dev-dependencies"]), &dir),
            &absolute(
                &tables(
                    &root,
                    &["workspace.package", "workspace.dependencies", "profile"],
                ),
                &catalog.root,
            ),
        ),
    )?;
    // Cargo takes the packages of no other workspace out of it by itself.
    if let Ok(lock) = fs::read_to_string(catalog.root.join("Cargo.lock")) {
        fs::write(shop.join("Cargo.lock"), lock)?;
    }
    match fs::remove_dir_all(shop.join("mutants.out")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).context("the outcomes of last time")
        }
        _ => Ok(shop),
    }
}

fn manifest(slug: &str, grader: &Path, dependencies: &str, shared: &str) -> String {
    format!(
        "[workspace]\nresolver = \"3\"\n\n\
         [package]\nname = {slug:?}\nversion = \"0.0.0\"\nedition.workspace = true\npublish = false\n\n\
         [lib]\nname = {name:?}\ntest = false\ndoctest = false\n\n\
         [[test]]\nname = \"grade\"\npath = {grader:?}\nharness = false\n\n{dependencies}\n{shared}",
        name = slug.replace('-', "_"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_has_one_package_and_the_exercises_grader() {
        let text = manifest(
            "short-reads",
            Path::new("/c/exercises/03-x/short-reads/tests/grade.rs"),
            "[dependencies]\nlibc.workspace = true\n",
            "[workspace.dependencies]\nlibc = \"1\"\n",
        );
        assert!(toml::de::DeTable::parse(&text).is_ok(), "{text}");
        assert!(text.contains("name = \"short_reads\"\ntest = false"));
        assert!(text.contains("path = \"/c/exercises/03-x/short-reads/tests/grade.rs\""));
        assert!(text.contains("[workspace.dependencies]\nlibc"));
    }
}
