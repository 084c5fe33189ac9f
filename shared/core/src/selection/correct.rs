//! Suggested corrections of selections that are not well formed.

use crate::selection::{
    attribute,
    lexer::{Spanned, Token, split_tokens},
    parser,
};

/// Fixes common mistakes in a selection: `&` for `and`, `groups:` for `group:`, a bare key, a value
/// without quotes, an unclosed parenthesis or quote. Returns `None` if the result does not parse.
pub(super) fn correct_text(text: &str) -> Option<String> {
    let mut corrector = Corrector {
        text,
        out: String::new(),
        open: 0,
    };
    let tokens = split_tokens(text);
    let mut at = 0;
    while at < tokens.len() {
        at += corrector.correct_next(&tokens[at..]);
    }
    corrector.out.push_str(&")".repeat(corrector.open));
    let corrected = corrector.out.trim().to_owned();
    (corrected != text && parser::parse_plainly(&corrected).is_ok()).then_some(corrected)
}

/// The corrected text while it is written.
struct Corrector<'a> {
    text: &'a str,
    out: String,
    open: usize,
}

impl Corrector<'_> {
    /// Writes the next tokens corrected, and returns their number.
    fn correct_next(&mut self, tokens: &[Spanned<'_>]) -> usize {
        // Each mistake is recognized by a token and the one after it.
        let token = tokens[0].token;
        let token_at = |ahead: usize| tokens.get(ahead).map(|found| found.token);
        match (token, token_at(1)) {
            (Token::Unknown('&'), Some(Token::Unknown('&'))) => self.push_operator("and", 2),
            (Token::Unknown('&'), _) => self.push_operator("and", 1),
            (Token::Unknown('|'), Some(Token::Unknown('|'))) => self.push_operator("or", 2),
            (Token::Unknown('|' | ','), _) => self.push_operator("or", 1),
            (Token::Unknown('!'), _) => self.push_operator("not", 1),
            (Token::Word(word), Some(Token::Open)) if !matches!(word, "roots" | "sinks") => {
                self.push_keyword(word)
            }
            (Token::Word("roots" | "sinks"), Some(Token::Open)) => self.push_unchanged(&tokens[0]),
            (Token::Word(name), Some(Token::Colon)) => self.push_attribute(name, tokens),
            (Token::Word(word), _) => match word.to_ascii_lowercase().as_str() {
                "and" | "or" | "not" => self.push_keyword(word),
                _ => self.push_bare_key(tokens),
            },
            (Token::Wildcard(_) | Token::Quoted(_) | Token::OpenQuote, _) => {
                self.push_bare_key(tokens)
            }
            (Token::Open, _) => {
                self.open += 1;
                self.push_unchanged(&tokens[0])
            }
            // A parenthesis that closes nothing is dropped.
            (Token::Close, _) if self.open == 0 => 1,
            (Token::Close, _) => {
                self.open -= 1;
                self.push_unchanged(&tokens[0])
            }
            _ => self.push_unchanged(&tokens[0]),
        }
    }

    fn push_unchanged(&mut self, token: &Spanned<'_>) -> usize {
        let word = &self.text[token.span.clone()];
        match token.token {
            Token::And | Token::Or | Token::Not => self.push_operator(word, 1),
            _ => {
                self.out.push_str(word);
                1
            }
        }
    }

    fn push_operator(&mut self, word: &str, tokens: usize) -> usize {
        if !self.out.is_empty() && !self.out.ends_with(['(', ' ']) {
            self.out.push(' ');
        }
        self.out.push_str(word);
        self.out.push(' ');
        tokens
    }

    /// Writes a keyword in its proper spelling, for `And`, `root(` and the like.
    fn push_keyword(&mut self, word: &str) -> usize {
        match word.to_ascii_lowercase().as_str() {
            lower @ ("and" | "or" | "not") => self.push_operator(lower, 1),
            "root" | "sources" => self.push_word("roots"),
            "sink" | "leaves" => self.push_word("sinks"),
            lower @ ("roots" | "sinks") => self.push_word(lower),
            _ => self.push_word(word),
        }
    }

    fn push_word(&mut self, word: &str) -> usize {
        self.out.push_str(word);
        1
    }

    fn push_attribute(&mut self, name: &str, tokens: &[Spanned<'_>]) -> usize {
        // Fix the name, then the value, and for a tag also the value after `=`.
        let known = attribute::Attribute::from_name(name).is_some();
        let meant = if known {
            name
        } else {
            attribute::guess_attribute(name).unwrap_or(name)
        };
        self.out.push_str(meant);
        self.out.push(':');
        let first = self.push_value(meant, &tokens[2..]);
        let equals = tokens
            .get(2 + first)
            .is_some_and(|found| found.token == Token::Equal);
        if !equals || !matches!(meant, "tag" | "column_tag") {
            return 2 + first;
        }
        self.out.push('=');
        3 + first + self.push_value(meant, &tokens[3 + first..])
    }

    fn push_bare_key(&mut self, tokens: &[Spanned<'_>]) -> usize {
        self.out.push_str("key:");
        self.push_value("key", tokens)
    }

    /// Writes adjacent tokens as one value, quoted if necessary.
    fn push_value(&mut self, attribute: &str, tokens: &[Spanned<'_>]) -> usize {
        let Some(first) = tokens.first() else {
            return 0;
        };
        let start = first.span.start;
        if let Token::Quoted(_) | Token::Null = first.token {
            return self.push_unchanged(first);
        }
        // The unclosed quote swallows the rest of the text, without closing parentheses.
        if first.token == Token::OpenQuote {
            let value = self.text[start + 1..]
                .trim_end_matches(')')
                .replace(['"', '\\'], "");
            self.out.push_str(&format!("\"{}\"", value.trim_end()));
            return tokens.len();
        }
        let ends_value = |token: Token<'_>| match token {
            Token::Open | Token::Close | Token::Plus | Token::Quoted(_) | Token::OpenQuote => true,
            Token::Unknown(sign) => matches!(sign, '&' | '|' | ',' | '!'),
            Token::Equal => matches!(attribute, "tag" | "column_tag"),
            _ => false,
        };
        let mut end = start;
        let belongs_to_value = |found: &&Spanned<'_>| {
            let adjacent = found.span.start == end && !ends_value(found.token);
            end = if adjacent { found.span.end } else { end };
            adjacent
        };
        let count = tokens.iter().take_while(belongs_to_value).count();
        let value = &self.text[start..end];
        // A single word or pattern needs no quotes, unless it is a word of the language.
        let plain = match (count, first.token) {
            (1, Token::Wildcard(_)) => attribute == "key",
            (1, Token::Word(word)) if attribute == "key" => !attribute::is_reserved(word),
            (1, Token::Word(word)) => !attribute::is_reserved_as_value(word),
            _ => count == 0,
        };
        self.out.push_str(&if plain {
            value.to_owned()
        } else {
            format!("\"{value}\"")
        });
        count
    }
}
