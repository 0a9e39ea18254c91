//! Makes a pattern, as read, mean what MongoDB means by it, or refuses it.
//!
//! The parser is that of Rust's `regex`, whose dialect differs from PCRE in a few places. Where both read a pattern, but
//! differently, it is either rewritten (`\d`, `\s`, `\w` and `\b` are about ASCII, `\<` is a character) or refused (sets
//! within sets, repetitions of repetitions, flags and assertions that PCRE does not know).

use regex_syntax::ast::{
    AssertionKind, Ast, ClassAscii, ClassAsciiKind, ClassBracketed, ClassPerl, ClassPerlKind,
    ClassSet, ClassSetItem, Flag, Flags, FlagsItemKind, GroupKind, Literal, LiteralKind, Span,
};

/// Where, in bytes, and why.
pub(super) type Refusal = (usize, &'static str);

/// Goes through the whole pattern. Its depth is bounded by the parser.
pub(super) fn tame(ast: &mut Ast) -> Result<(), Refusal> {
    match ast {
        Ast::Empty(_) | Ast::Literal(_) | Ast::Dot(_) | Ast::ClassUnicode(_) => Ok(()),
        Ast::Flags(set) => flags(&set.flags),
        Ast::Assertion(assertion) => {
            let span = assertion.span;
            match assertion.kind {
                AssertionKind::WordBoundaryStartAngle => *ast = character('<', span),
                AssertionKind::WordBoundaryEndAngle => *ast = character('>', span),
                AssertionKind::StartLine
                | AssertionKind::EndLine
                | AssertionKind::StartText
                | AssertionKind::EndText
                | AssertionKind::WordBoundary
                | AssertionKind::NotWordBoundary => {}
                AssertionKind::WordBoundaryStart
                | AssertionKind::WordBoundaryEnd
                | AssertionKind::WordBoundaryStartHalf
                | AssertionKind::WordBoundaryEndHalf => {
                    return Err((span.start.offset, "an assertion that is not supported"));
                }
            }
            Ok(())
        }
        Ast::ClassPerl(class) => {
            *ast = Ast::class_bracketed(of_ascii(class));
            Ok(())
        }
        Ast::ClassBracketed(class) => set(&mut class.kind),
        Ast::Repetition(repetition) => match *repetition.ast {
            Ast::Repetition(_) => Err((
                repetition.op.span.start.offset,
                "a repetition of a repetition",
            )),
            ref mut repeated => tame(repeated),
        },
        Ast::Group(group) => {
            if let GroupKind::NonCapturing(inner) = &group.kind {
                flags(inner)?;
            }
            tame(&mut group.ast)
        }
        Ast::Alternation(alternation) => alternation.asts.iter_mut().try_for_each(tame),
        Ast::Concat(concat) => concat.asts.iter_mut().try_for_each(tame),
    }
}

fn flags(flags: &Flags) -> Result<(), Refusal> {
    flags.items.iter().try_for_each(|item| match item.kind {
        FlagsItemKind::Flag(Flag::Unicode | Flag::CRLF) => {
            Err((item.span.start.offset, "a flag that is not supported"))
        }
        FlagsItemKind::Negation
        | FlagsItemKind::Flag(
            Flag::CaseInsensitive
            | Flag::MultiLine
            | Flag::DotMatchesNewLine
            | Flag::SwapGreed
            | Flag::IgnoreWhitespace,
        ) => Ok(()),
    })
}

fn set(class: &mut ClassSet) -> Result<(), Refusal> {
    match class {
        ClassSet::Item(one) => item(one),
        ClassSet::BinaryOp(operation) => Err((
            operation.span.start.offset,
            "a set operation, which is not supported",
        )),
    }
}

fn item(one: &mut ClassSetItem) -> Result<(), Refusal> {
    match one {
        ClassSetItem::Empty(_)
        | ClassSetItem::Literal(_)
        | ClassSetItem::Range(_)
        | ClassSetItem::Unicode(_) => {}
        ClassSetItem::Perl(class) => {
            *one = ClassSetItem::Bracketed(Box::new(of_ascii(class)));
        }
        ClassSetItem::Ascii(class) => {
            *one = ClassSetItem::Bracketed(Box::new(bracketed(
                class.kind.clone(),
                class.negated,
                class.span,
            )));
        }
        ClassSetItem::Bracketed(class) => {
            return Err((class.span.start.offset, "a set within a set"));
        }
        ClassSetItem::Union(union) => union.items.iter_mut().try_for_each(item)?,
    }
    Ok(())
}

fn of_ascii(class: &ClassPerl) -> ClassBracketed {
    let kind = match class.kind {
        ClassPerlKind::Digit => ClassAsciiKind::Digit,
        ClassPerlKind::Space => ClassAsciiKind::Space,
        ClassPerlKind::Word => ClassAsciiKind::Word,
    };
    bracketed(kind, class.negated, class.span)
}

/// A class in brackets of its own: one that is negated is then folded in case before it is negated, not after.
fn bracketed(kind: ClassAsciiKind, negated: bool, span: Span) -> ClassBracketed {
    ClassBracketed {
        span,
        negated,
        kind: ClassSet::Item(ClassSetItem::Ascii(ClassAscii {
            span,
            kind,
            negated: false,
        })),
    }
}

fn character(c: char, span: Span) -> Ast {
    Ast::literal(Literal {
        span,
        kind: LiteralKind::Superfluous,
        c,
    })
}
