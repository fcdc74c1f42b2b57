//! Whether a driver's expression is one that Blender evaluates without *Run Scripts*.

use std::collections::HashSet;

/// What Blender's own evaluator knows beside `+ - * /`, comparisons and conditions
/// (`BLI_expr_pylike_eval`, `expr_pylike_eval.cc`, Blender 5.2).
const SIMPLE_FUNCTIONS: &str = "degrees radians abs fabs floor ceil trunc round int sin cos tan asin \
    acos atan atan2 exp log sqrt pow fmod lerp clamp smoothstep min max";
const SIMPLE_NAMES: &str = "frame pi True False and or not if else";

/// What Python may name with scripts off: a few of its own names, those of `math`, and what Blender
/// adds (`bpy_driver.cc`, Blender 5.2).
const HARMLESS_NAMES: &str = "all any bool float int len max min pow round sum acos acosh asin asinh \
    atan atan2 atanh cbrt ceil comb copysign cos cosh degrees dist e erf erfc exp exp2 expm1 fabs \
    factorial floor fma fmod frexp fsum gamma gcd hypot inf isclose isfinite isinf isnan isqrt lcm \
    ldexp lerp lgamma log log10 log1p log2 modf nan nextafter perm pi prod radians remainder sin \
    sinh sqrt sumprod tan tanh tau trunc ulp clamp smoothstep frame bpy depsgraph noise __debug__ \
    and or not if else in is True False None";

/// Whether Blender evaluates an expression only with *Run Scripts*. `variables` are the driver's own.
///
/// Blender looks at the compiled code; this looks at the words, which says the same of all that people
/// write: calls and names are judged, attributes, functions, loops and slices refused.
pub(crate) fn needs_scripts(expression: &str, variables: &HashSet<String>) -> bool {
    let tokens = tokens(expression);
    !is_simple(&tokens, variables) && is_refused(&tokens, variables)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Number,
    Text { is_formatted: bool },
    Name(String),
    Sign(char),
}

fn is_one_of(words: &str, name: &str) -> bool {
    words.split_ascii_whitespace().any(|word| word == name)
}

fn is_simple(tokens: &[Token], variables: &HashSet<String>) -> bool {
    tokens.iter().enumerate().all(|(at, token)| match token {
        Token::Number => true,
        Token::Text { .. } => false,
        Token::Name(name) => {
            let is_called = tokens.get(at + 1) == Some(&Token::Sign('('));
            variables.contains(name)
                || is_one_of(SIMPLE_NAMES, name)
                || (is_called && is_one_of(SIMPLE_FUNCTIONS, name))
        }
        Token::Sign(sign) => {
            let next = tokens.get(at + 1);
            let is_twice = matches!(sign, '*' | '/') && next == Some(token);
            "+-*/()<>=!,".contains(*sign) && !is_twice
        }
    })
}

fn is_refused(tokens: &[Token], variables: &HashSet<String>) -> bool {
    let mut brackets = Vec::new();
    tokens.iter().enumerate().any(|(at, token)| match token {
        Token::Text { is_formatted } => *is_formatted,
        Token::Name(name) => {
            let follows = |at: usize| match tokens.get(at) {
                Some(Token::Sign(sign)) => *sign,
                _ => ' ',
            };
            // The name of an argument: `round(x, ndigits=1)`.
            let is_argument = follows(at + 1) == '='
                && follows(at + 2) != '='
                && at > 0
                && matches!(follows(at - 1), '(' | ',');
            !is_argument && !variables.contains(name) && !is_one_of(HARMLESS_NAMES, name)
        }
        Token::Sign('.') => matches!(tokens.get(at + 1), Some(Token::Name(_))),
        Token::Sign(open @ ('(' | '[' | '{')) => {
            brackets.push(*open);
            false
        }
        Token::Sign(')' | ']' | '}') => {
            brackets.pop();
            false
        }
        // A slice, or an assignment.
        Token::Sign(':') => brackets.last() != Some(&'{'),
        Token::Number | Token::Sign(_) => false,
    })
}

fn tokens(expression: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut letters = expression.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '_' || letter.is_alphabetic() {
            let mut name = String::from(letter);
            while let Some(more) = letters.next_if(|one| *one == '_' || one.is_alphanumeric()) {
                name.push(more);
            }
            let is_prefix = matches!(letters.peek(), Some('"' | '\'')) && name.len() <= 2;
            if !is_prefix {
                tokens.push(Token::Name(name));
                continue;
            }
            let is_formatted = name.contains(['f', 'F']);
            let quote = letters.next().unwrap_or('"');
            skip_text(quote, &mut letters);
            tokens.push(Token::Text { is_formatted });
        } else if letter.is_ascii_digit()
            || (letter == '.' && letters.peek().is_some_and(char::is_ascii_digit))
        {
            // `1.5e-3`, `0x1F`, `1_000`, `2j`; a point that a name follows is no part of it.
            let mut before = letter;
            while let Some(more) = letters.next_if(|one| {
                *one == '.'
                    || one.is_ascii_alphanumeric()
                    || *one == '_'
                    || (matches!(one, '+' | '-') && matches!(before, 'e' | 'E'))
            }) {
                before = more;
            }
            tokens.push(Token::Number);
        } else if matches!(letter, '"' | '\'') {
            skip_text(letter, &mut letters);
            tokens.push(Token::Text { is_formatted: false });
        } else if !letter.is_whitespace() {
            tokens.push(Token::Sign(letter));
        }
    }
    tokens
}

fn skip_text(quote: char, letters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    let mut is_escaped = false;
    for letter in letters.by_ref() {
        if letter == quote && !is_escaped {
            return;
        }
        is_escaped = letter == '\\' && !is_escaped;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(expression: &str) -> bool {
        needs_scripts(expression, &HashSet::from(["var".to_owned()]))
    }

    // Each was given to Blender 5.2.3 with scripts off (tests/consumer/test_scripts_off.py does it
    // again for the worker's own check).
    #[test]
    fn what_blender_evaluates_without_scripts_is_allowed() {
        for expression in [
            "var * 2 + 1.5e-3",
            "abs(sin(frame / 24)) if var > 0.5 else -pi",
            "clamp(var, 0, 1)",
            "(1, 2)[0]",
            "len('abc') ** 2 // 3 % 2",
            "round(var, ndigits=1)",
            "max(*(1, 2))",
            "{1: 2}[1]",
            "1 if var is None or var in (1, 2) else 0",
            "-1.",
            "",
        ] {
            assert!(!needs(expression), "{expression}");
        }
    }

    #[test]
    fn what_blender_leaves_out_without_scripts_needs_them() {
        for expression in [
            "bpy.context.scene.frame_current * 0.3",
            "self.location.x",
            "my_function(var)",
            "other",
            "noise.random()",
            "frame.real",
            "sorted((2, 1))[0]",
            "abs(len('a'))",
            "sum(x for x in (1, 2))",
            "(lambda: 3)()",
            "len(f'{frame}')",
            "(y := 3)",
            "__import__('os')",
        ] {
            assert!(needs(expression), "{expression}");
        }
    }

    #[test]
    fn any_text_is_looked_at_without_a_panic() {
        for expression in ["'", "f'", "\\", "é.ü", "1..2", "((((", "]]]", "a'b", "\u{0}"] {
            needs(expression);
        }
    }
}
