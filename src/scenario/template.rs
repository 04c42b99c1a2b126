//! Strings with `{variables}` in them; `{{` and `}}` are literal braces.

use std::fmt;

/// A string that is filled in when it is used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template(Vec<Part>);

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Stands as it is.
    Literal(String),
    /// A variable by its path: `login.got.code` is three segments.
    Variable(Vec<String>),
}

/// A brace without its partner, or an empty variable; the byte offset inside the string.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InvalidTemplate {
    /// What is wrong.
    pub message: &'static str,
    /// Where, in bytes from the start of the string.
    pub offset: usize,
}

impl Template {
    /// Takes a string apart.
    ///
    /// # Errors
    /// [`InvalidTemplate`] on an unpaired brace or an empty variable.
    pub fn parse(text: &str) -> Result<Self, InvalidTemplate> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut chars = text.char_indices().peekable();
        while let Some((offset, c)) = chars.next() {
            let doubled = chars.peek().is_some_and(|(_, next)| *next == c);
            match c {
                '{' | '}' if doubled => {
                    chars.next();
                    literal.push(c);
                }
                '{' => {
                    let rest = &text[offset + 1..];
                    let end = rest.find('}').ok_or(InvalidTemplate { message: "this brace is never closed", offset })?;
                    let path: Vec<String> = rest[..end].split('.').map(str::to_owned).collect();
                    if path.iter().any(String::is_empty) {
                        return Err(InvalidTemplate { message: "a variable is missing between these braces", offset });
                    }
                    if !literal.is_empty() {
                        parts.push(Part::Literal(std::mem::take(&mut literal)));
                    }
                    parts.push(Part::Variable(path));
                    while chars.next_if(|(at, _)| *at <= offset + 1 + end).is_some() {}
                }
                '}' => return Err(InvalidTemplate { message: "this brace was never opened", offset }),
                other => literal.push(other),
            }
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Self(parts))
    }

    /// Its pieces in order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// The paths of its variables.
    pub fn variables(&self) -> impl Iterator<Item = &[String]> {
        self.0.iter().filter_map(|part| match part {
            Part::Variable(path) => Some(path.as_slice()),
            Part::Literal(_) => None,
        })
    }

    /// The text, if there is no variable in it.
    #[must_use]
    pub fn literal(&self) -> Option<String> {
        let literal = |part: &Part| match part {
            Part::Literal(text) => Some(text.clone()),
            Part::Variable(_) => None,
        };
        self.0.iter().map(literal).collect()
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.0 {
            match part {
                Part::Literal(text) => f.write_str(&text.replace('{', "{{").replace('}', "}}"))?,
                Part::Variable(path) => write!(f, "{{{}}}", path.join("."))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_and_literal_braces() {
        let template = Template::parse("a{{b}}c {login.got.code}&{x}").unwrap();
        assert_eq!(template.variables().count(), 2);
        assert_eq!(template.parts()[0], Part::Literal("a{b}c ".into()));
        assert_eq!(template.to_string(), "a{{b}}c {login.got.code}&{x}");
    }

    #[test]
    fn unpaired_braces_are_mistakes() {
        assert_eq!(Template::parse("ab{c").unwrap_err().offset, 2);
        assert_eq!(Template::parse("ab}").unwrap_err().offset, 2);
        assert_eq!(Template::parse("{}").unwrap_err().offset, 0);
    }
}
