//! Releases of a workspace of two crates, in a folder of its own.

use std::path::PathBuf;

use super::*;

const ROOT: &str = "\
[workspace]
members = [\"one\", \"two\", \"tool\"]
resolver = \"3\"

[workspace.package]
version = \"0.1.0\"

[workspace.dependencies]
fixture-one = { path = \"one\", version = \"0.1.0\" }
";

const CHANGES: &str = "# Changes\n\n## Unreleased\n\n### Added\n\n- one\n";

const MINOR: Options =
    Options { level: Level::Minor, outcome: Outcome::Kept, packages: Packages::Packed };

/// A repository that is removed when the test ends.
struct Fixture {
    folder: PathBuf,
    home: Checkout,
}

impl Fixture {
    fn new(name: &str) -> Self {
        let folder = workspace::root().join("target/release-tests").join(name);
        remove(&folder).expect("the folder is ours");
        let fixture = Self { home: Checkout::new(&folder.join("home")), folder };
        fixture.write(MANIFEST, ROOT);
        fixture.write(CHANGELOG, CHANGES);
        fixture.write(".gitignore", "/target\n");
        fixture.write(".cargo/config.toml", "[net]\noffline = true\n");
        fixture.member("one", "");
        fixture.member("two", "[dependencies]\nfixture-one.workspace = true\n");
        fixture.member("tool", "[dependencies]\nfixture-one.workspace = true\n");
        let tool = fixture.home.read("tool/Cargo.toml").expect("it was written");
        fixture.write("tool/Cargo.toml", &tool.replace("[package]", "[package]\npublish = false"));
        fixture.git(&["init", "--quiet", "--initial-branch", BRANCH]);
        fixture.git(&["config", "user.name", "Somebody"]);
        fixture.git(&["config", "user.email", "somebody@example.org"]);
        fixture.write(
            examples::MANIFEST,
            "[package]\nname = \"fixture-example\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [dependencies]\nfixture-one.path = \"../one\"\n",
        );
        fixture.write("examples/src/main.rs", "//! A test.\n\nfn main() {}\n");
        lock(&fixture.home).expect("nothing is needed");
        fixture.commit();
        fixture
    }

    fn member(&self, name: &str, dependencies: &str) {
        let package = format!(
            "[package]\nname = \"fixture-{name}\"\nversion.workspace = true\nedition = \"2024\"\n\
             license = \"MIT\"\ndescription = \"A test\"\nrepository = \"https://example.org\"\n\n"
        );
        self.write(&format!("{name}/Cargo.toml"), &format!("{package}{dependencies}"));
        self.write(&format!("{name}/src/lib.rs"), "//! A test.\n");
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.home.path(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("it can be made");
        fs::write(path, text).expect("it can be written");
    }

    fn git(&self, arguments: &[&str]) -> String {
        self.home.git(arguments).expect("git works")
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "Begin"]);
    }

    fn release(&self, options: Options) -> Result<()> {
        release(&self.home, &self.folder.join("clone"), options)
    }

    /// Commits, tags, branch and what is not committed: all that a release could change.
    fn state(&self) -> String {
        let commands: [&[&str]; 3] =
            [&["log", "--format=%H %D", "--all"], &["status", "--porcelain"], &["branch"]];
        commands.map(|command| self.git(command)).join("\n")
    }

    /// A release that is refused, for this reason, and changes nothing.
    fn refuses(&self, options: Options, expected: &str) {
        let before = self.state();
        let error = self.release(options).expect_err(expected);
        assert_eq!(error.to_string(), expected);
        assert_eq!(self.state(), before);
        assert!(!self.folder.join("clone").exists());
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        // What is left is removed by the next run.
        let _: Result<()> = remove(&self.folder);
    }
}

#[test]
fn a_release_has_versions_a_changelog_and_a_tag() {
    let fixture = Fixture::new("whole");
    fixture.release(MINOR).expect("it can be released");
    let home = &fixture.home;
    let manifest = home.read(MANIFEST).expect("it is there");
    assert_eq!(manifest, ROOT.replace("0.1.0", "0.2.0"));
    let changes = home.read(CHANGELOG).expect("it is there");
    assert!(changes.starts_with("# Changes\n\n## Unreleased\n\n## 0.2.0 - 20"), "{changes}");
    let lock = home.read("Cargo.lock").expect("it is there");
    assert_eq!(lock.matches("version = \"0.2.0\"").count(), 3, "{lock}");
    let lock = home.read("examples/Cargo.lock").expect("it is there");
    assert_eq!(lock.matches("version = \"0.2.0\"").count(), 1, "{lock}");
    assert_eq!(fixture.git(&["log", "-1", "--format=%s (%an)"]), "Release 0.2.0 (Somebody)");
    assert_eq!(fixture.git(&["describe", "--exact-match"]), "v0.2.0");
    assert_eq!(fixture.git(&["status", "--porcelain"]), "");
    fixture.refuses(MINOR, "`CHANGELOG.md` tells nothing under `## Unreleased`");
}

#[test]
fn another_release_knows_the_one_before() {
    let fixture = Fixture::new("again");
    fixture.release(MINOR).expect("it can be released");
    assert_eq!(fixture.home.last_tag("v[0-9]*").as_deref(), Some("v0.2.0"));
    let was_released = |name: &str, tag: &str| {
        let library = members::Library { name: name.to_owned(), features: Vec::new() };
        interfaces::was_released(&fixture.home, &library, tag).ok()
    };
    assert_eq!(was_released("fixture-one", "v0.2.0"), Some(true));
    assert_eq!(was_released("fixture-o", "v0.2.0"), Some(false));
    assert_eq!(was_released("fixture-one", "v0.3.0"), None);
    let changes = fixture.home.read(CHANGELOG).expect("it is there");
    fixture.write(CHANGELOG, &changes.replace("## Unreleased\n", "## Unreleased\n\n- two\n"));
    fixture.commit();
    fixture.release(Options { level: Level::Patch, ..MINOR }).expect("nothing has changed");
    assert_eq!(fixture.git(&["describe", "--exact-match"]), "v0.2.1");
}

#[test]
fn a_clone_has_the_author_that_git_knows() {
    let fixture = Fixture::new("author");
    fixture.git(&["config", "author.name", "Writer"]);
    let clone = fixture.home.clone_to(&fixture.folder.join("clone"), BRANCH).expect("a clone");
    clone.git(&["commit", "--quiet", "--allow-empty", "--message", "New"]).expect("git works");
    let found = clone.git(&["log", "-1", "--format=%an <%ae>, %cn"]).expect("git works");
    assert_eq!(found, "Writer <somebody@example.org>, Somebody");
}

#[test]
fn a_branch_that_went_on_meanwhile_gets_no_tag() {
    let fixture = Fixture::new("meanwhile");
    let clone = fixture.home.clone_to(&fixture.folder.join("clone"), BRANCH).expect("a clone");
    make(&clone, MINOR).expect("it can be released");
    fixture.write("one/new.txt", "new");
    fixture.commit();
    let before = fixture.state();
    fixture.home.take(&clone, "v0.2.0").expect_err("that is no fast-forward");
    assert_eq!(fixture.state(), before);
}

#[test]
fn a_dry_run_changes_nothing_and_needs_no_clean_tree() {
    let fixture = Fixture::new("dry");
    fixture.git(&["checkout", "--quiet", "--detach"]);
    fixture.write("one/new.txt", "new");
    let before = fixture.state();
    let dry = Options { outcome: Outcome::Dropped, ..MINOR };
    fixture.release(dry).expect("it could be released");
    assert_eq!(fixture.state(), before);
    fixture.refuses(MINOR, "not committed: one/new.txt; the branch is `HEAD`, expected `main`");
}

#[test]
fn what_cannot_be_released_is_refused() {
    let fixture = Fixture::new("refused");
    fixture.git(&["config", "user.name", ""]);
    fixture.refuses(MINOR, "git knows no `user.name` and `user.email`");
    fixture.git(&["config", "user.name", "Somebody"]);
    fixture.git(&["tag", "v0.1.0"]);
    let first = Options { level: Level::First, ..MINOR };
    fixture.refuses(first, "there is a tag `v0.1.0` already");
    fixture.git(&["tag", "--delete", "v0.1.0"]);
    // A crate that packs a file which is not there.
    let one = fixture.home.read("one/Cargo.toml").expect("it was written");
    fixture.write("one/Cargo.toml", &one.replace("license = \"MIT\"", "license-file = \"NONE\""));
    fixture.commit();
    let before = fixture.state();
    fixture.release(MINOR).expect_err("a license is missing");
    assert_eq!(fixture.state(), before);
}
