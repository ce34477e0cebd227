//! Query parameters that a route does not know are refused: a misspelt filter that is passed over
//! would show lines that nobody asked for.

use std::collections::{HashMap, HashSet};

use axum::{
    extract::{MatchedPath, Query as UriQuery, Request, State as AxumState},
    http::{Method, Uri},
    middleware::Next,
    response::{IntoResponse, Response},
};
use utoipa::openapi::{
    OpenApi, RefOr,
    path::{Operation, Parameter, ParameterIn, PathItem},
};

use super::{App, problem::ApiError};

/// The query parameters of each route, as its description has them.
#[derive(Debug, Default)]
pub(super) struct Known(HashMap<(Method, String), HashSet<String>>);

impl Known {
    pub(super) fn of(document: &OpenApi) -> Self {
        let mut known = HashMap::new();
        for (path, item) in &document.paths.paths {
            for (method, operation) in operations(item) {
                let name = |parameter: &RefOr<Parameter>| match parameter {
                    RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query => {
                        Some(parameter.name.clone())
                    }
                    _ => None,
                };
                let names = operation.parameters.iter().flatten().filter_map(name);
                known.insert((method, path.clone()), names.collect());
            }
        }
        Self(known)
    }

    /// The first parameter that the route does not have.
    fn stranger(&self, method: &Method, path: &str, uri: &Uri) -> Option<(String, String)> {
        let path = path.strip_prefix(super::BASE).unwrap_or(path);
        let method = if method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        let known = self.0.get(&(method.clone(), path.to_owned()))?;
        let UriQuery(names) = UriQuery::<Vec<(String, String)>>::try_from_uri(uri).ok()?;
        let (stranger, _) = names.into_iter().find(|(name, _)| !known.contains(name))?;
        let mut all: Vec<&str> = known.iter().map(String::as_str).collect();
        all.sort_unstable();
        let detail = if all.is_empty() {
            "This route has no query parameters.".to_owned()
        } else {
            format!(
                "This route has no such parameter; it has {}.",
                all.join(", ")
            )
        };
        Some((stranger, detail))
    }
}

fn operations(item: &PathItem) -> impl Iterator<Item = (Method, &Operation)> {
    [
        (Method::GET, &item.get),
        (Method::POST, &item.post),
        (Method::PUT, &item.put),
        (Method::PATCH, &item.patch),
        (Method::DELETE, &item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

/// Refuses parameters that the route does not have.
pub(super) async fn refuse_strangers(
    AxumState(app): AxumState<App>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.extensions().get::<MatchedPath>();
    let stranger = path.and_then(|path| {
        app.known
            .stranger(request.method(), path.as_str(), request.uri())
    });
    match stranger {
        Some((name, detail)) => ApiError::invalid(name, detail).into_response(),
        None => next.run(request).await,
    }
}
