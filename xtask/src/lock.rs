//! What `Cargo.lock` and the lock of the examples hold.

/// One package as a lock names it.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub(crate) struct Package<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    /// Where it comes from; none for those of this workspace.
    pub(crate) source: Option<&'a str>,
    checksum: Option<&'a str>,
}

/// The packages in a lock, with the lines of their names.
pub(crate) fn packages(lock: &str) -> impl Iterator<Item = (usize, Package<'_>)> {
    let mut line = 1;
    lock.split_inclusive("[[package]]\n").filter_map(move |block| {
        let start = line;
        line += block.lines().count();
        let (name, version) = field(block, "name").zip(field(block, "version"))?;
        let (source, checksum) = (field(block, "source"), field(block, "checksum"));
        Some((start, Package { name, version, source, checksum }))
    })
}

fn field<'a>(block: &'a str, name: &str) -> Option<&'a str> {
    let value = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
    Some(value?.trim_matches('"'))
}
