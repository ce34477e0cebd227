//! `#[omnify_trace::test]`

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Ident, ItemFn, LitInt, LitStr, Result, Token};

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let flavor = read.parse2(arguments)?;
    let function: ItemFn = syn::parse2(item)
        .map_err(|error| Error::new(error.span(), "`#[omnify_trace::test]` goes on a function"))?;
    let ItemFn {
        attrs,
        vis,
        sig,
        block,
        ..
    } = &function;
    if sig.inputs.len() > 1 {
        let message = "a test takes nothing, or one argument of type `omnify_trace::testing::Logs`";
        return Err(Error::new_spanned(&sig.inputs, message));
    }
    let (name, output) = (&sig.ident, &sig.output);
    let logs = match sig.inputs.first() {
        Some(logs) => quote!(#logs),
        None => quote!(_: ::omnify_trace::testing::Logs),
    };
    let inner = match &sig.asyncness {
        Some(_) => quote!(async fn inner(#logs) #output #block),
        None => quote! {
            async fn inner(__omnify_logs: ::omnify_trace::testing::Logs) #output {
                fn inner(#logs) #output #block
                inner(__omnify_logs)
            }
        },
    };
    Ok(quote! {
        #[::core::prelude::v1::test]
        #(#attrs)*
        #vis fn #name() #output {
            #inner
            ::omnify_trace::testing::block_on(#flavor, inner)
        }
    })
}

/// `flavor = "multi_thread", worker_threads = 2`
fn read(input: ParseStream<'_>) -> Result<TokenStream> {
    let (mut multi, mut workers) = (false, None);
    while !input.is_empty() {
        let name: Ident = input.parse()?;
        input.parse::<Token![=]>()?;
        match name.to_string().as_str() {
            "flavor" => {
                let flavor: LitStr = input.parse()?;
                multi = match flavor.value().as_str() {
                    "current_thread" => false,
                    "multi_thread" => true,
                    _ => {
                        let message = "the flavor is \"current_thread\" or \"multi_thread\"";
                        return Err(Error::new(flavor.span(), message));
                    }
                };
            }
            "worker_threads" => workers = Some(input.parse::<LitInt>()?),
            _ => {
                let message = "`#[omnify_trace::test]` takes `flavor` and `worker_threads`";
                return Err(Error::new(name.span(), message));
            }
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    if let (false, Some(workers)) = (multi, &workers) {
        return Err(Error::new(
            workers.span(),
            "workers are for `flavor = \"multi_thread\"`",
        ));
    }
    let workers = workers.unwrap_or_else(|| LitInt::new("2", Span::call_site()));
    Ok(match multi {
        true => quote!(::omnify_trace::testing::Flavor::MultiThread(#workers)),
        false => quote!(::omnify_trace::testing::Flavor::CurrentThread),
    })
}
