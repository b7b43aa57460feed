//! A course, a class in it, and what came of grading.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::schema;
use crate::support::{Course, Ran};

/// Where the exercise `order` is.
pub const ORDER: &str = "exercises/03-sockets/order";

/// A course with a class.
pub struct Room {
    pub course: Course,
}

impl Room {
    pub fn new() -> Room {
        let course = Course::new();
        fs::create_dir(course.path("class")).unwrap();
        Room { course }
    }

    /// Hands in a file of a student's.
    pub fn hands_in(&self, student: &str, file: &str, text: &str) -> &Room {
        let path = self.path(student).join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// A student's folder.
    pub fn path(&self, student: &str) -> PathBuf {
        self.course.path("class").join(student)
    }

    /// Grades the class, on `order` only. `None` where no sandbox can be made and none is demanded.
    #[track_caller]
    pub fn grade(&self, options: &str) -> Option<Ran> {
        self.grade_with(options, &[])
    }

    #[track_caller]
    pub fn grade_with(&self, options: &str, variables: &[(&str, &str)]) -> Option<Ran> {
        let mut command = self.command(options);
        command.envs(variables.iter().copied());
        let output = command.output().unwrap();
        let ran = Ran {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        };
        if ran.err.contains("no sandbox can be made here")
            && std::env::var_os("LAB_REQUIRE").is_none()
        {
            eprintln!("not run: {}", ran.err);
            return None;
        }
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
        Some(ran)
    }

    pub fn command(&self, options: &str) -> Command {
        self.course.command(&format!(
            "class grade class --out results --exercise order {options}"
        ))
    }

    /// A student's grade for `order`. The whole file is held against the schema.
    #[track_caller]
    pub fn result(&self, student: &str) -> Value {
        let file = format!("results/{student}/grade.json");
        let grades: Value = serde_json::from_str(&self.course.read(&file)).unwrap();
        schema::holds(&grades);
        assert_eq!(
            grades["exercises"].as_array().map(Vec::len),
            Some(1),
            "{grades:#}"
        );
        grades["exercises"][0].clone()
    }

    /// That the grade is this outcome, with so many points of three, for a reason that says `phrase`.
    #[track_caller]
    pub fn is(&self, student: &str, outcome: &str, points: u64, phrase: &str) {
        let result = self.result(student);
        let why = result["why"].as_str().unwrap();
        assert!(
            result["outcome"] == outcome
                && result["points"] == points
                && result["of"] == 3
                && why.contains(phrase),
            "{student}: {}",
            result.to_string().chars().take(2000).collect::<String>()
        );
    }
}
