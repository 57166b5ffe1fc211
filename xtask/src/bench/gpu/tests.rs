//! What is pure: options, devices and tables.

use super::super::found::About;
use super::super::rounds::Measured;
use super::*;

#[test]
fn options_are_read() {
    let check = |line: &str, expected: Result<Options, &str>| {
        let arguments: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let found = Options::parse(&arguments).map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{line}");
    };
    check("", Ok(Options::default()));
    check("--rounds 3 --only bf16 --participant /p --python /q --model m --device cpu", {
        Ok(Options {
            rounds: 3,
            only: vec!["bf16".to_owned()],
            model: Some("m".into()),
            participant: Some("/p".into()),
            python: Some("/q".into()),
            devices: vec!["cpu".to_owned()],
        })
    });
    check("--device", Err("expected a text after `--device`"));
    check("--rounds 0", Err("expected a number of at least 1 after `--rounds`"));
    check("--save new", Err("unknown argument `--save`"));
}

/// A device; one whose name ends in `!` only stands in for a GPU, one that ends in `?` is broken.
fn found(name: &str) -> Found {
    let plain = name.trim_end_matches(['!', '?']).to_owned();
    if name.ends_with('?') {
        return Found { name: plain, about: Err("lost".to_owned()) };
    }
    let about = About {
        name: "made up".to_owned(),
        driver: None,
        memory: None,
        max_tensor: None,
        is_software: name.ends_with('!'),
    };
    Found { name: plain, about: Ok(about) }
}

#[test]
fn gpus_are_chosen() {
    let check = |devices: &[&str], wanted: &[&str], expected: Result<&[(Peer, &str)], &str>| {
        let devices: Vec<Found> = devices.iter().map(|name| found(name)).collect();
        let wanted: Vec<String> = wanted.iter().map(|&name| name.to_owned()).collect();
        let chosen = choose(&devices, &wanted).map_err(|error| error.to_string());
        let expected = expected.map(|chosen| {
            chosen.iter().map(|&(peer, name)| (peer, name.to_owned())).collect::<BTreeMap<_, _>>()
        });
        assert_eq!(chosen, expected.map_err(str::to_owned), "{wanted:?}");
    };
    let (ours, shaders) = (Peer::Ours, Peer::Shaders);
    let all = ["cpu", "libtorch", "libtorch:cuda:0", "libtorch:cuda:1", "vulkan:0", "wgpu:0"];
    check(&all, &[], Ok(&[(ours, "libtorch:cuda:0"), (shaders, "vulkan:0")]));
    check(&["cpu", "wgpu:0!", "wgpu:1"], &[], Ok(&[(shaders, "wgpu:1")]));
    check(&["cpu", "vulkan:0?", "wgpu:0"], &[], Ok(&[(shaders, "wgpu:0")]));
    let none = "our program finds no GPU, but cpu (made up), \
                wgpu:0 (made up, which computes on the processor)";
    check(&["cpu", "wgpu:0!"], &[], Err(none));
    check(&["cpu"], &["libtorch", "wgpu"], Ok(&[(ours, "libtorch"), (shaders, "wgpu")]));
    let two = "expected one device by shaders and one other, found `cpu` and `libtorch`";
    check(&["cpu"], &["cpu", "libtorch"], Err(two));
}

/// A row in which every participant takes so many milliseconds in each round.
fn measured(name: &str, dtype: &'static str, times: &[(Peer, &[f64])]) -> Measured {
    let kind = Kind::Gpu { tokens: 64, dtype };
    let (peers, cases) = (times.iter().map(|(peer, _)| *peer).collect(), Vec::new());
    let row = Row { name: name.to_owned(), kind, peers, cases, tolerance: 1e-4 };
    let seconds = |times: &[f64]| vec![times.iter().map(|time| time / 1e3).collect()];
    let seconds = times.iter().map(|&(peer, times)| (peer, seconds(times))).collect();
    let differences = BTreeMap::from([(Peer::Ours, 3e-7), (Peer::Shaders, 2e-6)]);
    Measured { row, seconds, differences }
}

fn report() -> Report {
    let rows = vec![
        // The faster peer is another one in each round.
        measured(
            "MiniLM 1x64 f32",
            "f32",
            &[
                (Peer::Eager, &[4.0, 2.0]),
                (Peer::Sdpa, &[2.0, 4.0]),
                (Peer::Ours, &[2.0, 2.0]),
                (Peer::Shaders, &[5.0, 5.0]),
            ],
        ),
        measured(
            "MiniLM 1x64 bf16",
            "bf16",
            &[(Peer::Eager, &[2.0]), (Peer::Sdpa, &[1.0]), (Peer::Ours, &[1.5])],
        ),
    ];
    Report {
        machine: Machine::look(2, "0.00".to_owned()),
        gpu: "A GPU, 550.54, 81559 MiB".to_owned(),
        found: vec![found("libtorch:cuda:0")],
        versions: vec![("torch".to_owned(), "2.9.1".to_owned())],
        rounds: 2,
        ours: BTreeMap::from([
            (Peer::Ours, "libtorch:cuda:0".to_owned()),
            (Peer::Shaders, "vulkan:0".to_owned()),
        ]),
        measured: rows,
    }
}

#[test]
fn ours_is_compared_with_the_faster_peer() {
    let section = report().section();
    let f32 = "| MiniLM 1x64 f32 | 3.00 | 3.00 | 2.00 | 1.00 (1.00 to 1.00) | 1, met \
               | 5.00 | 2.50 (2.50 to 2.50) | 2, missed | 2e-6 |";
    let bf16 = "| MiniLM 1x64 bf16 | 2.00 | 1.00 | 1.50 | 1.50 (1.50 to 1.50) | 1, missed | 2e-6 |";
    assert!(section.contains(f32), "{section}");
    assert!(section.contains(bf16), "{section}");
    assert!(section.contains("Targets met: 1 of 3."), "{section}");
    assert!(section.contains("is `libtorch:cuda:0`, and by shaders is `vulkan:0`."), "{section}");
    assert!(section.contains("| GPU | A GPU, 550.54, 81559 MiB |"), "{section}");
    assert_eq!(section.matches(['{', '}']).count(), 0, "{section}");
}
