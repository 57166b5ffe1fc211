//! The sections of the page, between comments with their names; a command replaces its own.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::{files, workspace};

/// The page with every section, and the page of a part, as seen from the root folder.
const PAGE: &str = "docs/benchmarks.md";
const PART: &str = "target/benchmarks.md";

/// Replaces a section of the page.
pub(super) fn write(name: &str, text: &str) -> Result<()> {
    let path = workspace::root().join(PAGE);
    let page = replaced(&files::read_text(&path)?, name, text);
    write_to(&path, PAGE, &page.with_context(|| format!("`{PAGE}`"))?)
}

/// Writes what is only a part of a section beside the page.
pub(super) fn write_part(text: &str) -> Result<()> {
    write_to(&workspace::root().join(PART), PART, text)
}

fn write_to(path: &Path, name: &str, text: &str) -> Result<()> {
    files::replace(path, text)?;
    println!("written: {name}");
    Ok(())
}

/// The page with another text between the comments of a section.
fn replaced(page: &str, name: &str, text: &str) -> Result<String> {
    let [begin, end] = [format!("<!-- {name} -->"), format!("<!-- /{name} -->")];
    for comment in [&begin, &end] {
        let count = page.matches(comment.as_str()).count();
        ensure!(count == 1, "expected `{comment}` once, found it {count} times");
    }
    let (before, rest) = page.split_once(&begin).expect("it was counted above");
    let (_, after) = rest.split_once(&end).with_context(|| format!("`{end}` comes first"))?;
    Ok(format!("{before}{begin}\n\n{}\n\n{end}{after}", text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(page: &str, expected: Result<&str, &str>) {
        let found = replaced(page, "gpu", "new\n").map_err(|error| error.to_string());
        assert_eq!(found, expected.map(str::to_owned).map_err(str::to_owned), "{page}");
    }

    #[test]
    fn a_section_is_replaced_alone() {
        check(
            "# A\n<!-- peers -->\nb\n<!-- /peers -->\n<!-- gpu -->\nold\n<!-- /gpu -->\nc\n",
            Ok(
                "# A\n<!-- peers -->\nb\n<!-- /peers -->\n<!-- gpu -->\n\nnew\n\n<!-- /gpu -->\nc\n",
            ),
        );
    }

    #[test]
    fn a_page_without_the_section_is_refused() {
        check("# A\n", Err("expected `<!-- gpu -->` once, found it 0 times"));
        check("<!-- gpu --> a", Err("expected `<!-- /gpu -->` once, found it 0 times"));
        check("<!-- /gpu --><!-- gpu -->", Err("`<!-- /gpu -->` comes first"));
        let twice = "<!-- gpu --><!-- gpu --><!-- /gpu -->";
        check(twice, Err("expected `<!-- gpu -->` once, found it 2 times"));
    }

    #[test]
    fn the_page_has_every_section() {
        let page = files::read_text(&workspace::root().join(PAGE)).expect("it is committed");
        for name in ["peers", "devices", "gpu"] {
            let again = replaced(&page, name, "new").expect("the comments are there");
            let again = replaced(&again, name, "more").expect("they stay");
            assert!(again.contains("\n\nmore\n\n") && !again.contains("\n\nnew\n\n"), "{name}");
        }
    }
}
