// ANCHOR: text
//! How do two numbers and their sum travel, as text and as the bytes of a structure?

/// Adds the two numbers in a line of text: `1 2` is 3.
///
/// # Errors
///
/// A sentence for the client: not two numbers, or a sum beyond 64 bits.
pub fn sum_of_line(line: &[u8]) -> Result<i64, String> {
    let text = str::from_utf8(line).map_err(|_| "this is no text".to_owned())?;
    let numbers: Result<Vec<i64>, _> = text.split_whitespace().map(str::parse).collect();
    match numbers.as_deref() {
        Ok([a, b]) => a
            .checked_add(*b)
            .ok_or_else(|| "the sum is too large".to_owned()),
        _ => Err("send two numbers in a line".to_owned()),
    }
}
// ANCHOR_END: text

// ANCHOR: machine
/// What a C compiler makes of a `long` for some machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// What people call it.
    pub name: &'static str,
    /// Size of a `long`, in bytes.
    pub word: usize,
    /// Whether the high byte comes first.
    pub big_endian: bool,
}

/// Four machines, and at last an agreement that does not ask who speaks.
pub const MACHINES: [Machine; 5] = [
    Machine {
        name: "x86-64",
        word: 8,
        big_endian: false,
    },
    Machine {
        name: "i386",
        word: 4,
        big_endian: false,
    },
    Machine {
        name: "s390x",
        word: 8,
        big_endian: true,
    },
    Machine {
        name: "sparc",
        word: 4,
        big_endian: true,
    },
    Machine {
        name: "network",
        word: 8,
        big_endian: true,
    },
];

impl Machine {
    /// The machine of this name.
    ///
    /// # Errors
    ///
    /// A sentence that names those there are.
    pub fn named(name: &str) -> Result<Machine, String> {
        let found = MACHINES.into_iter().find(|machine| machine.name == name);
        let names: Vec<&str> = MACHINES.iter().map(|machine| machine.name).collect();
        found.ok_or_else(|| format!("there is no {name:?}; there are {}", names.join(", ")))
    }

    /// `number` as this machine has it in memory. What does not fit is cut off, as C does it.
    pub fn bytes_of(self, number: i64) -> Vec<u8> {
        let mut bytes = number.to_le_bytes()[..self.word].to_vec();
        if self.big_endian {
            bytes.reverse();
        }
        bytes
    }

    /// The number that this machine sees in `bytes`, of which there are [`Machine::word`].
    pub fn number_in(self, bytes: &[u8]) -> i64 {
        let mut little = bytes.to_vec();
        if self.big_endian {
            little.reverse();
        }
        // The sign stands in the highest bit, wherever that is.
        let negative = little.last().is_some_and(|&high| high >= 0x80);
        little.resize(8, if negative { 0xff } else { 0 });
        little
            .iter()
            .rev()
            .fold(0, |number, &byte| number << 8 | i64::from(byte))
    }
}
// ANCHOR_END: machine
