//! Reading an attribute's arguments.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Expr, Ident, Lit, Result, Token};

use crate::kind::Kind;

/// `#[step("id", name = "…", fields(…))]`
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) positional: Vec<Expr>,
    pub(crate) options: Vec<(Ident, Expr)>,
    pub(crate) output_bytes: Option<Expr>,
    pub(crate) fields: Option<TokenStream>,
}

impl Arguments {
    pub(crate) fn parse(kind: Kind, tokens: TokenStream) -> Result<Self> {
        (|input: ParseStream<'_>| Self::read(kind, input)).parse2(tokens)
    }

    fn read(kind: Kind, input: ParseStream<'_>) -> Result<Self> {
        let mut arguments = Self {
            positional: vec![],
            options: vec![],
            output_bytes: None,
            fields: None,
        };
        while !input.is_empty() {
            if input.peek(Ident::peek_any) && input.peek2(Token![=]) && !input.peek2(Token![==]) {
                arguments.option(kind, input)?;
            } else if is_fields(input) {
                arguments.fields(kind, input)?;
            } else {
                arguments.positional(kind, input)?;
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        arguments.complete(kind)
    }

    fn option(&mut self, kind: Kind, input: ParseStream<'_>) -> Result<()> {
        let name = input.call(Ident::parse_any)?;
        input.parse::<Token![=]>()?;
        let value: Expr = input.parse()?;
        let text = name.to_string();
        let twice = || Error::new(name.span(), format!("`{text}` is given twice"));
        if text == "output_bytes" && kind.has_output_bytes() {
            return match self.output_bytes.replace(value) {
                None => Ok(()),
                Some(_) => Err(twice()),
            };
        }
        if !kind.options().contains(&text.as_str()) {
            return Err(Error::new(name.span(), unknown(kind, &text)));
        }
        if self.options.iter().any(|(earlier, _)| *earlier == name) {
            return Err(twice());
        }
        self.options.push((name, value));
        Ok(())
    }

    fn fields(&mut self, kind: Kind, input: ParseStream<'_>) -> Result<()> {
        let name: Ident = input.parse()?;
        let content;
        syn::parenthesized!(content in input);
        let fields: TokenStream = content.parse()?;
        if self.fields.replace(fields.clone()).is_some() {
            return Err(Error::new(name.span(), "`fields` is given twice"));
        }
        let own = [
            kind.id_field(),
            (kind == Kind::Workflow).then_some("run_id"),
        ];
        let names = names_of_fields(fields);
        let doubled = names.iter().find(|name| {
            let is_own = |own: &str| *name == own;
            own.into_iter().flatten().any(is_own)
        });
        match doubled {
            None => Ok(()),
            Some(name) => {
                let message = format!("`{name}` is recorded by `#[{}]` itself", kind.name());
                Err(Error::new(name.span(), message))
            }
        }
    }

    fn positional(&mut self, kind: Kind, input: ParseStream<'_>) -> Result<()> {
        let start = input.span();
        if !self.options.is_empty() || self.fields.is_some() {
            let order = format!(
                "write {} before everything with a name",
                list(kind.positional())
            );
            return Err(Error::new(start, order));
        }
        let value: Expr = input.parse()?;
        let names = kind.positional();
        let Some(name) = names.get(self.positional.len()) else {
            let message = format!(
                "one too many: `#[{}]` takes {}, and then options with names",
                kind.name(),
                list(names)
            );
            return Err(Error::new(start, message));
        };
        if let Expr::Lit(literal) = &value {
            match &literal.lit {
                Lit::Str(text) if text.value().trim().is_empty() => {
                    return Err(Error::new(start, format!("the {name} is empty")));
                }
                Lit::Str(_) => {}
                _ => return Err(Error::new(start, format!("the {name} must be text"))),
            }
        }
        self.positional.push(value);
        Ok(())
    }

    fn complete(self, kind: Kind) -> Result<Self> {
        let needed = kind.positional();
        if self.positional.len() < needed.len() && !kind.has_default_id() {
            let message = format!(
                "`#[{}]` needs {}: `#[{0}({})]`",
                kind.name(),
                list(needed),
                needed
                    .iter()
                    .map(|name| format!("\"{name}\""))
                    .collect::<Vec<_>>()
                    .join(", "),
            );
            let given = &self.positional;
            // Of what was given to what is missing; nothing given leaves the whole attribute.
            return Err(match given.as_slice() {
                [] => Error::new(Span::call_site(), message),
                _ => Error::new_spanned(quote::quote!(#(#given),*), message),
            });
        }
        Ok(self)
    }
}

fn is_fields(input: ParseStream<'_>) -> bool {
    input
        .fork()
        .parse::<Ident>()
        .is_ok_and(|ident| ident == "fields")
        && input.peek2(syn::token::Paren)
}

/// The names without a dot: `a` and `b` of `a = c, %b, d.e = 7`.
fn names_of_fields(fields: TokenStream) -> Vec<Ident> {
    let mut names = vec![];
    let mut begins = true;
    let mut tokens = fields.into_iter().peekable();
    while let Some(token) = tokens.next() {
        begins = match token {
            TokenTree::Punct(mark) => mark.as_char() == ',' || begins,
            TokenTree::Ident(name) => {
                let is_part =
                    matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == '.');
                if begins && !is_part {
                    names.push(name);
                }
                false
            }
            _ => false,
        };
    }
    names
}

fn unknown(kind: Kind, name: &str) -> String {
    let mut known: Vec<&str> = kind.options().to_vec();
    if kind.has_output_bytes() {
        known.push("output_bytes");
    }
    format!(
        "`#[{}]` has no option `{name}`: it takes {}, `fields(…)`",
        kind.name(),
        known
            .iter()
            .map(|option| format!("`{option}`"))
            .collect::<Vec<_>>()
            .join(", "),
    )
}

fn list(names: &[&str]) -> String {
    match names {
        [one] => format!("the {one}"),
        _ => format!("the {}", names.join(", the ")),
    }
}
