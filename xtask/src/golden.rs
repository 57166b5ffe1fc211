//! The expected numbers of the tests, made anew by the reference.

mod compare;
mod safetensors;

use std::fs;
use std::path::{self, Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::counted::counted;
use crate::workspace::{self, WEIGHTS};
use crate::{files, python};

/// What makes the numbers of one case.
const SCRIPT: &str = "make.py";

/// The case that takes the folder of a real model.
const WITH_MODEL: &str = "minilm";

/// What takes heads through the command and back.
const ROUND_TRIP: &str = "crates/gating-cli/testdata/round_trip.py";

/// Where numbers are made to be compared.
const SCRATCH: &str = "target/golden-check";

/// What makes networks of full size.
const FULL_SCRIPT: &str = "crates/gating-encoders/testdata/full.py";
/// Where they are made, and the environment variable that tells the tests.
const FULL: (&str, &str) = ("target/golden-full", "GATING_FULL");

/// One `testdata/<case>` folder.
struct Case {
    folder: PathBuf,
    model: Option<PathBuf>,
}

/// Makes all numbers in place.
pub(crate) fn write(model: Option<PathBuf>) -> Result<()> {
    let python = python()?;
    for case in cases(model)? {
        case.make(&python, &case.folder)?;
    }
    Ok(())
}

/// Makes all numbers in a folder of their own and compares them with the committed ones; then takes
/// heads from PyTorch through the command and back to PyTorch.
pub(crate) fn check(model: Option<PathBuf>) -> Result<()> {
    let python = python()?;
    let scratch = workspace::root().join(SCRATCH);
    if scratch.exists() {
        fs::remove_dir_all(&scratch).context("cannot remove `target/golden-check`")?;
    }
    let mut differences = Vec::new();
    for case in cases(model)? {
        let made = scratch.join(case.name());
        case.make(&python, &made)?;
        differences.extend(compare::folders(&case.folder, &made)?);
    }
    differences.iter().for_each(|difference| println!("{difference}"));
    let count = counted(differences.len(), "difference");
    ensure!(differences.is_empty(), "{count} from the goldens");
    round_trip(None)
}

/// Takes heads from PyTorch through the command, as it is built for the tests with these features, and
/// back to PyTorch.
pub(crate) fn round_trip(features: Option<&str>) -> Result<()> {
    let python = python()?;
    let out = workspace::root().join(SCRATCH).join("round-trip");
    if out.exists() {
        fs::remove_dir_all(&out).context("cannot remove what the last round trip left")?;
    }
    // With a test, so that nothing is built twice: tests have features of their own.
    let build = ["build", "--workspace", "--locked", "--bin", "gating", "--test", "it"];
    let features = features.map(|features| ["--features", features]);
    workspace::run(workspace::cargo().args(build).args(features.iter().flatten()))?;
    println!("running {ROUND_TRIP}");
    let mut command = workspace::program(python);
    command.arg("-B").arg(workspace::root().join(ROUND_TRIP)).arg("--out").arg(out);
    workspace::run(command.arg("--gating").arg(workspace::built("debug", "gating")?))
}

/// Makes networks of full size, and runs the test that compares ours with them.
pub(crate) fn full() -> Result<()> {
    let (root, (folder, variable)) = (workspace::root(), FULL);
    let folder = root.join(folder);
    let mut make = workspace::program(python()?);
    workspace::run(make.arg("-B").arg(root.join(FULL_SCRIPT)).arg("--out").arg(&folder))?;
    let mut test = workspace::cargo();
    test.args(["test", "--workspace", "--locked", "--test", "it", "full", "--", "--nocapture"]);
    workspace::run(test.env(variable, folder))
}

/// Every case but those whose model is not at hand.
fn cases(model: Option<PathBuf>) -> Result<Vec<Case>> {
    let model = model.or_else(|| workspace::weights().map(PathBuf::from));
    let model = model.map(path::absolute).transpose().context("`--model` names no folder")?;
    let scripts = files::under(&workspace::root().join("crates"))?.into_iter();
    let folders = scripts.filter_map(|script| case_folder(&script).map(Path::to_owned));
    let (mut cases, mut left_out) = (Vec::new(), Vec::new());
    for folder in folders {
        let needs_model = folder.ends_with(WITH_MODEL);
        let model = model.clone().filter(|_| needs_model);
        let cases = if needs_model && model.is_none() { &mut left_out } else { &mut cases };
        cases.push(Case { folder, model });
    }
    for case in left_out {
        eprintln!("{} is left out: neither --model nor {WEIGHTS} is set", case.name());
    }
    Ok(cases)
}

/// The folder of a script, if it is one that makes a case.
fn case_folder(script: &Path) -> Option<&Path> {
    let folder = script.parent()?;
    let is_case = script.ends_with(SCRIPT) && folder.parent()?.ends_with("testdata");
    is_case.then_some(folder)
}

impl Case {
    fn name(&self) -> String {
        files::relative(&self.folder, workspace::root())
    }

    fn make(&self, python: &Path, out: &Path) -> Result<()> {
        println!("making {}", self.name());
        let mut command = workspace::program(python);
        command.arg("-B").arg(self.folder.join(SCRIPT)).arg("--out").arg(out);
        if let Some(model) = &self.model {
            command.arg("--model").arg(model);
        }
        workspace::run(&mut command)
    }
}

/// The Python of an environment that holds what the scripts import.
fn python() -> Result<PathBuf> {
    python::environment("golden-venv", "testdata/requirements.txt")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: Option<&str>) {
        assert_eq!(case_folder(Path::new(path)), expected.map(Path::new), "{path}");
    }

    #[test]
    fn a_case_is_a_script_in_testdata() {
        check("crates/a/testdata/loss/make.py", Some("crates/a/testdata/loss"));
        check("crates/a/testdata/loss/makes.py", None);
        check("crates/a/testdata/make.py", None);
        check("crates/a/src/loss/make.py", None);
    }
}
