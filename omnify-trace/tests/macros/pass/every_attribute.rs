//! Each of the five attributes on every shape of function: each call is told once, a failure with
//! its error, and nothing of an argument unless `fields(…)` names it.
#![forbid(unsafe_code)]
#![deny(warnings)]

use omnify_trace::testing;

const SECRET: &str = "4111-1111";
const SHOWN: u32 = 7_654_321;

macro_rules! on_every_shape {
    ($name:ident($($arguments:tt)*): $completed:literal, $failed:literal) => {
        mod $name {
            use std::fmt::Display;
            use std::future::Future;
            use std::io;
            use std::pin::Pin;

            use omnify_trace::$name;

            use super::{SECRET, SHOWN};

            type Answer = io::Result<usize>;

            #[$name($($arguments)*)]
            async fn asynchronous(secret: &str, _shown: u32) -> Answer {
                refuse_nothing(secret).await
            }

            #[$name($($arguments)*, fields(shown))]
            async fn asynchronous_shown(secret: &str, shown: u32) -> Answer {
                Ok(secret.len() + shown as usize)
            }

            #[$name($($arguments)*)]
            async fn refuses(secret: &str) -> Answer {
                refuse(secret)?;
                Ok(1)
            }

            #[$name($($arguments)*)]
            fn plain(secret: &str) -> Answer {
                Ok(secret.len())
            }

            #[$name($($arguments)*, fields(shown = shown + 0))]
            fn plain_shown(secret: &str, shown: u32) -> usize {
                secret.len() + shown as usize
            }

            #[$name($($arguments)*)]
            fn plain_refuses(secret: &str) -> Answer {
                refuse(secret)?;
                Ok(1)
            }

            #[$name($($arguments)*)]
            fn returns_future<'a>(secret: &'a str) -> impl Future<Output = Answer> + Send + 'a {
                refuse_nothing(secret)
            }

            #[$name($($arguments)*)]
            fn returns_refusal(secret: &str) -> impl Future<Output = Answer> {
                refuse_later(secret)
            }

            #[$name($($arguments)*, fields(shown))]
            fn returns_boxed(
                secret: &str,
                shown: u32,
            ) -> Pin<Box<dyn Future<Output = Answer> + Send + '_>> {
                let _ = shown;
                Box::pin(refuse_nothing(secret))
            }

            #[$name($($arguments)*)]
            async fn generic<T, const N: usize>(secret: [T; N], (left, _): (T, u8)) -> Answer
            where
                T: Display + Send,
            {
                Ok(secret.len() + left.to_string().len())
            }

            #[$name($($arguments)*)]
            fn anything(mut secret: impl AsRef<str> + Into<String>) -> impl Iterator<Item = usize> {
                secret = secret;
                [secret.as_ref().len()].into_iter()
            }

            struct Card(String);

            impl Card {
                #[$name($($arguments)*)]
                async fn by_reference(&self, secret: &str) -> Answer {
                    Ok(self.0.len() + secret.len())
                }

                #[$name($($arguments)*)]
                fn changes(&mut self, secret: &str) -> &mut String {
                    self.0.push_str(secret);
                    &mut self.0
                }

                #[$name($($arguments)*)]
                async fn consumed(self) -> Answer {
                    refuse(&self.0).map(|()| 1)
                }

                #[$name($($arguments)*)]
                fn new(secret: &str) -> Self {
                    Self(secret.to_owned())
                }
            }

            trait Pay: Sync {
                fn pay(&self, secret: &str) -> impl Future<Output = Answer> + Send;

                fn boxed<'a>(
                    &'a self,
                    secret: &'a str,
                ) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

                fn ask(&self, secret: &str) -> Result<usize, String>;

                #[$name($($arguments)*)]
                fn with_body(&self, secret: &str) -> usize {
                    secret.len()
                }
            }

            impl Pay for Card {
                #[$name($($arguments)*)]
                async fn pay(&self, secret: &str) -> Answer {
                    refuse_nothing(secret).await
                }

                #[$name($($arguments)*)]
                fn boxed<'a>(
                    &'a self,
                    secret: &'a str,
                ) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>> {
                    Box::pin(async move { Ok(self.0.len() + secret.len()) })
                }

                #[$name($($arguments)*)]
                fn ask(&self, secret: &str) -> Result<usize, String> {
                    Err(format!("refused after {}", secret.len()))
                }
            }

            async fn refuse_nothing(secret: &str) -> Answer {
                Ok(secret.len())
            }

            async fn refuse_later(secret: &str) -> Answer {
                refuse(secret).map(|()| 1)
            }

            fn refuse(secret: &str) -> io::Result<()> {
                Err(io::Error::other(format!("refused after {}", secret.len())))
            }

            /// Calls each once, and gives how many calls were to complete and to fail, and how
            /// many of them show their field.
            async fn calls() -> (usize, usize, usize) {
                let mut card = Card::new(SECRET);
                let futures: [Pin<Box<dyn Future<Output = Answer> + Send + '_>>; 4] = [
                    Box::pin(asynchronous(SECRET, SHOWN)),
                    Box::pin(asynchronous_shown(SECRET, SHOWN)),
                    Box::pin(generic::<_, 2>([SECRET, SECRET], (SECRET, 1))),
                    returns_boxed(SECRET, SHOWN),
                ];
                for future in futures {
                    assert!(future.await.is_ok());
                }
                assert!(returns_future(SECRET).await.is_ok());
                assert!(plain(SECRET).is_ok());
                assert!(plain_shown(SECRET, SHOWN) > 1);
                assert_eq!(anything(SECRET).count(), 1);
                assert!(card.by_reference(SECRET).await.is_ok());
                assert!(card.changes(SECRET).ends_with(SECRET));
                assert!(card.pay(SECRET).await.is_ok());
                assert!(card.boxed(SECRET).await.is_ok());
                assert_eq!(card.with_body(SECRET), SECRET.len());
                assert!(refuses(SECRET).await.is_err());
                assert!(plain_refuses(SECRET).is_err());
                assert!(returns_refusal(SECRET).await.is_err());
                assert!(card.ask(SECRET).is_err());
                assert!(card.consumed().await.is_err());
                (14, 5, 3)
            }

            pub fn check() {
                let mut expected = (0, 0, 0);
                let logs = super::testing::capture(|| expected = super::block_on(calls()));
                let lines: Vec<String> =
                    logs.events().iter().map(|event| event.json().to_string()).collect();
                let failed = |line: &&String| line.contains("refused after");
                let ended = |line: &&String| line.contains("\"duration_ms\"");
                let of = |event_type: &str| {
                    let event_type = format!("\"event_type\":\"{event_type}\"");
                    let lines = lines.iter().filter(ended);
                    lines.filter(|line| line.contains(&event_type)).collect::<Vec<_>>()
                };
                let (completed, refused) = (of($completed), of($failed));
                let completed = completed.into_iter().filter(|line| !failed(line)).count();
                let refused = refused.into_iter().filter(failed).count();
                let shown = lines.iter().filter(ended);
                let shown = shown.filter(|line| line.contains(&SHOWN.to_string())).count();
                assert_eq!((completed, refused, shown), expected, "{lines:#?}");
                assert!(lines.iter().all(|line| !line.contains(SECRET)), "{lines:#?}");
            }
        }
    };
}

on_every_shape!(workflow("order"): "workflow_complete", "workflow_error");
on_every_shape!(step("charge"): "workflow_step", "workflow_step_error");
on_every_shape!(agent("researcher"): "agent_complete", "agent_error");
on_every_shape!(external_api("bank", "POST", "/cards/{id}"): "external_api_call", "external_api_call");
on_every_shape!(db_query("select 1"): "db_query", "db_query");

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

fn main() {
    workflow::check();
    step::check();
    agent::check();
    external_api::check();
    db_query::check();
}
