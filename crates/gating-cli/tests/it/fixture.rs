//! Runs of the command in a folder of their own, and the models that they run on.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gating_metagraph::{Hotkey, Metagraph, Neuron};
use serde_json::Value;
use tempfile::TempDir;

/// Where drivers of devices and the libraries that they need are found.
const DRIVERS: [&str; 3] = ["LD_LIBRARY_PATH", "VK_DRIVER_FILES", "XDG_RUNTIME_DIR"];

/// A folder that stands in for the user's: working folder, home and caches.
pub(crate) struct Place {
    folder: TempDir,
    variables: Vec<(&'static str, String)>,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn place() -> Place {
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    Place { folder, variables: Vec::new() }
}

impl Place {
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn with_variable(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    /// The command, with nothing of this machine's settings but where its drivers and libraries are.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gating"));
        command
            .args(args)
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.path())
            .env("HF_HUB_OFFLINE", "1")
            .envs(DRIVERS.iter().filter_map(|name| Some((name, env::var_os(name)?))))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        let output = self.command(args).output().expect("the command can be started");
        let text = |bytes| String::from_utf8(bytes).expect("all output is UTF-8");
        Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Runs the command on the tiny sentence encoder with 8 uids.
    pub(crate) fn run_tiny(&self, args: &[&str]) -> Run {
        let tiny = tiny("tiny-bert");
        let model = ["--gating.model_name", &tiny, "--gating.num_uids", "8"];
        self.run(&[args, &model, &["--neuron.use_custom_gating_model"]].concat())
    }

    pub(crate) fn write(&self, name: &str, content: &str) -> String {
        let path = self.path().join(name);
        std::fs::write(&path, content).expect("the folder can be written to");
        path.to_str().expect("the path is UTF-8").to_owned()
    }

    /// Writes subnet 1 at a block, its uids held by these keys.
    pub(crate) fn metagraph(&self, name: &str, block: u64, keys: &[u8]) -> String {
        let neurons = keys.iter().map(|&key| Neuron::new(Hotkey::new([key; 32])));
        let metagraph = Metagraph::new(1, block, neurons.collect()).expect("the keys differ");
        self.write(name, &metagraph.to_json())
    }
}

impl Run {
    /// Each line of stdout as JSON.
    pub(crate) fn json(&self) -> Vec<Value> {
        assert_eq!(self.code, Some(0), "{self:?}");
        let line = |line| serde_json::from_str(line).expect("every line of stdout is JSON");
        self.stdout.lines().map(line).collect()
    }

    /// The last line of stderr as JSON, and its `error`.
    pub(crate) fn error(&self) -> Value {
        let last = self.stderr.lines().last().expect("stderr holds the error");
        let line: Value = serde_json::from_str(last).expect("the error is JSON");
        line["error"].clone()
    }
}

/// A model committed with the encoders.
pub(crate) fn tiny(name: &str) -> String {
    let encoders = Path::new(env!("CARGO_MANIFEST_DIR")).join("../gating-encoders/testdata");
    let folder: PathBuf = encoders.join(name);
    folder.canonicalize().expect("the model is committed").display().to_string()
}
