//! Files that are never half written.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use tempfile::Builder;

/// Writes a file whole or not at all: a sibling is written, synced and renamed, and the folder is
/// synced.
///
/// The new file has ordinary permissions, not those of the file it replaces. Where a link leads to a
/// file, that file is replaced, and not the link. What is no file, such as a pipe or a device, cannot
/// be replaced, and is written to.
///
/// # Errors
///
/// When the folder or the file cannot be written to; no sibling is left then, and a file that was
/// there before is untouched unless only the folder could not be synced.
pub fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let real = path.canonicalize();
    let path = real.as_deref().unwrap_or(path);
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return File::options().write(true).open(path)?.write_all(bytes);
    }
    let folder = folder_of(path);
    let mut builder = Builder::new();
    make_readable(&mut builder);
    let mut sibling = builder.tempfile_in(folder)?;
    sibling.write_all(bytes)?;
    sibling.as_file().sync_all()?;
    sibling.persist(path)?;
    sync(folder)
}

/// The folder of a file; that of a bare name is the working folder.
fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or_else(|| Path::new("."))
}

/// Asks for what files usually have; the system takes away what its `umask` says.
#[cfg(unix)]
fn make_readable(builder: &mut Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt;

    builder.permissions(std::fs::Permissions::from_mode(0o666));
}

/// Elsewhere files have no such modes.
#[cfg(not(unix))]
fn make_readable(_: &mut Builder<'_, '_>) {}

/// Until its folder is synced, a new name can be lost when the power fails.
#[cfg(unix)]
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Elsewhere a folder cannot be opened as a file.
#[cfg(not(unix))]
fn sync(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("the folder is there");
        let name = |entry: io::Result<fs::DirEntry>| entry.expect("it can be listed").file_name();
        entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_file_is_replaced_and_no_sibling_is_left() {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let path = folder.path().join("a.json");
        for bytes in [&b"first, and longer"[..], b"second"] {
            replace_file(&path, bytes).expect("the folder can be written to");
            assert_eq!(fs::read(&path).expect("we wrote it"), bytes);
        }
        assert_eq!(names(folder.path()), ["a.json"]);
    }

    #[test]
    fn a_bare_name_is_in_the_working_folder() {
        assert_eq!(folder_of(Path::new("a.json")), Path::new("."));
        assert_eq!(folder_of(Path::new("b/a.json")), Path::new("b"));
    }

    #[test]
    fn a_failed_replacement_leaves_all_as_it_was() {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        // Unlike missing permissions, a folder in the way stops an administrator, too.
        let path = folder.path().join("a.json");
        fs::create_dir(&path).expect("the folder is new");
        fs::write(path.join("b"), "kept").expect("the folder is ours");
        replace_file(&path, b"new").expect_err("a folder has that name");
        assert_eq!(names(folder.path()), ["a.json"]);
        assert_eq!(names(&path), ["b"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_leads_to_what_is_replaced() {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let [file, link] = ["file", "link"].map(|name| folder.path().join(name));
        fs::write(&file, "before").expect("the folder can be written to");
        std::os::unix::fs::symlink(&file, &link).expect("links can be made");
        replace_file(&link, b"after").expect("the folder can be written to");
        assert!(fs::symlink_metadata(&link).expect("it was just made").is_symlink());
        assert_eq!(fs::read(&file).expect("it is there"), b"after");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_written_to() {
        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.expect("the system has the command mkfifo").success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe)
        });
        replace_file(&pipe, b"whole").expect("somebody reads");
        let read = reader.join().expect("it does not panic");
        assert_eq!(read.expect("the pipe can be read"), b"whole");
        assert_eq!(names(folder.path()), ["pipe"]);
    }

    #[cfg(unix)]
    #[test]
    fn permissions_are_those_of_an_ordinary_file() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().expect("there is a folder for temporary files");
        let [ours, ordinary] = ["ours", "ordinary"].map(|name| folder.path().join(name));
        replace_file(&ours, b"").expect("the folder can be written to");
        fs::write(&ordinary, b"").expect("the folder can be written to");
        let mode = |path: &Path| {
            let metadata = fs::metadata(path).expect("the file was written");
            metadata.permissions().mode()
        };
        assert_eq!(mode(&ours), mode(&ordinary));
    }
}
