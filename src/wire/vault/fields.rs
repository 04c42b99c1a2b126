//! Finds `input` and `meta` elements in HTML by their tags alone: what a page says of itself, whether or not a browser would show it.
//!
//! Building the whole tree of a page takes ten times as long, and secrets are to be found in comments and templates too.

use std::borrow::Cow;

/// A tag with what tells of secrets.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Field<'a> {
    pub(super) tag: &'static str,
    pub(super) name: Option<Cow<'a, str>>,
    pub(super) kind: Option<Cow<'a, str>>,
    pub(super) value: Option<Cow<'a, str>>,
    pub(super) content: Option<Cow<'a, str>>,
}

/// Every `input` and `meta` tag, in order.
pub(super) fn fields(html: &str) -> impl Iterator<Item = Field<'_>> {
    html.match_indices('<').filter_map(|(at, _)| field(&html[at + 1..]))
}

/// The tag with which a text begins, behind its `<`.
fn field(text: &str) -> Option<Field<'_>> {
    let (tag, mut rest) = ["input", "meta"].into_iter().find_map(|tag| {
        let (name, rest) = text.split_at_checked(tag.len())?;
        (name.eq_ignore_ascii_case(tag) && rest.starts_with(ends_word)).then_some((tag, rest))
    })?;
    let mut field = Field { tag, ..Field::default() };
    while let Some((name, value, after)) = attribute(rest) {
        let place = match name.to_ascii_lowercase().as_str() {
            "name" => &mut field.name,
            "type" => &mut field.kind,
            "value" => &mut field.value,
            "content" => &mut field.content,
            _ => &mut None,
        };
        // Of several of one name browsers take the first.
        place.get_or_insert_with(|| unescaped(value));
        rest = after;
    }
    Some(field)
}

/// The next attribute of a tag, its value as written, and what follows; `None` at the end of the tag.
fn attribute(text: &str) -> Option<(&str, &str, &str)> {
    let text = text.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
    if text.is_empty() || text.starts_with('>') {
        return None;
    }
    // A `=` in front belongs to the name (HTML, "before attribute name state").
    let first = text.chars().next().map_or(0, char::len_utf8);
    let end = text[first..].find(|c| ends_word(c) || c == '=').map_or(text.len(), |end| first + end);
    let (name, rest) = text.split_at(end);
    let Some(value) = rest.trim_ascii_start().strip_prefix('=').map(str::trim_ascii_start) else {
        return Some((name, "", rest));
    };
    for quote in ['"', '\''] {
        if let Some(value) = value.strip_prefix(quote) {
            let (value, rest) = value.split_once(quote).unwrap_or((value, ""));
            return Some((name, value, rest));
        }
    }
    let end = value.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(value.len());
    Some((name, &value[..end], &value[end..]))
}

fn ends_word(c: char) -> bool {
    c.is_ascii_whitespace() || matches!(c, '/' | '>')
}

/// With characters in place of the references to them that are met in values.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let reference = after.split_once(';').and_then(|(name, after)| Some((referred(name)?, after)));
        let (c, after) = reference.unwrap_or(('&', after));
        out.push(c);
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The character that a reference names (HTML, "named character references").
fn referred(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let hexadecimal = number.strip_prefix(['x', 'X']);
        let code = hexadecimal.map_or_else(|| number.parse(), |digits| u32::from_str_radix(digits, 16));
        return code.ok().and_then(char::from_u32);
    }
    Some(match name {
        "amp" | "AMP" => '&',
        "lt" | "LT" => '<',
        "gt" | "GT" => '>',
        "quot" | "QUOT" => '"',
        "apos" => '\'',
        "plus" => '+',
        "sol" => '/',
        "equals" => '=',
        "colon" => ':',
        "period" => '.',
        "lowbar" => '_',
        "num" => '#',
        "percnt" => '%',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(html: &str) -> Vec<String> {
        let text = |part: Option<Cow<'_, str>>| part.map_or_else(|| "-".to_owned(), Cow::into_owned);
        let line = |field: Field<'_>| {
            [field.tag.to_owned(), text(field.name), text(field.kind), text(field.value), text(field.content)].join(" ")
        };
        fields(html).map(line).collect()
    }

    #[test]
    fn attributes_are_found_however_they_are_written() {
        for (html, expected) in [
            ("<input type=hidden name=x value=y>", "input x hidden y -"),
            ("<INPUT\n TYPE = 'HIDDEN' NAME = \"x\" value='a>b'/>", "input x HIDDEN a>b -"),
            ("<input value=1 value=2 name=x disabled>", "input x - 1 -"),
            ("<input name=x value=\"a&amp;b&#x2F;c&#43;&quot;&unknown;&\">", "input x - a&b/c+\"&unknown;& -"),
            ("<meta name=csrf-token content=y />", "meta csrf-token - - y"),
            ("<input value=a/b>", "input - - a/b -"),
            ("<!-- <input name=x value='y -->", "input x - y --> -"),
            ("<input", ""),
            ("<inputs name=x> <metal name=y>", ""),
        ] {
            assert_eq!(seen(html).join("\n"), expected, "{html}");
        }
    }
}
