//! Links of the documentation lead to something that is there.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use anyhow::Result;

use super::Violation;
use crate::{files, workspace};

/// The folder of the book, and its table of contents.
const BOOK: &str = "docs/";
const SUMMARY: &str = "docs/SUMMARY.md";

/// The text of every page by its path, as seen from the root folder.
type Pages = BTreeMap<String, String>;

/// Links to files or headings that are not there, links that lead out of the book, and pages of the
/// book that its table of contents lacks.
pub(super) fn broken() -> Result<Vec<Violation>> {
    let root = workspace::root();
    let mut pages = Pages::new();
    for path in files::under(root)? {
        if path.extension().is_some_and(|extension| extension == "md") {
            pages.insert(files::relative(&path, root), files::read_text(&path)?);
        }
    }
    let pages = with_includes(&pages);
    let mut violations = unlisted(&pages);
    let exists = |path: &str| root.join(path).exists();
    violations.extend(pages.keys().flat_map(|page| broken_in(page, &pages, exists)));
    Ok(violations)
}

/// The pages as mdBook shows them: with the texts of others in the place of lines that include them.
fn with_includes(pages: &Pages) -> Pages {
    let included = |page: &str, line: &str| {
        let target = line.strip_prefix("{{#include ")?.strip_suffix("}}")?;
        pages.get(&resolve(page, target)?).cloned()
    };
    let lines = |page: &str, text: &str| -> Vec<String> {
        text.lines().map(|line| included(page, line).unwrap_or_else(|| line.to_owned())).collect()
    };
    pages.iter().map(|(page, text)| (page.clone(), lines(page, text).join("\n"))).collect()
}

fn unlisted(pages: &Pages) -> Vec<Violation> {
    let Some(summary) = pages.get(SUMMARY) else {
        return vec![Violation::new(SUMMARY, 1, "is missing")];
    };
    let listed: Vec<String> =
        links(summary).filter_map(|(_, target)| resolve(SUMMARY, file_of(target))).collect();
    let in_book = pages.keys().filter(|page| page.starts_with(BOOK) && *page != SUMMARY);
    let unlisted = in_book.filter(|page| !listed.contains(page));
    unlisted.map(|page| Violation::new(page, 1, format!("is not in {SUMMARY}"))).collect()
}

fn broken_in(page: &str, pages: &Pages, exists: impl Fn(&str) -> bool) -> Vec<Violation> {
    let wrong = |target: &str| {
        let Some(path) = resolve(page, file_of(target)).filter(|path| exists(path)) else {
            return Some(format!("`{target}` leads nowhere"));
        };
        if page.starts_with(BOOK) && !path.starts_with(BOOK) {
            return Some(format!("`{target}` leads out of the book"));
        }
        let (_, heading) = target.split_once('#')?;
        let is_there = pages.get(&path).is_none_or(|text| anchors(text).any(|it| it == heading));
        (!is_there).then(|| format!("`{target}` names a heading that is not there"))
    };
    let local = links(&pages[page]).filter(|(_, target)| !target.contains(':'));
    local.filter_map(|(line, target)| Some(Violation::new(page, line, wrong(target)?))).collect()
}

fn file_of(target: &str) -> &str {
    target.split_once('#').map_or(target, |(file, _)| file)
}

/// The path that a link of a page leads to, as seen from the root folder, unless it leads out of it.
fn resolve(page: &str, target: &str) -> Option<String> {
    if target.is_empty() {
        return Some(page.to_owned());
    }
    let mut path = PathBuf::new();
    for part in Path::new(page).parent()?.join(target).components() {
        match part {
            Component::ParentDir if !path.pop() => return None,
            Component::ParentDir | Component::CurDir => {}
            part => path.push(part),
        }
    }
    Some(files::relative(&path, Path::new("")))
}

/// The targets of all links, with the lines that they stand in.
fn links(text: &str) -> impl Iterator<Item = (usize, &str)> {
    prose(text).flat_map(|(line, text)| {
        let inline = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        let reference = text.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
        let targets = inline.map(|(target, _)| target).chain(reference.map(|(_, target)| target));
        targets.map(move |target| (line, target)).collect::<Vec<_>>()
    })
}

/// The lines outside of code blocks, counted from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_code = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        (!is_code && !is_fence).then_some((index + 1, line))
    })
}

/// The names of all headings as links have them.
fn anchors(text: &str) -> impl Iterator<Item = String> {
    prose(text).filter_map(|(_, line)| {
        let heading = line.strip_prefix('#')?.trim_start_matches('#').trim().to_lowercase();
        let letters = heading.chars().filter(|it| it.is_alphanumeric() || " -_".contains(*it));
        Some(letters.map(|letter| if letter == ' ' { '-' } else { letter }).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The violations of pages that lie in the same tree, by path and text.
    fn check(pages: &[(&str, &str)], expected: &[&str]) {
        let pages: Pages =
            pages.iter().map(|(page, text)| ((*page).to_owned(), (*text).to_owned())).collect();
        let found = pages.keys().flat_map(|page| {
            broken_in(page, &pages, |path| pages.contains_key(path) || path == "docs/a.svg")
        });
        let found: Vec<String> = found.map(|violation| violation.to_string()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn links_lead_to_files_and_headings() {
        let page = ("docs/b.md", "# It is `one`, too\n");
        check(&[("docs/a.md", "[b](b.md), ![a](a.svg), [b](b.md#it-is-one-too)"), page], &[]);
        check(&[("docs/a.md", "# A\n[a](#a) [far](https://a.b/c.md)"), page], &[]);
        check(&[("README.md", "[b](docs/b.md), [b](./docs/../docs/b.md)"), page], &[]);
        let nowhere = "docs/a.md:2: `c.md` leads nowhere";
        check(&[("docs/a.md", "\n[b](b.md), [c](c.md)"), page], &[nowhere]);
        check(&[("docs/a.md", "\n[c]: c.md"), page], &[nowhere]);
        let outside = "docs/a.md:1: `../../b.md` leads nowhere";
        check(&[("docs/a.md", "[b](../../b.md)"), page], &[outside]);
        let heading = "docs/a.md:1: `b.md#two` names a heading that is not there";
        check(&[("docs/a.md", "[b](b.md#two)"), page], &[heading]);
    }

    #[test]
    fn code_has_no_links() {
        check(&[("docs/a.md", "```rust\nlet a = b[0](c);\n```\n")], &[]);
        let behind = "docs/a.md:3: `c.md` leads nowhere";
        check(&[("docs/a.md", "```\n```\n[c](c.md)")], &[behind]);
    }

    #[test]
    fn the_book_links_to_itself_alone() {
        let out = "docs/a.md:1: `../README.md` leads out of the book";
        check(&[("README.md", ""), ("docs/a.md", "[r](../README.md)")], &[out]);
    }

    #[test]
    fn pages_are_seen_with_what_they_include() {
        let pages = [("A.md", "# Why\n[b](docs/b.md)"), ("docs/a.md", "{{#include ../A.md}}\n")];
        let pages = pages.map(|(page, text)| (page.to_owned(), text.to_owned()));
        let pages = with_includes(&pages.into());
        assert_eq!(pages["docs/a.md"], pages["A.md"]);
        let found = broken_in("docs/a.md", &pages, |path| path == "docs/b.md");
        let found: Vec<_> = found.iter().map(Violation::to_string).collect();
        assert_eq!(found, ["docs/a.md:2: `docs/b.md` leads nowhere"]);
    }

    #[test]
    fn every_page_is_in_the_table_of_contents() {
        let check = |summary: &str, expected: &[&str]| {
            let names = [SUMMARY, "docs/a.md", "docs/b/c.md", "README.md"];
            let texts = [summary, "", "", ""].map(str::to_owned);
            let pages = names.map(str::to_owned).into_iter().zip(texts).collect();
            let found: Vec<_> = unlisted(&pages).iter().map(Violation::to_string).collect();
            assert_eq!(found, expected, "{summary}");
        };
        check("[a](a.md) [c](b/c.md)", &[]);
        check("[a](a.md)", &["docs/b/c.md:1: is not in docs/SUMMARY.md"]);
    }
}
