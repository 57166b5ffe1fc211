//! Arrows between crates point down only.

use super::Violation;
use super::member::Member;
use crate::examples;
use crate::workspace::LIBRARIES;

/// Edges between crates that the architecture does not know.
pub(super) fn unexpected(members: &[Member]) -> Vec<Violation> {
    members.iter().flat_map(unexpected_of).collect()
}

fn unexpected_of(member: &Member) -> Vec<Violation> {
    let edges = member.edges.iter().filter(|edge| !is_allowed(&member.name, edge));
    let violation = |edge: &String| {
        let line = member.manifest.dependencies().find(|entry| entry.name() == edge);
        let line = line.map_or(1, |entry| entry.line);
        let message = format!("`{}` must not depend on `{edge}`", member.name);
        Violation::new(&member.manifest.path, line, message)
    };
    edges.map(violation).collect()
}

/// Whether one crate may depend on another; a crate that has no place here may depend on none.
fn is_allowed(name: &str, dependency: &str) -> bool {
    match name {
        "gating-benches" => true,
        // Arithmetic on plain slices, and devices, whatever they are for.
        "gating-kernels" | "gating-devices" => false,
        "gating-cli" => LIBRARIES.contains(&dependency),
        // An example shows that its crate is enough.
        _ if name == examples::package(dependency) => true,
        _ => {
            let place = LIBRARIES.iter().position(|library| *library == name);
            place.is_some_and(|place| LIBRARIES[..place].contains(&dependency))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::manifest::Manifest;
    use super::*;

    fn check(name: &str, dependency: &str, expected: &[&str]) {
        let text = format!("[package]\n[dev-dependencies]\n{dependency}.workspace = true");
        let member = Member {
            name: name.to_owned(),
            manifest: Manifest::parse("Cargo.toml", &text),
            edges: vec![dependency.to_owned()],
        };
        let found: Vec<_> = unexpected(&[member]).iter().map(Violation::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn arrows_point_down() {
        check("gating-metagraph", "gating-arrays", &[]);
        check("gating-core", "gating-arrays", &[]);
        check("gating-core", "gating-devices", &[]);
        check("gating-core", "gating-kernels", &[]);
        check("gating-core", "gating-metagraph", &[]);
        check("gating-encoders", "gating-core", &[]);
        check("gating-encoders", "gating-kernels", &[]);
        check("gating-encoders", "gating-metagraph", &[]);
        check("gating-cli", "gating-encoders", &[]);
        check("gating-benches", "gating-cli", &[]);
        check("gating-core-example", "gating-core", &[]);
    }

    #[test]
    fn other_edges_are_named() {
        let expected = "Cargo.toml:3: `gating-core` must not depend on `gating-encoders`";
        check("gating-core", "gating-encoders", &[expected]);
        let expected = "Cargo.toml:3: `gating-arrays` must not depend on `gating-metagraph`";
        check("gating-arrays", "gating-metagraph", &[expected]);
        let expected = "Cargo.toml:3: `gating-metagraph` must not depend on `gating-core`";
        check("gating-metagraph", "gating-core", &[expected]);
        let expected = "Cargo.toml:3: `gating-kernels` must not depend on `gating-core`";
        check("gating-kernels", "gating-core", &[expected]);
        let expected = "Cargo.toml:3: `gating-cli` must not depend on `gating-benches`";
        check("gating-cli", "gating-benches", &[expected]);
        let expected = "Cargo.toml:3: `xtask` must not depend on `gating-core`";
        check("xtask", "gating-core", &[expected]);
        let expected = "Cargo.toml:3: `gating-core-example` must not depend on `gating-metagraph`";
        check("gating-core-example", "gating-metagraph", &[expected]);
        let expected = "Cargo.toml:3: `gating-new` must not depend on `gating-core`";
        check("gating-new", "gating-core", &[expected]);
    }
}
