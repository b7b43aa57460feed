//! What does a chapter claim, and how is it decided?

use std::path::{Path, PathBuf};

use toml::Spanned;

use crate::fields::{Fields, Source, one_of};
use crate::problem::{self, Problem};

/// A factual statement about the kernel or the library, and its verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// `03.16`: the chapter's number, and a number in it.
    pub id: String,
    /// The claim, in our words.
    pub says: String,
    /// What came out.
    pub verdict: Verdict,
    /// What is so instead, or when; there unless the verdict is [`Verdict::True`].
    pub correction: Option<String>,
    /// How it was decided.
    pub decided_by: Decider,
    /// The evidence as it was recorded; always there when an experiment decides.
    pub seen: Option<String>,
    /// What to read about it: man pages, RFC sections.
    pub reads: Vec<String>,
    /// Ids of the notes that this claim settles.
    pub ledger: Vec<String>,
    /// The `claims.toml` it stands in.
    pub file: PathBuf,
    /// Its first line there, counted from 1.
    pub line: usize,
}

impl Claim {
    /// The id of the claim's row on its chapter's page: `claim-03-16`.
    pub fn anchor(&self) -> String {
        format!("claim-{}", self.id.replace('.', "-"))
    }

    /// The test that decides it, if an experiment does.
    pub fn experiment(&self) -> Option<&str> {
        match &self.decided_by {
            Decider::Experiment(name) => Some(name),
            Decider::Authority(_) => None,
        }
    }
}

/// How a claim was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decider {
    /// By a check of this name in the chapter's `tests/claims.rs`.
    Experiment(String),
    /// By a text, where no experiment can decide: man page, RFC, kernel source, history.
    Authority(String),
}

/// What came out of a claim's trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// As claimed.
    True,
    /// Only under some condition.
    Conditional,
    /// It was so once.
    Outdated,
    /// It is not so.
    Wrong,
    /// Linux and other systems differ.
    Platform,
    /// A matter of taste or usage.
    Opinion,
}

impl Verdict {
    /// All of them, in the order of their declaration.
    pub const ALL: [Verdict; 6] = [
        Verdict::True,
        Verdict::Conditional,
        Verdict::Outdated,
        Verdict::Wrong,
        Verdict::Platform,
        Verdict::Opinion,
    ];

    /// As it is written in `claims.toml`: `conditional`.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::True => "true",
            Verdict::Conditional => "conditional",
            Verdict::Outdated => "outdated",
            Verdict::Wrong => "wrong",
            Verdict::Platform => "platform",
            Verdict::Opinion => "opinion",
        }
    }

    /// As it is said to a reader: `it depends`.
    pub fn words(self) -> &'static str {
        match self {
            Verdict::True => "true",
            Verdict::Conditional => "it depends",
            Verdict::Outdated => "no longer true",
            Verdict::Wrong => "wrong",
            Verdict::Platform => "depends on the system",
            Verdict::Opinion => "a matter of opinion",
        }
    }

    fn from_name(name: &str) -> Option<Verdict> {
        Verdict::ALL
            .into_iter()
            .find(|verdict| verdict.name() == name)
    }
}

/// The claims of `chapters/<dir>/claims.toml`; none when there is no such file.
pub(crate) fn read(root: &Path, dir: &str, number: u32, problems: &mut Vec<Problem>) -> Vec<Claim> {
    let file = Path::new("chapters").join(dir).join("claims.toml");
    if !root.join(&file).exists() {
        return Vec::new();
    }
    let Some(text) = problem::read(root, &file, problems) else {
        return Vec::new();
    };
    let source = Source::new(&file, &text);
    let mut claims: Vec<Claim> = Vec::new();
    if let Some(document) = source.parse() {
        let mut fields = Fields::new(&source, document.get_ref(), document.span(), "claims.toml");
        for (table, span) in fields.tables("claim") {
            let claim = claim(
                &source,
                Fields::new(&source, table, span, "this claim"),
                number,
                &claims,
            );
            claims.extend(claim);
        }
        fields.finish();
    }
    missing_experiments(root, dir, &claims, problems);
    problems.extend(source.into_problems());
    claims
}

fn claim(
    source: &Source<'_>,
    mut fields: Fields<'_, '_>,
    number: u32,
    earlier: &[Claim],
) -> Option<Claim> {
    let line = source.line(&fields.span);
    let id = fields
        .text("id")
        .filter(|id| id_is_good(source, id, number, earlier));
    let ledger = fields.texts("ledger", false);
    let says = fields.text("says");
    let verdict = fields.text("verdict").and_then(|name| {
        let verdict = Verdict::from_name(name.get_ref());
        if verdict.is_none() {
            let names = Verdict::ALL.map(Verdict::name);
            source.wrong(
                name.span(),
                format!(
                    "verdict must be {}, not `{}`",
                    one_of(&names),
                    name.get_ref()
                ),
            );
        }
        verdict
    });
    let correction = fields.maybe_text("correction");
    if correction.is_none() && verdict.is_some_and(|verdict| verdict != Verdict::True) {
        let what =
            "this claim has no `correction`: unless the verdict is true, say what is so instead";
        source.wrong(fields.span.clone(), what);
    }
    let experiment = fields.maybe_text("experiment");
    let authority = fields.maybe_text("authority");
    let seen = fields.maybe_text("seen");
    let reads = fields.texts("reads", false);
    let span = fields.span.clone();
    fields.finish();

    let decided_by = match (experiment, authority) {
        (Some(experiment), None) => {
            if seen.is_none() {
                let what =
                    "this claim has no `seen`: record in a few words what the experiment showed";
                source.wrong(span, what);
            }
            if let Some(other) = earlier
                .iter()
                .find(|claim| claim.experiment() == Some(experiment.get_ref()))
            {
                let what = format!(
                    "claim {} has this experiment already: give each claim its own",
                    other.id
                );
                source.wrong(experiment.span(), what);
            }
            Decider::Experiment(experiment.into_inner())
        }
        (None, Some(authority)) => Decider::Authority(authority.into_inner()),
        (both, _) => {
            let what = if both.is_some() {
                "both `experiment` and"
            } else {
                "neither `experiment` nor"
            };
            source.wrong(
                span,
                format!("this claim has {what} `authority`: it needs one of the two"),
            );
            return None;
        }
    };
    Some(Claim {
        id: id?.into_inner(),
        says: says?.into_inner(),
        verdict: verdict?,
        correction: correction.map(Spanned::into_inner),
        decided_by,
        seen: seen.map(Spanned::into_inner),
        reads: reads.into_iter().map(Spanned::into_inner).collect(),
        ledger: ledger.into_iter().map(Spanned::into_inner).collect(),
        file: source.file.clone(),
        line,
    })
}

fn id_is_good(source: &Source<'_>, id: &Spanned<String>, number: u32, earlier: &[Claim]) -> bool {
    let text = id.get_ref();
    let rest = text.strip_prefix(&format!("{number:02}."));
    if !rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric()))
    {
        source.wrong(
            id.span(),
            format!(
                "id must be `{number:02}.` and a number, such as `{number:02}.16`, not `{text}`"
            ),
        );
        return false;
    }
    if let Some(other) = earlier.iter().find(|claim| claim.id == *text) {
        source.wrong(
            id.span(),
            format!(
                "the claim on line {} has the id `{text}` too: choose another",
                other.line
            ),
        );
        return false;
    }
    true
}

fn missing_experiments(root: &Path, dir: &str, claims: &[Claim], problems: &mut Vec<Problem>) {
    let tests = Path::new("chapters").join(dir).join("tests");
    let code: String = problem::rust_files(root, &tests)
        .iter()
        .filter_map(|file| std::fs::read_to_string(root.join(file)).ok())
        .collect();
    for claim in claims {
        if let Some(name) = claim.experiment()
            && !defines(&code, name)
        {
            let what = format!(
                "claim {}: no file under {} has a `fn {name}`",
                claim.id,
                tests.display()
            );
            problems.push(Problem::on(&claim.file, claim.line, what));
        }
    }
}

/// Whether Rust text defines a function of this name. A look at the words, not a parser.
pub(crate) fn defines(code: &str, name: &str) -> bool {
    code.split("fn ").skip(1).any(|rest| {
        rest.trim_start()
            .strip_prefix(name)
            .is_some_and(|after| after.starts_with(['(', '<']))
    })
}
