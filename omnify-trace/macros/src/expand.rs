//! The code around a traced function's body.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Lit, LitStr, Result};

use crate::arguments::Arguments;
use crate::function::{Function, Shape};
use crate::kind::Kind;

pub(crate) fn operation(
    kind: Kind,
    arguments: TokenStream,
    item: TokenStream,
) -> Result<TokenStream> {
    let function = Function::parse(kind.name(), item)?;
    let mut arguments = Arguments::parse(kind, arguments)?;
    if arguments.positional.is_empty() {
        let name = function.signature.ident.to_string();
        let lit = Lit::Str(LitStr::new(
            name.trim_start_matches("r#"),
            Span::call_site(),
        ));
        arguments
            .positional
            .push(Expr::Lit(ExprLit { attrs: vec![], lit }));
    }
    let definition = definition(kind, &arguments);
    let builder = builder(kind, &arguments);
    let body = body(&function, &arguments);
    let Function {
        attributes,
        visibility,
        signature,
        ..
    } = &function;
    Ok(quote! {
        #(#attributes)*
        #visibility #signature {
            #definition
            let __omnify_builder = #builder;
            #body
        }
    })
}

/// Makes a step with a literal id known before it ever runs.
fn definition(kind: Kind, arguments: &Arguments) -> Option<TokenStream> {
    let id = match arguments.positional.first() {
        Some(Expr::Lit(ExprLit {
            lit: Lit::Str(id), ..
        })) if kind == Kind::Step => id,
        _ => return None,
    };
    Some(quote! {
        ::omnify_trace::__private::inventory::submit! {
            ::omnify_trace::operation::StepDefinition::new(#id, ::core::concat!(
                ::core::file!(), ":", ::core::line!()
            ))
        }
    })
}

fn builder(kind: Kind, arguments: &Arguments) -> TokenStream {
    let constructor = format_ident!("{}", kind.name());
    let positional = &arguments.positional;
    let calls = arguments.options.iter().map(|(name, value)| {
        // The call lies where the value stands, so that its errors point there.
        quote_spanned!(value.span()=> .#name(#value))
    });
    let Some(fields) = &arguments.fields else {
        return quote!(::omnify_trace::operation::#constructor(#(#positional),*)#(#calls)*);
    };
    let (id, others) = (positional.first(), positional.get(1..).unwrap_or_default());
    let span_name = kind.name();
    let id_field = kind.id_field().map(|field| {
        let field = format_ident!("{field}");
        quote!(#field = &*__omnify_id,)
    });
    let calls = arguments
        .options
        .iter()
        .filter(|(name, _)| kind != Kind::Workflow || name != "run_id");
    let calls = calls.map(|(name, value)| quote_spanned!(value.span()=> .#name(#value)));
    let (run_id, run_field, run_call) = run_id(kind, arguments);
    quote! {{
        let __omnify_id: ::std::borrow::Cow<'static, str> = ::core::convert::Into::into(#id);
        #run_id
        let __omnify_span = ::omnify_trace::__private::tracing::error_span!(
            target: "omnify_trace::operation",
            #span_name,
            #id_field
            #run_field
            #fields
        );
        ::omnify_trace::operation::#constructor(__omnify_id #(, #others)*)
            .in_span(__omnify_span)
            #run_call
            #(#calls)*
    }}
}

/// A span made here must carry the run's id, so the id is made here, too.
fn run_id(kind: Kind, arguments: &Arguments) -> (TokenStream, TokenStream, TokenStream) {
    if kind != Kind::Workflow {
        return Default::default();
    }
    let given = arguments.options.iter().find(|(name, _)| name == "run_id");
    let value = given.map_or_else(
        || quote!(::omnify_trace::operation::new_run_id()),
        |(_, value)| quote!(#value),
    );
    (
        quote! {
            let __omnify_run: ::std::borrow::Cow<'static, str> = ::core::convert::Into::into(#value);
        },
        quote!(run_id = &*__omnify_run,),
        quote!(.run_id(__omnify_run)),
    )
}

fn body(function: &Function, arguments: &Arguments) -> TokenStream {
    let block = &function.block;
    let output = function.nameable_output();
    let arrow = output.as_ref().map(|output| quote!(-> #output));
    let judge = quote! {
        |__omnify_output| {
            #[allow(unused_imports)]
            use ::omnify_trace::operation::probe::{
                Anything as _, Boxed as _, ByReference as _, Probe, Shown as _, Standard as _,
            };
            (&&&&&Probe(__omnify_output)).verdict()
        }
    };
    let measure = arguments.output_bytes.as_ref().map(|measure| {
        quote_spanned! {measure.span()=>
            ::omnify_trace::operation::measure_output(&__omnify_output, #measure);
        }
    });
    match function.shape() {
        Shape::Async => {
            let future = measured_future(&typed_future(block, output.as_ref()), measure.as_ref());
            quote! {
                let __omnify_future = #future;
                __omnify_builder.run_judged(__omnify_future, #judge).await
            }
        }
        Shape::ReturnsFuture => {
            let future = measured_future(&quote!((move || #block)()), measure.as_ref());
            quote! {
                let __omnify_future = #future;
                __omnify_builder.run_judged(__omnify_future, #judge)
            }
        }
        Shape::ReturnsBoxed => {
            let future = measured_future(&quote!((move || #arrow #block)()), measure.as_ref());
            quote! {
                let __omnify_future = #future;
                ::std::boxed::Box::pin(__omnify_builder.run_judged(__omnify_future, #judge))
            }
        }
        Shape::Sync => {
            let work = match &measure {
                None => quote!(move || #arrow #block),
                Some(measure) => quote! {
                    move || #arrow {
                        let __omnify_output = (move || #arrow #block)();
                        #measure
                        __omnify_output
                    }
                },
            };
            quote!(__omnify_builder.run_sync_judged(#work, #judge))
        }
    }
}

/// The body as a future. The branch that is never taken tells the compiler its type, so that
/// `?` and `.into()` inside find theirs, as they would in the plain function.
fn typed_future(block: &syn::Block, output: Option<&TokenStream>) -> TokenStream {
    let hint = output.map(|output| {
        quote! {
            #[allow(
                unknown_lints, unreachable_code, clippy::diverging_sub_expression,
                clippy::empty_loop, clippy::let_unit_value, clippy::let_with_type_underscore,
                clippy::needless_return, clippy::unreachable
            )]
            if false {
                let __omnify_hint: #output = loop {};
                return __omnify_hint;
            }
        }
    });
    quote!(async move { #hint #block })
}

fn measured_future(future: &TokenStream, measure: Option<&TokenStream>) -> TokenStream {
    match measure {
        None => future.clone(),
        Some(measure) => quote! {{
            let __omnify_inner = #future;
            async move {
                let __omnify_output = __omnify_inner.await;
                #measure
                __omnify_output
            }
        }},
    }
}
