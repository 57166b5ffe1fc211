//! What can be wrong with a metagraph.

use crate::counted::counted;
use crate::{BlockHash, Format, Hotkey, ParseKeyError, Uid};

/// What can be wrong with a metagraph.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There are more neurons than uids to number them.
    #[error("a metagraph of {found} uids, expected at most {}", Uid::COUNT)]
    TooManyUids {
        /// How many there are.
        found: usize,
    },
    /// A hotkey holds two uids.
    #[error("hotkey {hotkey} holds uid {first} and uid {second}")]
    RepeatedHotkey {
        /// The hotkey.
        hotkey: Hotkey,
        /// The lower uid.
        first: Uid,
        /// The higher uid.
        second: Uid,
    },
    /// Two snapshots are of different subnets.
    #[error("expected a metagraph of subnet {expected}, found subnet {found}")]
    OtherSubnet {
        /// The subnet of the first snapshot.
        expected: u16,
        /// The subnet of the second snapshot.
        found: u16,
    },
    /// Two snapshots are of different networks.
    #[error("expected a metagraph of the network with genesis {expected}, found {found}")]
    OtherNetwork {
        /// The genesis of the first snapshot.
        expected: BlockHash,
        /// The genesis of the second snapshot.
        found: BlockHash,
    },
    /// A column has not one row for each that a plan is made for.
    #[error("expected a column of {}, found {found}", counted(.expected, "row"))]
    NumRows {
        /// How many rows the plan is made for.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// The bytes of a file are of no kind that is known.
    #[error("expected a metagraph, found {found}")]
    UnknownFormat {
        /// What there is instead.
        found: String,
    },
    /// A text that begins like JSON is none.
    #[error("expected a metagraph in JSON")]
    NotJson {
        /// Where it ends to be JSON.
        source: serde_json::Error,
    },
    /// A JSON document does not hold what its format says.
    #[error("the {format} is wrong at `{path}`")]
    Json {
        /// What the document was taken for.
        format: Format,
        /// Where in the document.
        path: String,
        /// What was expected there.
        source: serde_json::Error,
    },
    /// A column has not one value for each uid.
    #[error("`{name}` of the {format} has {}, expected {expected}", counted(.found, "value"))]
    Column {
        /// What the file was taken for.
        format: Format,
        /// The column.
        name: &'static str,
        /// How many uids there are.
        expected: usize,
        /// How many values there are.
        found: usize,
    },
    /// Two rows are of the same uid.
    #[error("uid {uid} stands in the {format} twice")]
    RepeatedUid {
        /// What the file was taken for.
        format: Format,
        /// The uid.
        uid: Uid,
    },
    /// No row is of a uid, though one is of a higher uid.
    #[error("the {format} has {}, but lacks uid {uid}", counted(.found, "uid"))]
    MissingUid {
        /// What the file was taken for.
        format: Format,
        /// The lowest uid without a row.
        uid: Uid,
        /// How many rows there are.
        found: usize,
    },
    /// A value is not what it should be.
    #[error("expected {expected} at `{place}` of the {format}, found {found}")]
    Value {
        /// What the file was taken for.
        format: Format,
        /// Where in the file.
        place: String,
        /// What should be there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A key is not SS58.
    #[error("expected a key at `{place}` of the {format}")]
    Key {
        /// What the file was taken for.
        format: Format,
        /// Where in the file.
        place: String,
        /// What is wrong with it.
        source: ParseKeyError,
    },
    /// The elements of an array are not what they should be.
    #[error("the array at `{place}` of the {format} cannot be used")]
    Array {
        /// What the file was taken for.
        format: Format,
        /// Where in the file.
        place: String,
        /// What is wrong with it.
        source: gating_arrays::ArrayError,
    },
    /// A file of PyTorch or NumPy is damaged, or does what no metagraph does.
    #[error("expected a metagraph in a file of PyTorch or NumPy")]
    Arrays(#[from] gating_arrays::Error),
    /// There is no writer for a format.
    #[error("a metagraph cannot be written as {format}")]
    NotWritable {
        /// The format.
        format: Format,
    },
    /// Pages of taostats are missing.
    #[error("expected the {} of all taostats pages, found {found}", counted(.expected, "uid"))]
    Pages {
        /// How many uids the pages say that there are.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// The network changed while its pages were fetched.
    #[error("the taostats pages disagree on `{name}`: {one} and {other}; fetch them again")]
    TornPages {
        /// The field.
        name: &'static str,
        /// What one row or page says.
        one: String,
        /// What another says.
        other: String,
    },
    /// Several files make one metagraph only as pages of taostats.
    #[error("expected pages of taostats, found the {found}")]
    NotPages {
        /// What one of the files was taken for.
        found: Format,
    },
    /// A JSON document says that it is something else than a snapshot.
    #[error("expected format `{expected}`, found `{found}`")]
    Format {
        /// The name of the snapshot format.
        expected: &'static str,
        /// The name in the document.
        found: String,
    },
    /// A snapshot was written by a newer program.
    #[error("expected version {expected} or older of the snapshot format, found {found}")]
    Version {
        /// The newest version that can be read.
        expected: u32,
        /// The version of the snapshot.
        found: u32,
    },
    /// The uids of a snapshot have a gap or are out of order.
    #[error("expected uid {expected} next, found uid {found}")]
    UidOrder {
        /// The uid that should come.
        expected: usize,
        /// The uid that came.
        found: u16,
    },
    /// A folder that holds no saved metagraphs.
    #[error(
        "no metagraph in {}, expected `block-<block>.pt` in it, in `netuid-<netuid>` or in \
         `network-<network>/netuid-<netuid>`",
        folder.display()
    )]
    NoHistory {
        /// The folder.
        folder: std::path::PathBuf,
    },
    /// A saved metagraph is of another block than the name of its file says.
    #[error("{} is of block {found}, expected {expected}", path.display())]
    OtherBlock {
        /// The file.
        path: std::path::PathBuf,
        /// The block of its name.
        expected: u64,
        /// The block that it holds.
        found: u64,
    },
    /// A file cannot be read or written.
    #[error("cannot access {}", path.display())]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}
