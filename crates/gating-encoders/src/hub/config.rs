//! Where the hub and its cache are.

use std::fmt::{self, Debug, Formatter};
use std::fs;
use std::path::{Path, PathBuf};

/// Where the hub and its cache are, and what may be asked.
#[derive(Clone, PartialEq, Eq)]
pub struct HubConfig {
    /// The address of the hub, such as `https://huggingface.co`.
    pub endpoint: String,
    /// The folder of the cache.
    pub cache: PathBuf,
    /// What the hub knows the user by. No other host is told.
    pub token: Option<String>,
    /// Whether the network is not to be used.
    pub offline: bool,
}

impl HubConfig {
    /// The configuration that other tools of the hub have with the same environment variables,
    /// as `huggingface_hub` (`constants.py`, 2025) reads them. An empty variable counts as none.
    ///
    /// | field | taken from the first of |
    /// |---|---|
    /// | `endpoint` | `HF_ENDPOINT`, `https://huggingface.co` |
    /// | `cache` | `HF_HUB_CACHE`, `$HF_HOME/hub` |
    /// | `token` | `HF_TOKEN`, the file `HF_TOKEN_PATH`, the file `$HF_HOME/token` |
    /// | `offline` | whether `HF_HUB_OFFLINE` is `1`, `on`, `yes` or `true` |
    ///
    /// There is no token when `HF_HUB_DISABLE_IMPLICIT_TOKEN` is `1`, `on`, `yes` or `true`, and
    /// `HF_HOME` is `$XDG_CACHE_HOME/huggingface` or `$HOME/.cache/huggingface` when not set.
    ///
    /// `None` where the variables name no place for the cache.
    ///
    /// # Example
    ///
    /// ```
    /// use gating_encoders::HubConfig;
    ///
    /// let var = |name: &str| (name == "HOME").then(|| "/home/me".to_owned());
    /// let config = HubConfig::from_vars(var).expect("a home");
    /// assert_eq!(config.cache, std::path::Path::new("/home/me/.cache/huggingface/hub"));
    /// ```
    #[must_use]
    pub fn from_vars(var: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let var = |name: &str| var(name).filter(|value| !value.is_empty());
        let path = |name: &str| var(name).map(PathBuf::from);
        let is_on = |name: &str| var(name).is_some_and(|value| is_true(&value));
        let home = || path("HOME").or_else(|| path("USERPROFILE"));
        let caches = || path("XDG_CACHE_HOME").or_else(|| Some(home()?.join(".cache")));
        let hub_home = path("HF_HOME").or_else(|| Some(caches()?.join("huggingface")));
        let in_hub_home = |name: &str| Some(hub_home.as_ref()?.join(name));
        let token_file = || path("HF_TOKEN_PATH").or_else(|| in_hub_home("token"));
        let token = || var("HF_TOKEN").or_else(|| read_token(&token_file()?));
        let endpoint = var("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".to_owned());
        Some(Self {
            endpoint,
            cache: path("HF_HUB_CACHE").or_else(|| in_hub_home("hub"))?,
            token: if is_on("HF_HUB_DISABLE_IMPLICIT_TOKEN") { None } else { token() },
            offline: is_on("HF_HUB_OFFLINE"),
        })
    }
}

/// Leaves the token out, so that no log tells it.
impl Debug for HubConfig {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HubConfig")
            .field("endpoint", &self.endpoint)
            .field("cache", &self.cache)
            .field("token", &self.token.as_ref().map(|_| "..."))
            .field("offline", &self.offline)
            .finish()
    }
}

fn is_true(value: &str) -> bool {
    ["1", "on", "yes", "true"].iter().any(|word| value.eq_ignore_ascii_case(word))
}

fn read_token(path: &Path) -> Option<String> {
    let token = fs::read_to_string(path).ok()?.trim().to_owned();
    (!token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(vars: &[(&str, &str)]) -> Option<HubConfig> {
        HubConfig::from_vars(|name| {
            vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn check_cache(vars: &[(&str, &str)], expected: Option<&str>) {
        let cache = config(vars).map(|config| config.cache);
        assert_eq!(cache.as_deref(), expected.map(Path::new), "{vars:?}");
    }

    #[test]
    fn the_cache_is_where_other_tools_have_it() {
        let vars = [
            ("HF_HUB_CACHE", "/hub-cache"),
            ("HF_HOME", "/hf"),
            ("XDG_CACHE_HOME", "/xdg"),
            ("HOME", "/home"),
        ];
        check_cache(&vars, Some("/hub-cache"));
        check_cache(&vars[1..], Some("/hf/hub"));
        check_cache(&vars[2..], Some("/xdg/huggingface/hub"));
        check_cache(&vars[3..], Some("/home/.cache/huggingface/hub"));
        check_cache(&[("HF_HOME", ""), ("HOME", "/home")], Some("/home/.cache/huggingface/hub"));
        check_cache(&[], None);
    }

    fn check_token(vars: &[(&str, &str)], expected: Option<&str>) {
        assert_eq!(config(vars).expect("a cache").token.as_deref(), expected, "{vars:?}");
    }

    #[test]
    fn the_token_is_the_one_other_tools_use() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let home = folder.path().to_str().expect("a path in UTF-8");
        let other = format!("{home}/other");
        fs::write(format!("{home}/token"), "of-home\n").expect("a file");
        fs::write(&other, "of-path\n").expect("a file");
        check_token(&[("HF_HOME", home)], Some("of-home"));
        check_token(&[("HF_HOME", home), ("HF_TOKEN_PATH", &other)], Some("of-path"));
        check_token(&[("HF_HOME", home), ("HF_TOKEN", "own")], Some("own"));
        check_token(&[("HF_HOME", "/nowhere")], None);
        check_token(
            &[("HF_HOME", home), ("HF_TOKEN", "own"), ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")],
            None,
        );
    }

    fn check_offline(value: &str, expected: bool) {
        let config = config(&[("HOME", "/home"), ("HF_HUB_OFFLINE", value)]).expect("a cache");
        assert_eq!(config.offline, expected, "{value}");
    }

    #[test]
    fn offline_is_what_other_tools_call_so() {
        for value in ["1", "ON", "yes", "True"] {
            check_offline(value, true);
        }
        for value in ["", "0", "off", "2"] {
            check_offline(value, false);
        }
    }

    #[test]
    fn no_log_tells_the_token() {
        let config = config(&[("HOME", "/home"), ("HF_TOKEN", "secret")]).expect("a cache");
        assert!(!format!("{config:?}").contains("secret"));
    }
}
