//! Debian packages without root: apt, with lists and a cache of its own, checks the signatures.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{files, workspace};

/// The packages that the machine has, as the package manager keeps them.
const INSTALLED: &str = "/var/lib/dpkg/status";

/// Makes apt print, among others, where the machine's sources lie.
const SOURCES: [&str; 2] = ["update", "--print-uris"];

/// An apt that installs nothing.
pub(super) struct Apt {
    folder: PathBuf,
    configuration: PathBuf,
    backports: String,
}

impl Apt {
    /// Reads the lists of a release and its backports, from where the machine has the release.
    pub(super) fn update(folder: PathBuf, release: &str) -> Result<Self> {
        let listing = workspace::output(workspace::program("apt-get").args(SOURCES))?;
        let listing = String::from_utf8_lossy(&listing);
        let mirror = mirror(&listing, release)
            .with_context(|| format!("no source of apt is Debian's `{release}`"))?;
        let backports = format!("{release}-backports");
        let apt = Self { configuration: folder.join("apt.conf"), folder, backports };
        apt.configure(&format!(
            "deb {mirror} {release} main\ndeb {mirror} {} main\n",
            apt.backports
        ))?;
        super::run_aside(apt.get().arg("update"))?;
        Ok(apt)
    }

    /// Downloads packages, with all that they need and the machine does not have; gives the files.
    pub(super) fn download(&self, packages: &[&str]) -> Result<Vec<PathBuf>> {
        let mut get = self.get();
        get.args(["--yes", "--download-only", "--no-install-recommends", "--reinstall"]);
        get.args(["--target-release", &self.backports, "install"]).args(packages);
        super::run_aside(&mut get)?;
        let mut downloaded = files::under(&self.folder.join("cache/archives"))?;
        downloaded.retain(|path| path.extension().is_some_and(|extension| extension == "deb"));
        Ok(downloaded)
    }

    /// Prints only what went wrong.
    fn get(&self) -> Command {
        let mut command = workspace::program("apt-get");
        command.args(["--quiet=2", "--config-file"]).arg(&self.configuration);
        command
    }

    fn configure(&self, sources: &str) -> Result<()> {
        for folder in ["cache/archives/partial", "state/lists/partial"] {
            fs::create_dir_all(self.folder.join(folder))
                .context("cannot make the folders of apt")?;
        }
        // A copy, since apt locks the folder in which this lies.
        fs::copy(INSTALLED, self.folder.join("state/status"))
            .with_context(|| format!("cannot copy `{INSTALLED}`"))?;
        files::replace(&self.folder.join("sources.list"), sources)?;
        files::replace(&self.configuration, &configuration(&self.folder))
    }
}

/// Where the sources that apt prints have a release.
fn mirror<'a>(listing: &'a str, release: &str) -> Option<&'a str> {
    let end = format!("/dists/{release}/InRelease'");
    let addresses = listing.lines().filter_map(|line| line.split_whitespace().next());
    addresses.filter_map(|address| address.strip_prefix('\'')?.strip_suffix(&end)).next()
}

/// Read after the machine's own configuration, of which proxies and keys hold: nothing is written
/// outside of the folder, no hook of the machine runs, and what is not signed is an error.
fn configuration(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        r#"#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Get::AllowUnauthenticated "false";
APT::Update::Error-Mode "any";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Dir::Cache "{folder}/cache";
Dir::Cache::archives "archives";
Dir::State "{folder}/state";
Dir::State::lists "lists";
Dir::State::status "{folder}/state/status";
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(listing: &str, expected: Option<&str>) {
        assert_eq!(mirror(listing, "bookworm"), expected, "{listing}");
    }

    #[test]
    fn a_mirror_is_one_of_the_release() {
        let updates = "'http://a.b/debian/dists/bookworm-updates/InRelease' a.b_InRelease 0 \n";
        let release = "'http://c.d/debian/dists/bookworm/InRelease' c.d_InRelease 0 \n";
        check(updates, None);
        check(release, Some("http://c.d/debian"));
        check(&format!("{updates}{release}"), Some("http://c.d/debian"));
        check("'http://c.d/debian/dists/bookworm/main/binary-amd64/Packages.xz' p 0", None);
    }
}
