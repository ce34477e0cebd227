//! The numbers by which the script names events, settings, facts, counters and signs.
//!
//! They are numbers and not exported enums because those would cost a kilobyte of glue. The script's
//! side is `js/src/codes.ts`; a test holds the two together.

use omnify_trace::schema::EventType;

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $variant_doc:literal])* $variant:ident,)* })*) => {
        $(
            $(#[doc = $doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub(crate) enum $name {
                $($(#[doc = $variant_doc])* $variant,)*
            }

            impl $name {
                const ALL: &[Self] = &[$(Self::$variant,)*];

                /// What a number stands for; `None` for a number that nobody gave out.
                pub(crate) fn of(code: u8) -> Option<Self> {
                    Self::ALL.get(usize::from(code)).copied()
                }
            }
        )*

        /// Every group with the names of its members, in order.
        #[cfg(test)]
        const NAMES: &[(&str, &[&str])] = &[$((stringify!($name), &[$(stringify!($variant),)*]),)*];
    };
}

codes! {
    /// A text that [`set`](crate::set) sets.
    Setting {
        /// Name of the application: the lines' `target`.
        App,
        /// Where batches are posted; requests to it are not followed.
        Endpoint,
        /// One more origin that gets trace headers; the page's own is one of them.
        AllowedOrigin,
        /// One more key whose values are redacted.
        RedactKey,
        /// Who uses the page.
        UserId,
        /// On behalf of which customer.
        OrganizationId,
        /// The open workflow run: its definition.
        WorkflowId,
        /// The open workflow run; empty when it ended.
        RunId,
        /// The open workflow run's step.
        StepId,
        /// The session that another tab or page stored.
        Session,
        /// Lines that an earlier page kept as [`Fact::Unsent`].
        Unsent,
    }

    /// A text that [`get`](crate::get) answers.
    Fact {
        /// The session's id.
        SessionId,
        /// What the browser stores, so that the next page goes on with this session.
        Session,
        /// The trace that something happening now belongs to.
        TraceId,
        /// A new id for a workflow run.
        NewRunId,
        /// Lines not yet sent, one each, to keep across a reload; empty without consent.
        Unsent,
    }

    /// A counter that [`count`](crate::count) answers. From the third on they count losses.
    Count {
        /// Entries that the server has.
        Sent,
        /// Entries that wait or are on their way.
        Queued,
        /// The queue was full.
        QueueFull,
        /// The page logged more than its share.
        RateLimited,
        /// The same error came too often.
        Duplicate,
        /// The server would not have them.
        Rejected,
        /// One line larger than a batch.
        TooLarge,
        /// The person did not agree.
        NoConsent,
    }

    /// Something that changes what later entries belong to, or how they are handled.
    Sign {
        /// A person is there. Answers whether a session began by it.
        Person,
        /// A person did something: a trace opens.
        Action,
        /// A form was submitted: a trace opens, unless the click that submitted it just opened one.
        Submit,
        /// Another page or route is shown.
        Page,
        /// The open workflow run goes on in the current trace.
        Run,
        /// Consent: 0 denied, 1 pending, 2 granted.
        Consent,
        /// Share of sessions that are logged, 0 to 1.
        SampleRate,
        /// Longest time that an entry waits for company, in milliseconds.
        Interval,
    }
}

macro_rules! events {
    ($($event:ident,)*) => {
        /// Wire names of browsers' event types in the order of the script's numbers, which begin with 1:
        /// 0 is a plain log line or an application's own type.
        const EVENTS: &[&str] = &[$(EventType::$event.as_str(),)*];

        #[cfg(test)]
        const EVENT_NAMES: &[&str] = &[$(stringify!($event),)*];
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

/// The wire name of an event's number; `own` for 0.
pub(crate) fn event(code: u8, own: &str) -> &str {
    let known = usize::from(code).checked_sub(1);
    known.and_then(|at| EVENTS.get(at)).map_or(own, |name| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `export const USER_ID = 4;` for a group's fifth member.
    fn line(group: &str, name: &str, code: usize) -> String {
        let mut upper = format!("export const {}_", group.to_uppercase());
        for (at, letter) in name.char_indices() {
            if at > 0 && letter.is_uppercase() {
                upper.push('_');
            }
            upper.extend(letter.to_uppercase());
        }
        format!("{upper} = {code};")
    }

    #[test]
    fn the_script_knows_the_same_numbers() {
        let script = include_str!("../js/src/codes.ts");
        let mut wanted: Vec<String> = NAMES
            .iter()
            .flat_map(|(group, names)| {
                let lines = names.iter().enumerate();
                lines.map(|(code, name)| line(group, name, code))
            })
            .collect();
        wanted.push(line("Event", "Own", 0));
        let events = EVENT_NAMES.iter().enumerate();
        wanted.extend(events.map(|(at, name)| line("Event", name, at + 1)));
        let found: Vec<&str> = script
            .lines()
            .filter(|line| line.starts_with("export"))
            .collect();
        assert_eq!(found, wanted);
    }
}
