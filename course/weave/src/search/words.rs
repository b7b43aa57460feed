//! What are the words of a text, where some languages have no spaces?

/// A word, in lower case; or two neighboring characters of a language without spaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word(String);

impl Word {
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// Whether a character is one of a language that has no spaces between words.
pub fn is_wide(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

/// The words of a text, in order. A character that stands alone between others is a word.
pub fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    for run in split(text) {
        let wide = run.chars().next().is_some_and(is_wide);
        let chars: Vec<char> = run.chars().collect();
        if wide && chars.len() > 1 {
            words.extend(chars.windows(2).map(|two| Word(two.iter().collect())));
        } else if wide || chars.len() > 1 || chars[0].is_ascii_digit() {
            words.push(Word(run));
        }
    }
    words
}

/// The runs of characters without spaces between words, of three or more.
pub fn runs(text: &str) -> Vec<String> {
    let runs = split(text).into_iter();
    runs.filter(|run| run.chars().next().is_some_and(is_wide) && run.chars().count() > 2)
        .collect()
}

/// Of code, what looks like a name of the system or of ours: `SO_REUSEADDR`, `read_exact_n`.
pub fn names(code: &str) -> String {
    let words = code.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let is_name = |word: &&str| {
        let letters = word.chars().filter(char::is_ascii_alphabetic).count();
        let capitals = word.chars().all(|c| !c.is_ascii_lowercase());
        word.starts_with(|c: char| c.is_ascii_alphabetic())
            && letters > 3
            && (word.contains('_') || capitals)
    };
    words.filter(is_name).collect::<Vec<_>>().join(" ")
}

/// Runs of letters, digits and `_`, and runs of wide characters, in lower case.
fn split(text: &str) -> Vec<String> {
    let mut runs: Vec<String> = Vec::new();
    let mut before = None;
    for c in text.chars().flat_map(char::to_lowercase) {
        let kind = if is_wide(c) {
            Some(true)
        } else {
            (c.is_alphanumeric() || c == '_').then_some(false)
        };
        if kind.is_some() {
            if kind != before {
                runs.push(String::new());
            }
            if let Some(run) = runs.last_mut() {
                run.push(c);
            }
        }
        before = kind;
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        words(text).into_iter().map(|word| word.0).collect()
    }

    #[test]
    fn names_are_words_and_chinese_is_pairs() {
        assert_eq!(
            texts("Set SO_REUSEADDR, a half-close."),
            ["set", "so_reuseaddr", "half", "close"]
        );
        assert_eq!(
            texts("半关闭 与TCP的流 7"),
            ["半关", "关闭", "与", "tcp", "的流", "7"]
        );
        assert_eq!(
            names("let n = read_exact_n(SO_LINGER, ERR, 0x1f);"),
            "read_exact_n SO_LINGER"
        );
        assert_eq!(runs("三次握手 tcp 挥手"), ["三次握手"]);
    }
}
