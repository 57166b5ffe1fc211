//! Whether the loader finds everything that a library needs.

use std::path::Path;

use anyhow::{Result, ensure};

use super::Environment;
use crate::workspace;

/// Fails where a library, or one that it needs, is not here.
pub(super) fn check(library: &Path, environment: &Environment) -> Result<()> {
    ensure!(library.is_file(), "`{}` is not here", library.display());
    let mut ldd = workspace::program("ldd");
    environment.give(&mut ldd)?;
    let listing = workspace::output(ldd.arg(library))?;
    let listing = String::from_utf8_lossy(&listing);
    let missing: Vec<&str> = missing(&listing).collect();
    let library = library.display();
    ensure!(missing.is_empty(), "`{library}` needs what is not here: {}", missing.join(", "));
    Ok(())
}

/// What a listing of `ldd` says is missing.
fn missing(listing: &str) -> impl Iterator<Item = &str> {
    listing.lines().filter(|line| line.contains("not found")).map(|line| {
        let name = line.split_once(" => ").map_or(line, |(name, _)| name);
        name.trim()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(listing: &str, expected: &[&str]) {
        assert_eq!(missing(listing).collect::<Vec<_>>(), expected, "{listing}");
    }

    #[test]
    fn a_listing_says_what_is_missing() {
        let found =
            "\tlibm.so.6 => /lib/libm.so.6 (0x00007f0)\n\t/lib64/ld-linux.so.2 (0x00007f1)\n";
        check(found, &[]);
        check(&format!("{found}\tlibLLVM-15.so.1 => not found\n"), &["libLLVM-15.so.1"]);
        let version = "libc.so.6: version `GLIBC_2.38' not found (required by libz.so.1)";
        check(&format!("{version}\n{found}"), &[version]);
    }
}
