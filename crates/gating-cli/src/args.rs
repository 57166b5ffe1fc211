//! The arguments of the command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args as ClapArgs, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use gating_metagraph::chain::{Network, Shrink};
use gating_metagraph::{Coldkey, Hotkey};

use crate::demo;
use crate::replay::Moment;
use crate::settings::{self, SettingArgs};

/// Sends each message to those who answer it best: scores every uid of a network for a message,
/// and learns online from the rewards that the asked uids earned.
#[derive(Debug, Parser)]
#[command(name = "gating", version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(ClapArgs, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// How to print results
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// How to print notes and errors on stderr; as the results where it is not given
    #[arg(long, global = true, value_enum)]
    pub(crate) log_format: Option<Format>,
    /// Print results and errors alone
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Print more on stderr
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show on a simulated network that the right uids end up on top
    Demo(DemoArgs),
    /// Score every uid for messages
    Score(ScoreArgs),
    /// Learn one step from what the asked uids earned
    Learn(LearnArgs),
    /// Learn from event logs, and go on where a checkpoint stopped
    Replay(ReplayArgs),
    /// Make the rows of a checkpoint new whose uids changed hands
    Resync(ResyncArgs),
    /// Look at metagraphs of a network
    #[command(subcommand)]
    Metagraph(MetagraphCommand),
    /// Look at a checkpoint
    #[command(subcommand)]
    Checkpoint(CheckpointCommand),
    /// Encoders on this machine
    #[command(subcommand)]
    Model(ModelCommand),
    /// The settings and where they come from
    #[command(subcommand)]
    Config(ConfigCommand),
    /// What is compiled in, what is found on this machine, and what is wrong
    Doctor,
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    Man,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct DemoArgs {
    /// How many steps to learn
    #[arg(long, default_value_t = 4000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) steps: u64,
    /// Save a checkpoint every so many steps, and not only at the end
    #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) save_every: Option<u64>,
    /// Where to draw the loss, as SVG; `gating-demo/loss.svg` where it is not given
    #[arg(long, value_name = "FILE.svg")]
    pub(crate) plot: Option<PathBuf>,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct ScoreArgs {
    /// The messages to score
    #[arg(value_name = "MESSAGE", required_unless_present = "input")]
    pub(crate) messages: Vec<String>,
    /// More messages: lines of text, or of JSON with `prompt` or `message`; `-` is stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// Only the K uids with the highest scores
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) top: Option<u32>,
    /// Only uids that can be asked, as this metagraph has it
    #[arg(long, value_name = "METAGRAPH", requires = "top")]
    pub(crate) available: Option<PathBuf>,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct LearnArgs {
    /// The message that was answered
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) message: String,
    /// Who was asked, such as 3,8
    #[arg(long, value_name = "UIDS", value_delimiter = ',', required = true, value_parser = uid)]
    pub(crate) uids: Vec<u16>,
    /// What each of them earned, such as 0.2,0.9
    #[arg(
        long,
        value_name = "REWARDS",
        value_delimiter = ',',
        required = true,
        allow_hyphen_values = true,
        value_parser = reward
    )]
    pub(crate) rewards: Vec<f32>,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct ReplayArgs {
    /// Logs in the order of their events: completions.log, its parts in gzip, zip or Zstandard,
    /// CSV tables, or JSON lines with `prompt`, `uids` and `rewards`; `-` is stdin
    #[arg(value_name = "FILE", required = true)]
    pub(crate) logs: Vec<PathBuf>,
    /// Only events of this name, such as followup0, or followup* for all that begin so; may be
    /// given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Vec<String>,
    /// Begin with this event: a step such as 5000, a block such as block:6521772, or a time such
    /// as 2023-07-01 or 2023-07-01T12:30 (UTC)
    #[arg(long, value_name = "WHEN", conflicts_with = "from_step")]
    pub(crate) from: Option<Moment>,
    /// Begin with the event of this number, from 1
    #[arg(long, value_name = "STEP", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) from_step: Option<u64>,
    /// Stop behind this event: a step, a block or a time as with --from
    #[arg(long, value_name = "WHEN")]
    pub(crate) until: Option<Moment>,
    /// Stop at the first line or event that is bad, and do not skip it
    #[arg(long)]
    pub(crate) strict: bool,
    /// Begin with the first event, also where the checkpoint stopped in a replay
    #[arg(long)]
    pub(crate) again: bool,
    /// Apply the metagraphs in this folder, each at the block that its name says, such as
    /// block-6521772.json
    #[arg(long, value_name = "DIR")]
    pub(crate) metagraphs: Option<PathBuf>,
    /// How many messages to encode together: 32, or 1 from a pipe, where it is not given
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) batch: Option<u16>,
    /// Save the checkpoint every so many steps
    #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) save_every: Option<u64>,
    /// Save the checkpoint every so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60,
          value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) save_seconds: u64,
    /// Where to draw the loss, and how well scores ranked the asked uids
    #[arg(long, value_name = "FILE.svg")]
    pub(crate) plot: Option<PathBuf>,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct ResyncArgs {
    /// The newer metagraph: a file, or the node to ask, such as finney or ws://127.0.0.1:9944
    #[arg(value_name = "FILE|NODE")]
    pub(crate) metagraph: PathBuf,
    #[command(flatten)]
    pub(crate) shrink: ShrinkArgs,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct ShrinkArgs {
    /// Take a network that lost more than half of its uids at once for what it is
    #[arg(long)]
    accept_shrink: bool,
}

impl ShrinkArgs {
    pub(crate) fn shrink(&self) -> Shrink {
        if self.accept_shrink { Shrink::Accept } else { Shrink::Refuse }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum MetagraphCommand {
    /// Show a metagraph, or those of a folder as the SDK lays it out
    Show {
        /// The metagraph, of any known format; several files hold pages of taostats
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
    /// Show what changed between two metagraphs
    Diff {
        /// The older metagraph
        from: PathBuf,
        /// The newer metagraph
        to: PathBuf,
    },
    /// Show which uids can be asked, and why the others cannot
    Available(AvailableArgs),
    /// Change the format of a metagraph
    Convert {
        /// The metagraph, of any known format; several files hold pages of taostats
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// The format to write
        #[arg(long, value_enum, default_value_t = MetagraphFormat::Snapshot)]
        to: MetagraphFormat,
        /// Where to write it; `-` is stdout
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Fetch a snapshot from a node
    Fetch(FetchArgs),
    /// Follow a network and tell what changes, until it is interrupted; with --checkpoint, resync
    /// it at each change
    Watch(WatchArgs),
}

/// The formats that can be written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum MetagraphFormat {
    /// Everything, as versioned JSON
    Snapshot,
    /// The columns that are known of every uid, as JSON in the form of btcli 11
    Json,
    /// The columns that are known of every uid, as arrays of NumPy
    Npz,
}

impl From<MetagraphFormat> for gating_metagraph::Format {
    fn from(format: MetagraphFormat) -> Self {
        match format {
            MetagraphFormat::Snapshot => Self::Snapshot,
            MetagraphFormat::Json => Self::BtcliMetagraph,
            MetagraphFormat::Npz => Self::Arrays,
        }
    }
}

#[derive(ClapArgs, Debug)]
pub(crate) struct AvailableArgs {
    /// The metagraph, of any known format; several files hold pages of taostats
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// The hotkey of the asker, which is not asked
    #[arg(long, value_name = "SS58")]
    pub(crate) own_hotkey: Option<Hotkey>,
    /// The coldkey of the asker, whose hotkeys are not asked
    #[arg(long, value_name = "SS58")]
    pub(crate) own_coldkey: Option<Coldkey>,
    /// Not at port 0
    #[arg(long)]
    pub(crate) no_port_zero: bool,
    /// Only at addresses that can be reached from the internet
    #[arg(long)]
    pub(crate) public_addresses: bool,
    /// Only one uid at each address and port
    #[arg(long)]
    pub(crate) unique_endpoints: bool,
    /// Only uids that have been registered for so many blocks
    #[arg(long, value_name = "BLOCKS")]
    pub(crate) min_age: Option<u64>,
    /// Only so many uids of one coldkey
    #[arg(long, value_name = "N")]
    pub(crate) max_per_coldkey: Option<usize>,
    /// Only so many uids at one address
    #[arg(long, value_name = "N")]
    pub(crate) max_per_address: Option<usize>,
    /// Only these hotkeys
    #[arg(long, value_name = "SS58", value_delimiter = ',')]
    pub(crate) allow: Option<Vec<Hotkey>>,
    /// None of these hotkeys
    #[arg(long, value_name = "SS58", value_delimiter = ',')]
    pub(crate) deny: Vec<Hotkey>,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct FetchArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// The block to look at; the newest one that is final where it is not given
    #[arg(long, value_name = "NUMBER")]
    pub(crate) block: Option<u64>,
    /// Where to write the snapshot; stdout where it is not given, or `-`
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// How often to try again where no node answers
    #[arg(long, value_name = "COUNT", default_value_t = 3)]
    pub(crate) retries: u32,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct WatchArgs {
    #[command(flatten)]
    pub(crate) node: NodeArgs,
    /// Look who is who after so many blocks of 12 seconds
    #[arg(long, value_name = "BLOCKS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) every: u64,
    /// Look at axons and stakes too after so many blocks
    #[arg(long, value_name = "BLOCKS", default_value_t = 100)]
    pub(crate) refresh: u64,
    #[command(flatten)]
    pub(crate) shrink: ShrinkArgs,
    /// End after so many events
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) events: Option<u64>,
    /// End at this block
    #[arg(long, value_name = "NUMBER")]
    pub(crate) until_block: Option<u64>,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct NodeArgs {
    /// Whom to ask: finney, test, local, or URLs of nodes with commas between them
    #[arg(long, default_value = "finney")]
    pub(crate) network: Network,
}

#[derive(ClapArgs, Debug)]
pub(crate) struct ImportArgs {
    /// A state dict of PyTorch with `weight` and `bias`, as the reference saves it in
    /// `*_gating_linear_layer.pth`, or safetensors with the same
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Whose the rows are, as a metagraph of any known format; `model.torch` beside the head where
    /// it is not given
    #[arg(long, value_name = "FILE")]
    pub(crate) metagraph: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CheckpointCommand {
    /// Show what a checkpoint knows
    Show {
        /// The checkpoint; that of `--checkpoint` where it is not given
        folder: Option<PathBuf>,
    },
    /// Check every bit of a checkpoint, and of those before it that are kept
    Verify {
        /// The checkpoint; that of `--checkpoint` where it is not given
        folder: Option<PathBuf>,
        /// Where it is damaged, go on with the newest one that is whole
        #[arg(long)]
        fall_back: bool,
    },
    /// Make a checkpoint of a head that another program learned, and of the encoder that the
    /// settings name
    Import(ImportArgs),
    /// Write the head for other programs: a state dict of PyTorch or safetensors
    Export {
        /// Where to write it; the name ends in .pth or .safetensors
        file: PathBuf,
        /// The checkpoint; that of `--checkpoint` where it is not given
        folder: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// Fetch an encoder into the cache that hub tools share
    Pull {
        /// Its hub id, such as org/name or org/name@revision; that of `--gating.model_name` where
        /// it is not given
        model: Option<String>,
    },
    /// List the encoders on this machine
    List,
    /// Show one encoder
    Show {
        /// Its hub id or folder; that of `--gating.model_name` where it is not given
        model: Option<String>,
    },
    /// Compare the files of one encoder with their checksums, load it and let it encode a message
    Verify {
        /// Its hub id or folder; that of `--gating.model_name` where it is not given
        model: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show every setting with the source it came from
    Show,
    /// Check every setting
    Check,
    /// Write a configuration file with every setting and what it means
    Init {
        /// A new file whose name ends in .toml or .yaml; stdout, as TOML or with --format json as
        /// JSON, where it is not given
        file: Option<PathBuf>,
    },
}

/// A uid, with or without a space behind the comma before it.
fn uid(text: &str) -> Result<u16, &'static str> {
    text.trim()
        .parse()
        .map_err(|_| "expected whole numbers from 0 to 65535 with commas between them")
}

/// A reward, with or without a space behind the comma before it.
fn reward(text: &str) -> Result<f32, &'static str> {
    text.trim().parse().map_err(|_| "expected numbers with commas between them")
}

/// The command line as it is parsed: the demo shows the defaults that it has of its own.
pub(crate) fn command() -> clap::Command {
    let demo = |command: clap::Command| command.args(settings::arguments(&demo::DEFAULTS));
    Args::command().mut_subcommand("demo", demo)
}

/// Whether errors in the arguments themselves should be JSON.
pub(crate) fn wants_json(args: impl Iterator<Item = OsString>) -> bool {
    let args: Vec<String> = args.map(|arg| arg.to_string_lossy().into_owned()).collect();
    let given = |name: &str| {
        let next = args.windows(2).find(|pair| pair[0] == name).map(|pair| pair[1].as_str());
        let joined = args.iter().find_map(|arg| arg.strip_prefix(name)?.strip_prefix('='));
        next.or(joined)
    };
    given("--log-format").or_else(|| given("--format")) == Some("json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_errors_is_found_in_bad_arguments_too() {
        let check = |line: &str, expected: bool| {
            let found = wants_json(line.split(' ').map(OsString::from));
            assert_eq!(found, expected, "{line}");
        };
        check("gating scores --format json", true);
        check("gating --format=json scores", true);
        check("gating --format text --log-format json scores", true);
        check("gating --format json --log-format=text scores", false);
        check("gating scores", false);
    }

    #[test]
    fn the_arguments_are_consistent() {
        command().debug_assert();
    }
}
