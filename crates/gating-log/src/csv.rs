//! Tables as pandas exports them: lists as Python literals.

use crate::event::Parts;
use crate::literal;
use crate::log::Record;
use crate::time::{finite, moment};
use crate::{BadLine, Error};

/// Where in a row the parts of an event stand.
#[derive(Debug)]
pub(crate) struct Columns {
    count: usize,
    prompt: usize,
    uids: usize,
    rewards: usize,
    name: Option<usize>,
    block: Option<usize>,
    time: Option<usize>,
}

impl Columns {
    /// The columns that a first line names; none where it names nothing of an event.
    pub(crate) fn find(line: &[u8]) -> Result<Option<Self>, Error> {
        let is_json = line.trim_ascii_start().starts_with(b"{");
        let Some(cells) = split(line).filter(|_| !is_json) else { return Ok(None) };
        let at = |names: &[&str]| {
            names.iter().find_map(|name| cells.iter().position(|cell| cell == name.as_bytes()))
        };
        let (prompt, uids, rewards) = (at(&["prompt", "message"]), at(&["uids"]), at(&["rewards"]));
        if prompt.or(uids).or(rewards).is_none() {
            return Ok(None);
        }
        let missing = |column| Error::NoColumn { column };
        Ok(Some(Self {
            count: cells.len(),
            prompt: prompt.ok_or(missing("prompt"))?,
            uids: uids.ok_or(missing("uids"))?,
            rewards: rewards.ok_or(missing("rewards"))?,
            name: at(&["name"]),
            block: at(&["block"]),
            time: at(&["_timestamp", "timestamp"]),
        }))
    }

    /// What a row says.
    pub(crate) fn parse(&self, row: &[u8]) -> Record {
        match self.parts(row) {
            // Rows of other things stand in the same table, with these cells empty.
            Ok(parts) if parts.is_empty() => Record::Other,
            Ok(parts) => parts.into_record(),
            Err(problem) => Record::Bad(problem),
        }
    }

    fn parts(&self, row: &[u8]) -> Result<Parts, BadLine> {
        let mut cells = split(row).ok_or(BadLine::OpenQuote)?;
        if cells.len() != self.count {
            return Err(BadLine::Cells { expected: self.count, found: cells.len() });
        }
        let mut cell = |column: &'static str, at: usize| {
            let bytes = std::mem::take(&mut cells[at]);
            let text = String::from_utf8(bytes).map_err(|_| BadLine::NotText { column })?;
            Ok(Some(text).filter(|text| !text.is_empty()))
        };
        let uids = list("uids", cell("uids", self.uids)?)?;
        let rewards = list("rewards", cell("rewards", self.rewards)?)?;
        let mut optional = |column, at: Option<usize>| match at {
            Some(at) => cell(column, at),
            None => Ok(None),
        };
        let (name, block) = (optional("name", self.name)?, optional("block", self.block)?);
        let time = optional("_timestamp", self.time)?;
        Ok(Parts {
            prompt: cell("prompt", self.prompt)?,
            uids,
            rewards,
            name,
            block: block.as_deref().and_then(finite),
            time: time.as_deref().and_then(moment),
        })
    }
}

fn list(column: &'static str, text: Option<String>) -> Result<Option<Vec<Option<f64>>>, BadLine> {
    let numbers = text.map(|text| literal::numbers(&text)).transpose();
    numbers.map_err(|source| BadLine::Literal { column, source })
}

/// Whether a line opens a quoted cell that goes on in the next one, or closes such a cell.
pub(crate) fn opens(line: &[u8]) -> bool {
    // A quote within a quoted cell is doubled, which does not change what is odd.
    line.iter().filter(|&&byte| byte == b'"').count() % 2 == 1
}

/// The cells of a row, without quotes; none where a quoted cell is not closed.
fn split(row: &[u8]) -> Option<Vec<Vec<u8>>> {
    let row = row.strip_suffix(b"\n").unwrap_or(row);
    let row = row.strip_suffix(b"\r").unwrap_or(row);
    let (mut cells, mut cell) = (Vec::new(), Vec::new());
    let mut is_quoted = false;
    let mut bytes = row.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' if is_quoted && bytes.next_if_eq(&b'"').is_some() => cell.push(b'"'),
            b'"' => is_quoted = !is_quoted,
            b',' if !is_quoted => cells.push(std::mem::take(&mut cell)),
            byte => cell.push(byte),
        }
    }
    cells.push(cell);
    (!is_quoted).then_some(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_split(row: &str, expected: Option<&[&str]>) {
        let cells = split(row.as_bytes());
        let expected =
            expected.map(|cells| cells.iter().map(|cell| cell.as_bytes().to_vec()).collect());
        assert_eq!(cells, expected, "{row}");
    }

    #[test]
    fn rows_are_cut_into_cells() {
        check_split("", Some(&[""]));
        check_split("a,b,\r\n", Some(&["a", "b", ""]));
        check_split("\"a,b\",\"c \"\"d\"\"\ne\"\n", Some(&["a,b", "c \"d\"\ne"]));
        check_split("\"\",x", Some(&["", "x"]));
        check_split("\"a,b", None);
    }

    fn check(row: &str, expected: &str) {
        let columns = Columns::find(b",prompt,uids,rewards,name,block,_timestamp");
        let columns = columns.expect("all are named").expect("it is a table of events");
        let found = match columns.parse(row.as_bytes()) {
            Record::Event(event) => {
                let uids: Vec<u16> = event.uids.iter().map(|uid| uid.get()).collect();
                format!("{} {uids:?} {:?} {:?}", event.prompt, event.rewards, event.time)
            }
            Record::Other => "other".to_owned(),
            Record::Bad(problem) | Record::Unfinished(problem) => problem.to_string(),
        };
        assert_eq!(found, expected, "{row}");
    }

    #[test]
    fn rows_are_events() {
        check(
            "0,hi,\"[1, 2]\",\"[0.5, nan]\",n,7.0,1970-01-01 00:00:09.5",
            "hi [1, 2] [0.5, NaN] Some(9.5)",
        );
        check("0,\"a\n\"\"b\"\"\",[1],[2],,,12", "a\n\"b\" [1] [2.0] Some(12.0)");
        check("0,hi,[1],[2],,inf,nan", "hi [1] [2.0] None");
        check("7,,,,,,", "other");
        check("7,hi,,,,,", "the event lacks `uids`");
        check("7,hi,[1],[1]", "4 cells, expected 7 as in the first line");
        check("7,hi,[1],all,,,", "`rewards` is no list of numbers");
        check("7,\"hi,[1],[1],,,", "a quoted cell is not closed");
    }

    #[test]
    fn a_first_line_names_columns() {
        let find = |line: &str| Columns::find(line.as_bytes());
        assert!(find("{\"prompt\": 1, \"uids\": 2}").is_ok_and(|columns| columns.is_none()));
        assert!(find("noise").is_ok_and(|columns| columns.is_none()));
        let error = find("prompt,uids,reward").expect_err("rewards are missing");
        assert_eq!(error.to_string(), "the first line names columns, but not `rewards`");
    }
}
