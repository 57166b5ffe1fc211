//! Every setting, from the file with all of them that the program writes.

use anyhow::{Result, ensure};

/// A table of the settings in a file of `gating config init`.
pub(super) fn table(file: &str) -> Result<String> {
    let mut table = "| argument | environment | default | what |\n|---|---|---|---|\n".to_owned();
    let (mut parent, mut about, mut count) = ("", "", 0);
    for line in file.lines() {
        if let Some(name) = line.strip_prefix('[') {
            parent = name.trim_end_matches(']');
        } else if let Some((name, value)) = setting(line) {
            let name = if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") };
            table.push_str(&row(&name, value, about));
            count += 1;
        } else if let Some(text) = line.strip_prefix("# ") {
            about = text;
        }
    }
    ensure!(count > 0, "`gating config init` prints no settings");
    Ok(table)
}

/// The name and value of a line such as `# momentum = 0.9`.
fn setting(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.strip_prefix("# ")?.split_once(" = ")?;
    (!name.contains(' ')).then_some((name, value))
}

fn row(name: &str, value: &str, about: &str) -> String {
    let variable = name.replace('.', "__").to_uppercase();
    let value = value.trim_matches('"');
    let value = if value.is_empty() { "none".to_owned() } else { format!("`{value}`") };
    format!("| `--{name}` | `{variable}` | {value} | {about} |\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_a_row() {
        let file = "# All.\n\n# The seed\n# seed = 0\n\n[gating]\n\n# How: a = b\n# name = \"x\"\n";
        let table = table(file).expect("there are two");
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(rows[1], "| `--gating.name` | `GATING__NAME` | `x` | How: a = b |");
        assert_eq!(rows.len(), 2);
        let error = super::table("# All.\n").expect_err("there are none");
        assert_eq!(error.to_string(), "`gating config init` prints no settings");
    }
}
