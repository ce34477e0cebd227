//! The event types that a browser tells of, by numbers that the script knows.

use omnify_trace::schema::EventType;
use wasm_bindgen::prelude::wasm_bindgen;

macro_rules! events {
    ($($variant:ident,)*) => {
        /// What kind of thing happened in the page.
        #[wasm_bindgen]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Event {
            /// A plain log line, or an application's own type, which goes by its name.
            Own,
            $(
                #[doc = concat!("See [`EventType::", stringify!($variant), "`].")]
                $variant,
            )*
        }

        impl Event {
            /// The wire name; `own` for an application's own type.
            pub(crate) fn wire(self, own: &str) -> &str {
                match self {
                    Self::Own => own,
                    $(Self::$variant => EventType::$variant.as_str(),)*
                }
            }
        }
    };
}

events! {
    UserAction,
    Navigation,
    ApiRequest,
    ApiResponse,
    ApiError,
    PagePerformance,
    FrontendError,
    SessionStart,
    WorkflowStart,
    WorkflowStep,
    WorkflowStepError,
    WorkflowComplete,
    WorkflowError,
    LogLoss,
}
