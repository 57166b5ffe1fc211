//! What has to be there before anything is measured: programs, models, and how to call them.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::machine;
use super::model::Model;
use super::participant::{Participant, Peer};
use super::rows::UIDS;
use crate::{minilm, python, workspace};

/// The folder of the peers' programs, as seen from the root folder.
const PEERS: &str = "benches/peers";

/// The network that `peer.py` makes, with random weights.
pub(super) const GPT_NEO: &str = "gpt-neo-125m";

/// Our side of every comparison.
pub(super) const PARTICIPANT: &str = "participant";

/// The variables by which libraries are told how many threads to use.
const THREADS: [&str; 4] =
    ["MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"];

/// Who starts those that are compared.
pub(super) trait Stage {
    fn start(&self, peer: Peer) -> Result<Participant>;

    /// A process that scores one message and prints a line; none where no row times processes.
    fn first_score(&self, _peer: Peer, _message: &str) -> Option<Command> {
        None
    }
}

/// How to call the participants of any comparison.
#[derive(Debug)]
pub(super) struct Programs {
    pub(super) python: PathBuf,
    pub(super) participant: PathBuf,
}

impl Programs {
    /// One of the peers that `peer.py` is.
    pub(super) fn peer(&self, mode: &str, device: &str) -> Command {
        let mut command = program(&self.python);
        command.args(["-B", &format!("{PEERS}/peer.py"), "--models"]).arg(models());
        command.args(["serve", mode, "--device", device]);
        command.args(["--threads", &machine::threads().to_string()]);
        command
    }

    /// Our side.
    pub(super) fn ours(&self, device: &str) -> Command {
        let mut command = program(&self.participant);
        command.arg(device);
        command
    }
}

/// Everything that was built and made for a comparison on the processor.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) minilm: Model,
    pub(super) gpt_neo: Model,
    programs: Programs,
    gating: PathBuf,
    registers: PathBuf,
}

impl Setup {
    /// Builds and makes what is missing. The real weights are those of the given folder, of the
    /// one that the environment names, or of the model hub.
    pub(super) fn make(minilm: Option<PathBuf>) -> Result<Self> {
        let python = python()?;
        let build = ["build", "--release", "--workspace", "--locked"];
        workspace::run(workspace::cargo().args(build))?;
        let gating = workspace::built("release", "gating")?;
        let folder = minilm_folder(minilm, &gating)?;
        prepare(&python, Some(&folder))?;
        Ok(Self {
            minilm: Model::sentence("MiniLM", &folder)?,
            gpt_neo: Model::last_token("GPT-Neo", &models().join(GPT_NEO))?,
            registers: registers(&models())?,
            programs: Programs { python, participant: workspace::built("release", PARTICIPANT)? },
            gating,
        })
    }
}

impl Stage for Setup {
    fn start(&self, peer: Peer) -> Result<Participant> {
        let mut command = match peer {
            Peer::Eager => self.programs.peer("eager", "cpu"),
            Peer::Sdpa => self.programs.peer("sdpa", "cpu"),
            Peer::Onnx => self.programs.peer("onnx", "cpu"),
            Peer::Ours => self.programs.ours("cpu"),
            Peer::Registers => program(&self.registers),
            Peer::Shaders => bail!("no shaders are compared on a processor"),
        };
        if peer == Peer::Registers {
            command.arg(machine::threads().to_string());
        }
        Participant::start(peer, &mut command)
    }

    /// Loads the sentence model for it.
    fn first_score(&self, peer: Peer, message: &str) -> Option<Command> {
        let folder = &self.minilm.folder;
        let mut command;
        if peer == Peer::Ours {
            command = program(&self.gating);
            command.args(["score", "--top", "1", message, "--neuron.use_custom_gating_model"]);
            command.args([OsStr::new("--gating.model_name"), folder.as_os_str()]);
            command.args(["--gating.num_uids", &UIDS.to_string()]);
        } else {
            command = program(&self.programs.python);
            command.args(["-B", &format!("{PEERS}/first_score.py")]).arg(folder);
            command.args([message, &UIDS.to_string()]);
        }
        command.stderr(Stdio::null());
        Some(command)
    }
}

/// A program that is told how many threads to use.
fn program(path: &Path) -> Command {
    let mut command = workspace::program(path);
    command.envs(THREADS.map(|name| (name, machine::threads().to_string())));
    command
}

/// The Python of an environment that has what the peers need.
pub(super) fn python() -> Result<PathBuf> {
    python::environment("bench-venv", &format!("{PEERS}/requirements.txt"))
}

/// The folder of all-MiniLM-L6-v2: the given one, the one that the environment names, or that of
/// the model hub's client, which our command may have to fill.
pub(super) fn minilm_folder(given: Option<PathBuf>, gating: &Path) -> Result<PathBuf> {
    match given.or_else(|| workspace::weights().map(PathBuf::from)) {
        Some(folder) => std::path::absolute(folder).context("`--model` names no folder"),
        None => {
            minilm::pull(gating)?;
            minilm::pulled(gating)
        }
    }
}

/// The folder of the models that `peer.py` makes.
pub(super) fn models() -> PathBuf {
    workspace::root().join("target/bench-models")
}

/// Makes the models that are missing: GPT-Neo, and of a given MiniLM and of it what ONNX Runtime
/// takes.
pub(super) fn prepare(python: &Path, minilm: Option<&Path>) -> Result<()> {
    let mut command = workspace::program(python);
    command.args(["-B", &format!("{PEERS}/peer.py"), "--models"]).arg(models());
    workspace::run(command.arg("prepare").args(minilm))
}

/// Builds the program that tells what registers alone can do, for this processor alone.
fn registers(folder: &Path) -> Result<PathBuf> {
    fs::create_dir_all(folder).context("cannot make `target/bench-models`")?;
    let program = folder.join("registers");
    let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let mut command = workspace::program(compiler);
    command.args(["-O3", "-march=native", "-pthread", "-o"]).arg(&program);
    workspace::run(command.arg(format!("{PEERS}/registers.c")))?;
    Ok(program)
}
