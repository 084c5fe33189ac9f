//! What was probably meant by a selection that is not well formed.

use crate::selection::{
    attribute,
    lexer::{Spanned, Token, tokens},
    parser,
};

/// The selection with its usual slips mended: `&` for `and`, `groups:` for `group:`, a bare key, a
/// value without quotes, a parenthesis or a quote that is not closed. `None` unless that parses.
pub(super) fn correct(text: &str) -> Option<String> {
    let mut mended = Mended {
        text,
        out: String::new(),
        open: 0,
    };
    let tokens = tokens(text);
    let mut at = 0;
    while at < tokens.len() {
        at += mended.next(&tokens[at..]);
    }
    mended.out.push_str(&")".repeat(mended.open));
    let corrected = mended.out.trim().to_owned();
    (corrected != text && parser::parse_plainly(&corrected).is_ok()).then_some(corrected)
}

struct Mended<'a> {
    text: &'a str,
    out: String,
    open: usize,
}

impl Mended<'_> {
    /// Mends what comes next, and says how many tokens that were.
    fn next(&mut self, tokens: &[Spanned<'_>]) -> usize {
        let token = tokens[0].token;
        let follows = |ahead: usize| tokens.get(ahead).map(|found| found.token);
        match (token, follows(1)) {
            (Token::Unknown('&'), Some(Token::Unknown('&'))) => self.operator("and", 2),
            (Token::Unknown('&'), _) => self.operator("and", 1),
            (Token::Unknown('|'), Some(Token::Unknown('|'))) => self.operator("or", 2),
            (Token::Unknown('|' | ','), _) => self.operator("or", 1),
            (Token::Unknown('!'), _) => self.operator("not", 1),
            (Token::Word(word), Some(Token::Open)) if !matches!(word, "roots" | "sinks") => {
                self.keyword(word)
            }
            (Token::Word("roots" | "sinks"), Some(Token::Open)) => self.same(&tokens[0]),
            (Token::Word(name), Some(Token::Colon)) => self.attribute(name, tokens),
            (Token::Word(word), _) => match word.to_ascii_lowercase().as_str() {
                "and" | "or" | "not" => self.keyword(word),
                _ => self.bare_key(tokens),
            },
            (Token::Wildcard(_) | Token::Quoted(_) | Token::OpenQuote, _) => self.bare_key(tokens),
            (Token::Open, _) => {
                self.open += 1;
                self.same(&tokens[0])
            }
            (Token::Close, _) if self.open == 0 => 1,
            (Token::Close, _) => {
                self.open -= 1;
                self.same(&tokens[0])
            }
            _ => self.same(&tokens[0]),
        }
    }

    fn same(&mut self, token: &Spanned<'_>) -> usize {
        let word = &self.text[token.span.clone()];
        match token.token {
            Token::And | Token::Or | Token::Not => self.operator(word, 1),
            _ => {
                self.out.push_str(word);
                1
            }
        }
    }

    fn operator(&mut self, word: &str, tokens: usize) -> usize {
        if !self.out.is_empty() && !self.out.ends_with(['(', ' ']) {
            self.out.push(' ');
        }
        self.out.push_str(word);
        self.out.push(' ');
        tokens
    }

    /// `And`, `root(`, `NOT`, and the like.
    fn keyword(&mut self, word: &str) -> usize {
        match word.to_ascii_lowercase().as_str() {
            lower @ ("and" | "or" | "not") => self.operator(lower, 1),
            "root" | "sources" => self.word("roots"),
            "sink" | "leaves" => self.word("sinks"),
            lower @ ("roots" | "sinks") => self.word(lower),
            _ => self.word(word),
        }
    }

    fn word(&mut self, word: &str) -> usize {
        self.out.push_str(word);
        1
    }

    fn attribute(&mut self, name: &str, tokens: &[Spanned<'_>]) -> usize {
        let known = attribute::Attribute::named(name).is_some();
        let meant = if known {
            name
        } else {
            attribute::meant(name).unwrap_or(name)
        };
        self.out.push_str(meant);
        self.out.push(':');
        let first = self.value(meant, &tokens[2..]);
        let equals = tokens
            .get(2 + first)
            .is_some_and(|found| found.token == Token::Equal);
        if !equals || !matches!(meant, "tag" | "column_tag") {
            return 2 + first;
        }
        self.out.push('=');
        3 + first + self.value(meant, &tokens[3 + first..])
    }

    fn bare_key(&mut self, tokens: &[Spanned<'_>]) -> usize {
        self.out.push_str("key:");
        self.value("key", tokens)
    }

    /// Takes all that stands together as one value, and quotes it where it has to be quoted.
    fn value(&mut self, attribute: &str, tokens: &[Spanned<'_>]) -> usize {
        let Some(first) = tokens.first() else {
            return 0;
        };
        let start = first.span.start;
        if let Token::Quoted(_) | Token::Null = first.token {
            return self.same(first);
        }
        if first.token == Token::OpenQuote {
            let value = self.text[start + 1..]
                .trim_end_matches(')')
                .replace(['"', '\\'], "");
            self.out.push_str(&format!("\"{}\"", value.trim_end()));
            return tokens.len();
        }
        let ends = |token: Token<'_>| match token {
            Token::Open | Token::Close | Token::Plus | Token::Quoted(_) | Token::OpenQuote => true,
            Token::Unknown(sign) => matches!(sign, '&' | '|' | ',' | '!'),
            Token::Equal => matches!(attribute, "tag" | "column_tag"),
            _ => false,
        };
        let mut end = start;
        let together = |found: &&Spanned<'_>| {
            let joins = found.span.start == end && !ends(found.token);
            end = if joins { found.span.end } else { end };
            joins
        };
        let count = tokens.iter().take_while(together).count();
        let value = &self.text[start..end];
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
