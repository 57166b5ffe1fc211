//! What a measurement was taken on, as Linux tells it.

use std::fs;
use std::thread;

use super::cells::table;
use crate::workspace;

/// Extensions of processors that matter to products of matrices, as `/proc/cpuinfo` names them.
const EXTENSIONS: [&str; 10] = [
    "avx2",
    "fma",
    "avx512f",
    "avx512_vnni",
    "avx512_bf16",
    "avx512_fp16",
    "amx_bf16",
    "amx_int8",
    "asimd",
    "sve",
];

/// The machine and the state of the workspace.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) processor: String,
    pub(super) threads: usize,
    pub(super) extensions: Vec<&'static str>,
    /// Such as `L1d 32K`.
    pub(super) caches: Vec<String>,
    pub(super) memory: String,
    pub(super) kernel: String,
    pub(super) rustc: String,
    pub(super) commit: String,
    pub(super) date: String,
    /// The averages over 1, 5 and 15 minutes before anything was built.
    pub(super) load: String,
}

impl Machine {
    /// Looks at this machine; what it does not tell is `unknown`.
    pub(super) fn look(threads: usize, load: String) -> Self {
        let cpuinfo = read("/proc/cpuinfo");
        Self {
            processor: processor(),
            threads,
            extensions: extensions(&cpuinfo),
            caches: caches(),
            memory: memory(&read("/proc/meminfo")),
            kernel: version(&read("/proc/sys/kernel/osrelease")),
            rustc: say("rustc", &["--version"]),
            commit: commit(),
            date: say("date", &["-u", "+%Y-%m-%d"]),
            load,
        }
    }
}

impl Machine {
    /// A table of all this and of what else there is to say.
    pub(super) fn table(&self, more: &[(&str, String)]) -> String {
        let Self { processor, threads, extensions, caches, memory, kernel, .. } = self;
        let Self { rustc, commit, date, load, .. } = self;
        let rows = [
            ("processor", format!("{processor}, {threads} threads")),
            ("extensions", extensions.join(", ")),
            ("caches", caches.join(", ")),
            ("memory", memory.clone()),
            ("kernel", kernel.clone()),
            ("load before the start", load.clone()),
            ("date", date.clone()),
            ("commit", commit.clone()),
            ("compiler", rustc.clone()),
        ];
        let rows = rows.into_iter().chain(more.iter().cloned());
        table(&["what", "which"], rows.map(|(name, value)| vec![name.to_owned(), value]))
    }
}

/// Names with their versions, in one cell.
pub(super) fn versions(versions: &[(String, String)]) -> String {
    let version = |(name, version): &(String, String)| format!("{name} {version}");
    versions.iter().map(version).collect::<Vec<_>>().join(", ")
}

/// What the processor is called.
pub(crate) fn processor() -> String {
    field(&read("/proc/cpuinfo"), "model name")
}

/// As many as computations take.
pub(crate) fn threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// How busy the machine is.
pub(super) fn load() -> String {
    read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" ")
}

/// The version of a kernel, without the name of the build.
fn version(release: &str) -> String {
    release.trim().split('-').next().unwrap_or_default().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|_| "unknown".to_owned())
}

/// The first value of a field of `/proc/cpuinfo`.
fn field(cpuinfo: &str, name: &str) -> String {
    let value = |line: &str| {
        Some(line.strip_prefix(name)?.trim_start().strip_prefix(':')?.trim().to_owned())
    };
    cpuinfo.lines().find_map(value).unwrap_or_else(|| "unknown".to_owned())
}

fn extensions(cpuinfo: &str) -> Vec<&'static str> {
    // ARM calls them features.
    let flags = [field(cpuinfo, "flags"), field(cpuinfo, "Features")].join(" ");
    let flags: Vec<&str> = flags.split(' ').collect();
    EXTENSIONS.into_iter().filter(|extension| flags.contains(extension)).collect()
}

fn caches() -> Vec<String> {
    let part = |index: usize, part: &str| {
        let path = format!("/sys/devices/system/cpu/cpu0/cache/index{index}/{part}");
        fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
    };
    let cache = |index| {
        let kind = match part(index, "type")?.as_str() {
            "Data" => "d",
            "Instruction" => "i",
            _ => "",
        };
        Some(format!("L{}{kind} {}", part(index, "level")?, part(index, "size")?))
    };
    (0..).map_while(cache).collect()
}

/// The total of `/proc/meminfo`.
fn memory(meminfo: &str) -> String {
    let total = field(meminfo, "MemTotal");
    let kibibytes = total.strip_suffix(" kB").and_then(|count| count.parse::<u64>().ok());
    kibibytes.map_or(total, |count| format!("{} GiB", (count + (1 << 19)) >> 20))
}

/// The commit that was measured, and whether the files are as it has them.
fn commit() -> String {
    let commit = say("git", &["rev-parse", "--short=10", "HEAD"]);
    // The page and its charts are written anew by every run.
    let changes = ["status", "--porcelain", "--", ".", ":(exclude)docs/benchmarks*"];
    match say("git", &changes).as_str() {
        "" | "unknown" => commit,
        _ => format!("{commit} with changes"),
    }
}

/// What a program prints; `unknown` where it fails.
fn say(name: &str, arguments: &[&str]) -> String {
    let output = workspace::output(workspace::program(name).args(arguments));
    output.map_or_else(
        |_| "unknown".to_owned(),
        |bytes| String::from_utf8_lossy(&bytes).trim().to_owned(),
    )
}

/// The version of a crate that `Cargo.lock` names.
pub(super) fn locked(lock: &str, name: &str) -> Option<String> {
    let package = lock
        .split("[[package]]")
        .find(|package| package.lines().any(|line| line == format!("name = \"{name}\"")))?;
    let version = package.lines().find_map(|line| line.strip_prefix("version = "))?;
    Some(version.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CPUINFO: &str = "processor\t: 0\nmodel name\t: AMD EPYC 9B14\nflags\t\t: fpu fma avx2\n\n\
                           processor\t: 1\nmodel name\t: other\nflags\t\t: fpu\n";

    #[test]
    fn a_processor_is_told_by_its_fields() {
        assert_eq!(field(CPUINFO, "model name"), "AMD EPYC 9B14");
        assert_eq!(field(CPUINFO, "model"), "unknown");
        assert_eq!(extensions(CPUINFO), ["avx2", "fma"]);
    }

    #[test]
    fn a_kernel_has_a_version() {
        assert_eq!(version("6.12.3-cloud-amd64\n"), "6.12.3");
        assert_eq!(version("unknown"), "unknown");
    }

    #[test]
    fn memory_is_rounded() {
        assert_eq!(memory("MemTotal:       24689764 kB\nMemFree: 1 kB\n"), "24 GiB");
        assert_eq!(memory(""), "unknown");
    }

    #[test]
    fn a_locked_version_is_found() {
        let lock = "[[package]]\nname = \"burn-nn\"\nversion = \"0.1.0\"\n\n\
                    [[package]]\nname = \"burn\"\nversion = \"0.22.1\"\n";
        assert_eq!(locked(lock, "burn").as_deref(), Some("0.22.1"));
        assert_eq!(locked(lock, "candle"), None);
    }
}
