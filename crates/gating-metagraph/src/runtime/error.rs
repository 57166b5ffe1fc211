//! What can be wrong with an answer of the runtime.

use std::fmt;

use crate::counted::counted;

/// Where an answer is not what its layout says, and how.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DecodeError {
    /// The field, such as `axons[3].port`; empty where the answer as a whole is wrong.
    pub field: String,
    /// How many bytes of the answer come before the wrong one.
    pub offset: usize,
    /// What is wrong there.
    pub problem: DecodeProblem,
}

/// What is wrong with the bytes of an answer.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeProblem {
    /// The answer ends within a value.
    #[error("expected {}, found {found}", counted(.expected, "more byte"))]
    End {
        /// How many bytes the value takes.
        expected: usize,
        /// How many are left.
        found: usize,
    },
    /// A truth value, or the mark of an optional one, is neither 0 nor 1.
    #[error("expected 0 or 1, found {found}")]
    NotBool {
        /// The byte that was found.
        found: u8,
    },
    /// A number is larger than its type.
    #[error("expected a number of {bits} bits, found {found}")]
    Range {
        /// How many bits its type has.
        bits: u32,
        /// The number.
        found: u128,
    },
    /// A number is larger than any type of the chain.
    #[error("a number of {bytes} bytes, expected at most 16")]
    TooLarge {
        /// How many bytes it takes.
        bytes: usize,
    },
    /// A number takes more bytes than it needs, which the chain never writes.
    #[error("a number has leading zeros")]
    NotShortest,
    /// A list is longer than the bytes that are left, or than there can be uids.
    #[error("a list of {}, expected at most {room} in what is left", counted(.found, "item"))]
    Length {
        /// How many items it says it has.
        found: u128,
        /// How many there can be.
        room: usize,
    },
    /// A row stands where another uid should.
    #[error("expected uid {expected}, found uid {found}")]
    UidOrder {
        /// The uid that should come.
        expected: usize,
        /// The uid that came.
        found: u16,
    },
    /// A row is of another subnet than the first one.
    #[error("expected a row of subnet {expected}, found subnet {found}")]
    MixedSubnets {
        /// The subnet of the first row.
        expected: u16,
        /// The subnet of this row.
        found: u16,
    },
    /// Something follows where the layout has its end.
    #[error("expected the end, found {}", counted(.found, "more byte"))]
    Trailing {
        /// How many bytes follow.
        found: usize,
    },
}

impl DecodeError {
    pub(super) fn new(offset: usize, problem: DecodeProblem) -> Self {
        Self { field: String::new(), offset, problem }
    }

    /// Says in which field it happened.
    pub(super) fn within(self, name: &str) -> Self {
        let field = match self.field.as_str() {
            "" => name.to_owned(),
            index if index.starts_with('[') => format!("{name}{index}"),
            inner => format!("{name}.{inner}"),
        };
        Self { field, ..self }
    }

    /// Says in which item of a list it happened.
    pub(super) fn at(self, index: usize) -> Self {
        self.within(&format!("[{index}]"))
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, offset, problem } = self;
        f.write_str("the answer is wrong ")?;
        if !field.is_empty() {
            write!(f, "in {field} ")?;
        }
        write!(f, "at byte {offset}: {problem}")
    }
}

impl std::error::Error for DecodeError {}

/// Why an answer that can be read is no metagraph.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ColumnsError {
    /// The answer lacks what no metagraph can do without.
    #[error("the answer has no {column}")]
    Missing {
        /// The name of the column.
        column: &'static str,
    },
    /// The answer is about another subnet than the question.
    #[error("expected an answer about subnet {expected}, found subnet {found}")]
    OtherSubnet {
        /// The subnet that was asked for.
        expected: u16,
        /// The subnet of the answer.
        found: u16,
    },
    /// The answer is about another block than the question.
    #[error("expected an answer about block {expected}, found block {found}")]
    OtherBlock {
        /// The block that was asked for.
        expected: u64,
        /// The block of the answer.
        found: u64,
    },
    /// A column has more or fewer items than there are uids.
    #[error("expected {expected} {column}, found {found}")]
    Length {
        /// The name of the column.
        column: &'static str,
        /// How many uids there are.
        expected: usize,
        /// How many items the column has.
        found: usize,
    },
    /// The hotkey of a uid is the empty key: nobody holds it, or the answer is torn.
    #[error("uid {uid} has no hotkey")]
    ZeroHotkey {
        /// The uid.
        uid: usize,
    },
    /// The rows are no metagraph.
    #[error(transparent)]
    Metagraph(#[from] crate::Error),
}
