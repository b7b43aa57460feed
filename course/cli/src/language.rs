//! In which language does the course speak to this reader?

use anyhow::Result;
use catalog::ENGLISH;

use crate::command::Usage;

/// The language that is asked for, else that of the environment, if the course has it; else English.
///
/// # Errors
///
/// When the course is not in the language that is asked for.
pub fn choose(asked: Option<&str>, languages: &[String]) -> Result<String> {
    if let Some(asked) = asked {
        return among(asked, languages).ok_or_else(|| {
            let all: Vec<&str> = languages
                .iter()
                .map(String::as_str)
                .chain([ENGLISH])
                .collect();
            Usage(format!(
                "the course is not in `{asked}`; it is in {}",
                all.join(", ")
            ))
            .into()
        });
    }
    // In the order in which the C library asks for the language of messages.
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set);
    Ok(locale
        .and_then(|locale| among(&locale, languages))
        .unwrap_or_else(|| ENGLISH.to_owned()))
}

/// `zh`, `zh-CN`, `zh_CN.UTF-8` and `zh_TW` are all best served with `zh-CN`, if that is what there is.
fn among(wanted: &str, languages: &[String]) -> Option<String> {
    let tag = wanted
        .split(['.', '@'])
        .next()?
        .replace('_', "-")
        .to_lowercase();
    let first = |tag: &str| tag.split('-').next().unwrap_or("").to_lowercase();
    let english = [ENGLISH.to_owned()];
    let all = || languages.iter().chain(&english);
    all()
        .find(|language| language.to_lowercase() == tag)
        .or_else(|| all().find(|language| first(language) == first(&tag)))
        .cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_known_by_any_of_its_names() {
        let languages = ["zh-CN".to_owned()];
        for name in ["zh", "zh-CN", "zh_CN.UTF-8", "zh_TW", "ZH"] {
            assert_eq!(among(name, &languages).as_deref(), Some("zh-CN"), "{name}");
        }
        assert_eq!(among("en_US.UTF-8", &languages).as_deref(), Some("en"));
        assert_eq!(among("C", &languages), None);
        let wrong = choose(Some("fr"), &languages).unwrap_err().to_string();
        assert_eq!(wrong, "the course is not in `fr`; it is in zh-CN, en");
    }
}
