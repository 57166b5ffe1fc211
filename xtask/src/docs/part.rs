//! The part of a page that is made anew, between two comments.

use anyhow::{Context, Result};

/// The page with another text between the comments of this name.
pub(super) fn replaced(page: &str, name: &str, text: &str) -> Result<String> {
    let begin = format!("<!-- begin {name}: written by `cargo xtask docs` -->\n");
    let end = format!("<!-- end {name} -->\n");
    let (before, rest) =
        page.split_once(&begin).with_context(|| format!("a page lacks the line {begin:?}"))?;
    let (_, after) =
        rest.split_once(&end).with_context(|| format!("a page lacks the line {end:?}"))?;
    Ok(format!("{before}{begin}\n{}\n\n{end}{after}", text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: &str = "<!-- begin a: written by `cargo xtask docs` -->";

    #[test]
    fn only_the_part_changes() {
        let page = |text: &str| format!("# A\n{BEGIN}\n\n{text}\n\n<!-- end a -->\nend\n");
        let replaced = |page: &str, text: &str| replaced(page, "a", text).expect("it has the part");
        assert_eq!(replaced(&page("old"), "new\n"), page("new"));
        assert_eq!(replaced(&page("new"), "\nnew"), page("new"));
    }

    #[test]
    fn a_page_must_have_the_part() {
        let check = |page: &str, lacks: &str| {
            let error = replaced(page, "a", "new").expect_err(page).to_string();
            assert!(
                error.starts_with(&format!("a page lacks the line \"<!-- {lacks} a")),
                "{error}"
            );
        };
        check("# A\n", "begin");
        check(&format!("{BEGIN}\n"), "end");
    }
}
