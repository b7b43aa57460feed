//! The part of JSON Schema that our schema uses. A keyword that is not known here is an error.

use serde_json::Value;

const SCHEMA: &str = include_str!("../../../class/grade.schema.json");

/// That `value` is as the schema says.
#[track_caller]
pub fn holds(value: &Value) {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let mut wrong = Vec::new();
    check(&schema, &schema, value, "$", &mut wrong);
    assert!(wrong.is_empty(), "{wrong:#?}\n{value:#}");
}

fn check(whole: &Value, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    for (keyword, wants) in schema.as_object().unwrap() {
        let fine = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" | "additionalProperties" => true,
            "$ref" => {
                let name = wants.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                check(whole, &whole["$defs"][name], value, at, wrong);
                true
            }
            "const" => value == wants,
            "enum" => wants.as_array().unwrap().contains(value),
            "type" => match wants.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "integer" => value.is_u64() || value.is_i64(),
                "number" => value.is_number(),
                other => panic!("the type {other} is not known here"),
            },
            "minimum" => value.as_f64() >= wants.as_f64(),
            "pattern" => {
                assert_eq!(
                    wants, "^([0-9a-f]{64})?$",
                    "another pattern is not known here"
                );
                let text = value.as_str().unwrap_or("?");
                text.is_empty()
                    || text.len() == 64
                        && text
                            .bytes()
                            .all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
            }
            "required" => wants
                .as_array()
                .unwrap()
                .iter()
                .all(|name| value.get(name.as_str().unwrap()).is_some()),
            "items" => {
                for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(whole, wants, item, &format!("{at}[{number}]"), wrong);
                }
                true
            }
            "properties" => {
                for (name, item) in value.as_object().into_iter().flatten() {
                    match wants.get(name) {
                        Some(wants) => check(whole, wants, item, &format!("{at}.{name}"), wrong),
                        None if schema["additionalProperties"] == false => {
                            wrong.push(format!("{at} has a strange member {name}"));
                        }
                        None => {}
                    }
                }
                true
            }
            other => panic!("the keyword {other} is not known here"),
        };
        if !fine {
            wrong.push(format!("{at}: {keyword} {wants} does not hold"));
        }
    }
}

#[test]
#[should_panic(expected = "$.points: type")]
fn what_is_not_as_the_schema_says_is_found() {
    holds(&serde_json::json!({
        "schema": "cargo-course/class/grade/1", "student": "a", "course": "c", "points": "3", "of": 3, "notes": [], "exercises": [],
    }));
}
