//! How a source file begins, how long it and its functions are, and what it does not say.

use super::Violation;

const MAX_FILE_LINES: usize = 600;
const MAX_FUNCTION_LINES: usize = 60;

/// What code does not say anywhere. The parts keep this file from breaking its own rule.
const UNWANTED: [&str; 5] = [
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("dbg", "!("),
    concat!("#[", "ignore"),
    concat!(".unwrap", "()"),
];
const ALLOW: [&str; 2] = [concat!("#[", "allow("), concat!("#![", "allow(")];

const RULES: [fn(&Source) -> Vec<Violation>; 6] =
    [no_module_doc, named_mod, long_file, long_functions, allows_without_reason, unwanted_code];

/// A source file in the layout of rustfmt.
pub(super) struct Source<'a> {
    /// As seen from the root folder.
    path: String,
    lines: Vec<&'a str>,
}

/// All violations in a file.
pub(super) fn check(source: &Source<'_>) -> Vec<Violation> {
    RULES.iter().flat_map(|rule| rule(source)).collect()
}

impl<'a> Source<'a> {
    pub(super) fn new(path: &str, text: &'a str) -> Self {
        Self { path: path.to_owned(), lines: text.lines().collect() }
    }

    fn violation(&self, index: usize, message: impl Into<String>) -> Violation {
        Violation::new(&self.path, index + 1, message)
    }

    /// The lines that are no comments, without their indentation.
    fn code(&self) -> impl Iterator<Item = (usize, &'a str)> {
        let lines = self.lines.iter().map(|line| line.trim_start()).enumerate();
        lines.filter(|(_, line)| !line.starts_with("//"))
    }

    /// The last line of the item that begins at a line.
    fn item_end(&self, start: usize) -> usize {
        let last = self.lines.len() - 1;
        let is_body = |&index: &usize| self.lines[index].ends_with(['{', ';', '}']);
        let body = (start..last).find(is_body).unwrap_or(last);
        if !self.lines[body].ends_with('{') {
            return body;
        }
        let closing = format!("{}}}", indentation(self.lines[start]));
        (body..last).find(|&index| self.lines[index] == closing).unwrap_or(last)
    }
}

fn indentation(line: &str) -> &str {
    &line[..line.len() - line.trim_start().len()]
}

fn no_module_doc(source: &Source<'_>) -> Vec<Violation> {
    match source.lines.first() {
        Some(line) if line.starts_with("//!") => Vec::new(),
        _ => vec![source.violation(0, "begins without a `//!` line")],
    }
}

fn named_mod(source: &Source<'_>) -> Vec<Violation> {
    let name = source.path.rsplit('/').next();
    let violation = || source.violation(0, "is a `mod.rs`, expected a file named after its module");
    (name == Some("mod.rs")).then(violation).into_iter().collect()
}

fn long_file(source: &Source<'_>) -> Vec<Violation> {
    let count = source.lines.len();
    let message = || format!("has {count} lines, expected at most {MAX_FILE_LINES}");
    let violation = || source.violation(MAX_FILE_LINES, message());
    (count > MAX_FILE_LINES).then(violation).into_iter().collect()
}

fn long_functions(source: &Source<'_>) -> Vec<Violation> {
    let violation = |(start, line)| {
        let name = function_name(line)?;
        let count = source.item_end(start) + 1 - start;
        let message =
            || format!("`{name}` has {count} lines, expected at most {MAX_FUNCTION_LINES}");
        (count > MAX_FUNCTION_LINES).then(|| source.violation(start, message()))
    };
    source.code().filter_map(violation).collect()
}

/// The name of the function that begins in a line.
fn function_name(line: &str) -> Option<&str> {
    let (qualifiers, rest) = match line.strip_prefix("fn ") {
        Some(rest) => ("", rest),
        None => line.split_once(" fn ")?,
    };
    let is_qualifier = |word: &str| {
        let is_word = ["async", "const", "default", "extern", "unsafe"].contains(&word);
        is_word || word.starts_with("pub") || word.starts_with('"')
    };
    let is_function = qualifiers.split_whitespace().all(is_qualifier);
    is_function.then(|| rest.split(['(', '<']).next().unwrap_or(rest))
}

fn allows_without_reason(source: &Source<'_>) -> Vec<Violation> {
    let is_allow = |line: &str| ALLOW.iter().any(|needle| line.contains(needle));
    let has_reason = |start: usize| {
        let lines = &source.lines[start..];
        let end = lines.iter().position(|line| line.contains(")]")).unwrap_or(lines.len() - 1);
        lines[..=end].iter().any(|line| line.contains("reason = "))
    };
    let allows = source.code().filter(|(index, line)| is_allow(line) && !has_reason(*index));
    allows.map(|(index, _)| source.violation(index, "allows a lint without a reason")).collect()
}

fn unwanted_code(source: &Source<'_>) -> Vec<Violation> {
    let violation = |(index, line): (usize, &str)| {
        let needle = UNWANTED.iter().find(|needle| line.contains(*needle))?;
        Some(source.violation(index, format!("`{needle}` is not wanted")))
    };
    source.code().filter_map(violation).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks a file that begins with a good line; the given lines follow it from line 2 on.
    fn check(path: &str, lines: &str, expected: &[&str]) {
        let text = format!("//! Good.\n{lines}");
        let found = super::check(&Source::new(path, &text));
        let found = found.iter().map(|found| format!("{}: {}", found.line, found.message));
        assert_eq!(found.collect::<Vec<_>>(), expected, "{path}: {lines}");
    }

    /// A function with so many lines, the first and the last included.
    fn function(head: &str, lines: usize) -> String {
        format!("{head} {{\n{}}}\n", "    let text = \"}\";\n".repeat(lines - 2))
    }

    #[test]
    fn files_begin_with_a_doc() {
        for text in ["", "// No doc.", "\n//! Late.", "use std::fmt;\n//! Late."] {
            let found = super::check(&Source::new("a.rs", text));
            let expected = [Violation::new("a.rs", 1, "begins without a `//!` line")];
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn modules_are_named() {
        check("src/head.rs", "", &[]);
        check("src/amod.rs", "", &[]);
        let expected = "1: is a `mod.rs`, expected a file named after its module";
        check("src/head/mod.rs", "", &[expected]);
    }

    #[test]
    fn files_and_functions_are_short() {
        check("a.rs", &"\n".repeat(599), &[]);
        check("a.rs", &"\n".repeat(600), &["601: has 601 lines, expected at most 600"]);
        check("a.rs", &function("fn f()", 60), &[]);
        let expected = &["2: `f` has 61 lines, expected at most 60"];
        check("a.rs", &function("fn f()", 61), expected);
        check("a.rs", &function("pub(crate) async fn f<T>()", 61), expected);
        check("a.rs", &function("unsafe extern \"C\" fn f()", 61), expected);
        check("a.rs", &function("fn f(\n    a: u8,\n) -> u8", 59), expected);
        check("a.rs", &format!("fn f();\n{}", function("mod a", 90)), &[]);
        check("a.rs", &format!("fn f() {{}}\n{}", function("mod a", 90)), &[]);
        check("a.rs", &function("let fn_ = || is fn so()", 90), &[]);
    }

    #[test]
    fn allowed_lints_have_a_reason() {
        let allow = concat!("#[", "allow(");
        check("a.rs", &format!("{allow}dead_code, reason = \"why\")]"), &[]);
        check("a.rs", &format!("{allow}\n    dead_code,\n    reason = \"why\"\n)]"), &[]);
        let expected = "2: allows a lint without a reason";
        check("a.rs", &format!("{allow}dead_code)]\nlet reason = 1;"), &[expected]);
        check("a.rs", &format!("{allow}\n    dead_code\n)]\nlet reason = 1;"), &[expected]);
        check("a.rs", &format!("#!{}dead_code)]", &allow[1..]), &[expected]);
    }

    #[test]
    fn some_words_are_not_wanted() {
        for needle in UNWANTED {
            check("a.rs", &format!("    {needle}"), &[&format!("2: `{needle}` is not wanted")]);
            check("a.rs", &format!("    // {needle}"), &[]);
        }
    }
}
