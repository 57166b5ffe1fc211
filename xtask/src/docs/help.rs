//! The help of every command.

use anyhow::Result;

use super::Gating;

/// What all commands have in common, which the first one shows.
const COMMON: [&str; 2] = ["Output:", "Settings:"];

/// The help of the program, and of each command below it.
pub(super) fn page(gating: &Gating<'_>) -> Result<String> {
    let first = gating.print(&["--help"])?;
    let mut page = section("gating", first.trim_end());
    let mut left = below("gating", &first);
    while let Some(path) = left.pop() {
        let arguments: Vec<&str> = path.split(' ').skip(1).chain(["--help"]).collect();
        let help = gating.print(&arguments)?;
        page.push_str(&section(&path, &own(&help)));
        left.extend(below(&path, &help));
    }
    Ok(page)
}

fn section(title: &str, help: &str) -> String {
    format!("## {title}\n\n```text\n{}\n```\n\n", help.trim_end())
}

/// The commands below one, the first of them last: they are taken from the end.
fn below(path: &str, help: &str) -> Vec<String> {
    subcommands(help).iter().rev().map(|name| format!("{path} {name}")).collect()
}

/// The names under *Commands*, but for the one that prints this.
fn subcommands(help: &str) -> Vec<&str> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = lines.take_while(|line| !line.is_empty());
    let names = names.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect()
}

/// The help without what holds for every command.
fn own(help: &str) -> String {
    let mut is_common = false;
    let lines = help.lines().filter(|line| {
        if !line.starts_with(' ') && line.ends_with(':') {
            is_common = COMMON.contains(line);
        }
        !is_common
    });
    lines.map(|line| format!("{}\n", line.trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELP: &str = "About

Usage: gating a [OPTIONS]

Commands:
  one   The first
        in two lines
  help  Print this

Options:
  -h, --help
          Print help
 
Output:
      --format <FORMAT>

          Possible values:
          - text: For people
";

    #[test]
    fn commands_are_found_under_their_heading() {
        assert_eq!(subcommands(HELP), ["one"]);
        assert_eq!(subcommands("Usage: gating"), [""; 0]);
    }

    #[test]
    fn what_all_have_in_common_is_left_out() {
        let own = own(HELP);
        assert!(own.ends_with("          Print help\n\n"), "{own}");
        assert!(!own.contains("--format"), "{own}");
    }
}
