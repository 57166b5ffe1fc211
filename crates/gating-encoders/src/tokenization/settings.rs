//! What a repository says of its tokenizer beside the vocabulary.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::Error;
use crate::files::optional_json;

const CONFIG: &str = "tokenizer_config.json";
const SPECIAL: &str = "special_tokens_map.json";
const ADDED: &str = "added_tokens.json";

/// What a repository says of its tokenizer beside the vocabulary.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Settings {
    pub(super) tokenizer_class: Option<String>,
    /// `transformers` writes 1e30 for a tokenizer without a limit.
    model_max_length: Option<f64>,
    /// The name of the same before 2020.
    max_len: Option<f64>,
    pub(super) do_lower_case: Option<bool>,
    pub(super) strip_accents: Option<bool>,
    pub(super) tokenize_chinese_chars: Option<bool>,
    pub(super) add_prefix_space: Option<bool>,
    pub(super) add_bos_token: Option<bool>,
    #[serde(flatten)]
    special: SpecialTokens,
    /// Tokens that were added to the vocabulary, by id.
    added_tokens_decoder: Option<BTreeMap<u32, Token>>,
}

/// Tokens that stand for something else than text, by what they stand for.
#[derive(Debug, Default, Deserialize)]
struct SpecialTokens {
    bos_token: Option<Named>,
    eos_token: Option<Named>,
    unk_token: Option<Named>,
    sep_token: Option<Named>,
    pad_token: Option<Named>,
    cls_token: Option<Named>,
    mask_token: Option<Named>,
    additional_special_tokens: Option<Further>,
    /// The name of the same since 2025; both may stand in one file.
    extra_special_tokens: Option<Further>,
}

/// A token by its text alone, or with how it is found.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Named {
    Text(String),
    Token(Token),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Further {
    List(Vec<Named>),
    Map(BTreeMap<String, Named>),
}

/// A token that is found in a text before it is cut into pieces.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Token {
    pub(super) content: String,
    pub(super) single_word: bool,
    pub(super) lstrip: bool,
    pub(super) rstrip: bool,
    /// Whether it is looked for in the normalized text; what is not special is.
    pub(super) normalized: Option<bool>,
    pub(super) special: bool,
}

impl Settings {
    /// Reads them from a model folder; each of the three files may be missing.
    pub(crate) fn read(folder: &Path) -> Result<Self, Error> {
        let mut settings: Self = optional_json(&folder.join(CONFIG))?.unwrap_or_default();
        // The other two files are of a time before this key.
        if settings.added_tokens_decoder.is_some() {
            return Ok(settings);
        }
        if let Some(special) = optional_json(&folder.join(SPECIAL))? {
            settings.special.replace(special);
        }
        let added: Option<BTreeMap<String, u32>> = optional_json(&folder.join(ADDED))?;
        let special = settings.special.tokens(|_| None);
        let token = |(content, id): (String, u32)| {
            let special = special.iter().any(|token| token.content == content);
            (id, Token { content, special, ..Token::default() })
        };
        settings.added_tokens_decoder = added.map(|added| added.into_iter().map(token).collect());
        Ok(settings)
    }

    /// How many tokens the network takes at most, if that is said.
    pub(crate) fn max_length(&self) -> Option<usize> {
        self.model_max_length.or(self.max_len).map(|limit| limit as usize)
    }

    /// The tokens to find in a text, each once: those that were added, and the special ones, which
    /// `usual` gives where the repository does not.
    pub(super) fn tokens(&self, usual: impl Fn(&str) -> Option<Token>) -> Vec<Token> {
        let added = self.added_tokens_decoder.iter().flat_map(BTreeMap::values).cloned();
        let special = self.special.tokens(usual);
        let is_special = |content: &str| special.iter().any(|token| token.content == content);
        let mut tokens: Vec<Token> = added
            .map(|token| Token { special: token.special || is_special(&token.content), ..token })
            .collect();
        for token in special {
            if !tokens.iter().any(|known| known.content == token.content) {
                tokens.push(token);
            }
        }
        tokens
    }

    /// The text of the special token of a name.
    pub(super) fn special(
        &self,
        name: &str,
        usual: impl Fn(&str) -> Option<Token>,
    ) -> Option<String> {
        let (_, named) = self.special.named().into_iter().find(|(known, _)| *known == name)?;
        named.map(Named::content).or_else(|| usual(name).map(|token| token.content))
    }
}

impl SpecialTokens {
    /// In the order in which those get their ids that the vocabulary lacks.
    fn named(&self) -> [(&'static str, Option<&Named>); 7] {
        [
            ("bos_token", self.bos_token.as_ref()),
            ("eos_token", self.eos_token.as_ref()),
            ("unk_token", self.unk_token.as_ref()),
            ("sep_token", self.sep_token.as_ref()),
            ("pad_token", self.pad_token.as_ref()),
            ("cls_token", self.cls_token.as_ref()),
            ("mask_token", self.mask_token.as_ref()),
        ]
    }

    fn tokens(&self, usual: impl Fn(&str) -> Option<Token>) -> Vec<Token> {
        let named = self.named().into_iter();
        let named =
            named.filter_map(|(name, named)| named.map(Named::token).or_else(|| usual(name)));
        let further = [&self.additional_special_tokens, &self.extra_special_tokens];
        let further = further.into_iter().flatten().flat_map(Further::tokens);
        named.chain(further.map(Named::token)).collect()
    }

    /// Takes those that another file has.
    fn replace(&mut self, other: Self) {
        let replace = |own: &mut Option<Named>, other: Option<Named>| {
            *own = other.map(Named::of_special_file).or(own.take());
        };
        replace(&mut self.bos_token, other.bos_token);
        replace(&mut self.eos_token, other.eos_token);
        replace(&mut self.unk_token, other.unk_token);
        replace(&mut self.sep_token, other.sep_token);
        replace(&mut self.pad_token, other.pad_token);
        replace(&mut self.cls_token, other.cls_token);
        replace(&mut self.mask_token, other.mask_token);
        let (additional, extra) = (other.additional_special_tokens, other.extra_special_tokens);
        self.additional_special_tokens = additional.or(self.additional_special_tokens.take());
        self.extra_special_tokens = extra.or(self.extra_special_tokens.take());
    }
}

impl Further {
    fn tokens(&self) -> Vec<&Named> {
        match self {
            Self::List(tokens) => tokens.iter().collect(),
            Self::Map(tokens) => tokens.values().collect(),
        }
    }
}

impl Named {
    fn content(&self) -> String {
        match self {
            Self::Text(content) | Self::Token(Token { content, .. }) => content.clone(),
        }
    }

    /// What the file of special tokens names is looked for as it stands, unless it says otherwise.
    fn of_special_file(self) -> Self {
        match self {
            Self::Token(token) => {
                let normalized = Some(token.normalized.unwrap_or(false));
                Self::Token(Token { normalized, ..token })
            }
            text => text,
        }
    }

    fn token(&self) -> Token {
        match self {
            Self::Text(content) => Token::special(content),
            Self::Token(token) => {
                let normalized = Some(token.is_normalized());
                Token { special: true, normalized, ..token.clone() }
            }
        }
    }
}

impl Token {
    /// A special token that is looked for as it stands.
    pub(super) fn special(content: &str) -> Self {
        Self { content: content.to_owned(), special: true, ..Self::default() }
    }

    pub(super) fn is_normalized(&self) -> bool {
        self.normalized.unwrap_or(!self.special)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Versions of `transformers` have written the one, the other, and both.
    #[test]
    fn further_special_tokens_have_two_names() {
        let check = |text: &str, expected: &[&str]| {
            let settings: Settings = serde_json::from_str(text).expect("both may be there");
            let tokens = settings.tokens(|_| None);
            let found: Vec<&str> = tokens.iter().map(|token| token.content.as_str()).collect();
            assert_eq!(found, expected, "{text}");
        };
        let (list, map) = (r#""additional_special_tokens": ["<a>"]"#, r#"{"image_token": "<b>"}"#);
        check(&format!("{{{list}}}"), &["<a>"]);
        check(&format!("{{{list}, \"extra_special_tokens\": {map}}}"), &["<a>", "<b>"]);
        check(&format!("{{{list}, \"extra_special_tokens\": {{}}}}"), &["<a>"]);
        check(r#"{"extra_special_tokens": ["<c>"]}"#, &["<c>"]);
    }
}
