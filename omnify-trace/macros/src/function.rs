//! The function under an attribute, and which shape it has.

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser};
use syn::visit::Visit;
use syn::{
    Attribute, Block, Error, GenericArgument, PathArguments, Result, ReturnType, Signature, Token,
    Type, TypeImplTrait, TypeParamBound, Visibility,
};

/// A function with a body.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) block: Block,
}

/// How the work of a function is done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `async fn`
    Async,
    /// `fn … -> impl Future`
    ReturnsFuture,
    /// `fn … -> Pin<Box<dyn Future>>`, which `async_trait` makes, too
    ReturnsBoxed,
    /// Any other `fn`
    Sync,
}

impl Function {
    pub(crate) fn parse(attribute: &str, tokens: TokenStream) -> Result<Self> {
        let read = |input: ParseStream<'_>| {
            let attributes = input.call(Attribute::parse_outer)?;
            let visibility = input.parse()?;
            let not_function = |error: Error| {
                let message = format!("`#[{attribute}]` goes on a function or method");
                Error::new(error.span(), message)
            };
            let signature: Signature = input.parse().map_err(not_function)?;
            if input.peek(Token![;]) {
                let message = format!(
                    "`#[{attribute}]` needs a body: put it on the method of the implementation"
                );
                return Err(Error::new_spanned(&signature, message));
            }
            let block = input.parse()?;
            Ok(Self {
                attributes,
                visibility,
                signature,
                block,
            })
        };
        let function = read.parse2(tokens)?;
        if let Some(constness) = &function.signature.constness {
            let message = format!("`#[{attribute}]` cannot trace a `const fn`");
            return Err(Error::new_spanned(constness, message));
        }
        Ok(function)
    }

    pub(crate) fn shape(&self) -> Shape {
        if self.signature.asyncness.is_some() {
            return Shape::Async;
        }
        match self.output() {
            Some(Type::ImplTrait(returned)) if is_future(&returned.bounds) => Shape::ReturnsFuture,
            Some(returned) if is_boxed_future(returned) => Shape::ReturnsBoxed,
            _ => Shape::Sync,
        }
    }

    /// The type after the arrow.
    pub(crate) fn output(&self) -> Option<&Type> {
        match &self.signature.output {
            ReturnType::Default => None,
            ReturnType::Type(_, output) => Some(output),
        }
    }

    /// The output, where it can be written down inside the body, too.
    pub(crate) fn nameable_output(&self) -> Option<TokenStream> {
        struct HasImpl(bool);
        impl<'ast> Visit<'ast> for HasImpl {
            fn visit_type_impl_trait(&mut self, _: &'ast TypeImplTrait) {
                self.0 = true;
            }
        }
        let Some(output) = self.output() else {
            return Some(quote::quote!(()));
        };
        let mut has_impl = HasImpl(matches!(output, Type::Never(_)));
        has_impl.visit_type(output);
        (!has_impl.0).then(|| quote::quote!(#output))
    }
}

fn is_future<'a>(bounds: impl IntoIterator<Item = &'a TypeParamBound>) -> bool {
    bounds.into_iter().any(|bound| {
        matches!(bound, TypeParamBound::Trait(bound)
            if bound.path.segments.last().is_some_and(|last| last.ident == "Future"))
    })
}

fn is_boxed_future(returned: &Type) -> bool {
    let Some((name, arguments)) = last_segment(returned) else {
        return false;
    };
    if name == "BoxFuture" || name == "LocalBoxFuture" {
        return true;
    }
    let inside = |arguments: &PathArguments| match arguments {
        PathArguments::AngleBracketed(list) => {
            list.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(inside) => Some(inside.clone()),
                _ => None,
            })
        }
        _ => None,
    };
    let Some(boxed) = inside(arguments).filter(|_| name == "Pin") else {
        return false;
    };
    match last_segment(&boxed) {
        Some((name, arguments)) if name == "Box" => {
            matches!(inside(arguments), Some(Type::TraitObject(object)) if is_future(&object.bounds))
        }
        _ => false,
    }
}

fn last_segment(path: &Type) -> Option<(String, &PathArguments)> {
    match path {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .map(|last| (last.ident.to_string(), &last.arguments)),
        _ => None,
    }
}
