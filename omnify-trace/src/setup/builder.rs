//! Building telemetry: what the program says wins over what the environment says.

use std::{path::PathBuf, sync::Arc};

use tracing::Dispatch;
use tracing_core::LevelFilter;
use tracing_subscriber::prelude::*;

use super::{
    Console, Directives, Environment, Levels, Telemetry,
    console::{PrettyLayer, Tee},
    env::Variables,
    journal, story,
    teller::Teller,
};
use crate::{
    Error, JsonLayer, Sink,
    journal::JournalOptions,
    layer::{Clock, Duplicates, FlightRecorder, Sampling, Service},
    redact::Redactor,
};

/// Builds a [`Telemetry`]. What is not set comes from the environment, then from the preset.
#[must_use]
#[derive(Default)]
pub struct TelemetryBuilder {
    environment: Option<Environment>,
    service_name: Option<String>,
    service_version: Option<String>,
    instance: Option<String>,
    log_dir: Option<PathBuf>,
    filter: Option<Directives>,
    console: Option<Console>,
    sink: Option<Arc<dyn Sink>>,
    journal: Option<JournalOptions>,
    redactor: Option<Option<Redactor>>,
    sampling: Option<Sampling>,
    duplicates: Option<Duplicates>,
    recorder: Option<FlightRecorder>,
    clock: Clock,
}

impl TelemetryBuilder {
    /// Which preset holds. Defaults to `OMNIFY_ENV`, else development.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = Some(environment);
        self
    }

    /// The service's name. Defaults to `OMNIFY_SERVICE_NAME`, else the program's name.
    pub fn service_name(mut self, name: impl Into<String>) -> Self {
        self.service_name = Some(name.into());
        self
    }

    /// The service's version. Defaults to `OMNIFY_SERVICE_VERSION`, else none.
    pub fn service_version(mut self, version: impl Into<String>) -> Self {
        self.service_version = Some(version.into());
        self
    }

    /// Which of several running copies. Defaults to `OMNIFY_INSTANCE`, else host name and process id.
    pub fn instance(mut self, instance: impl Into<String>) -> Self {
        self.instance = Some(instance.into());
        self
    }

    /// Where the log files are. Defaults to `OMNIFY_LOG_DIR`, else `$OMNIFY_DATA_DIR/logs`, else `./data/logs`.
    pub fn log_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.log_dir = Some(directory.into());
        self
    }

    /// Who may speak at which level. Defaults to `OMNIFY_LOG`, else `RUST_LOG`, else `info`
    /// (`debug` in the test preset).
    pub fn filter(mut self, filter: Directives) -> Self {
        self.filter = Some(filter);
        self
    }

    /// What goes to the terminal. Defaults to `OMNIFY_CONSOLE`, else pretty in development and off elsewhere.
    pub fn console(mut self, console: Console) -> Self {
        self.console = Some(console);
        self
    }

    /// Where lines go instead of the log files.
    pub fn sink(mut self, sink: impl Sink) -> Self {
        self.sink = Some(Arc::new(sink));
        self
    }

    /// How the journal of the log directory works: ring size, rotation, retention, compression.
    /// Its directory is where the log files are; [`log_dir`](Self::log_dir) does not count then.
    pub fn journal(mut self, options: JournalOptions) -> Self {
        self.journal = Some(options);
        self
    }

    /// What must not be written; `None` to write everything. Defaults to [`Redactor::new`]: fields
    /// whose name says that they are secret.
    pub fn redactor(mut self, redactor: impl Into<Option<Redactor>>) -> Self {
        self.redactor = Some(redactor.into());
        self
    }

    /// Keeps only a part of the plain events. Defaults to all.
    pub fn sampling(mut self, sampling: Sampling) -> Self {
        self.sampling = Some(sampling);
        self
    }

    /// Holds back what is said over and over. Defaults to off.
    pub fn duplicates(mut self, duplicates: Duplicates) -> Self {
        self.duplicates = Some(duplicates);
        self
    }

    /// Keeps DEBUG events in memory and writes them if their request ends badly. Defaults to off.
    pub fn flight_recorder(mut self, recorder: FlightRecorder) -> Self {
        self.recorder = Some(recorder);
        self
    }

    /// Where the time comes from. Defaults to the system's clock.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Telemetry for the whole process: also catches records of the `log` crate.
    ///
    /// # Errors
    /// See [`init`](super::init).
    pub fn install(self) -> Result<Telemetry, Error> {
        if tracing::dispatcher::has_been_set() {
            return Err(Error::AlreadyInstalled);
        }
        let (telemetry, dispatch) = self.build()?;
        tracing::dispatcher::set_global_default(dispatch).map_err(|_| Error::AlreadyInstalled)?;
        telemetry.became_global();
        // Another logger may be set already: then the `log` records go where it sends them.
        let _ = tracing_log::LogTracer::builder()
            .with_max_level(log::LevelFilter::Trace)
            .init();
        telemetry.levels().govern_log();
        crate::panic::install();
        crate::journal::note_fatal_signals();
        crate::operation::watchdog::ensure_started();
        Ok(telemetry)
    }

    /// Telemetry and its subscriber, without touching the process: for tests, or several at once.
    ///
    /// # Errors
    /// See [`init`](super::init), but for the global subscriber.
    pub fn build(self) -> Result<(Telemetry, Dispatch), Error> {
        self.build_from(Variables::from_process()?)
    }

    pub(crate) fn build_from(self, variables: Variables) -> Result<(Telemetry, Dispatch), Error> {
        let environment = self
            .environment
            .or(variables.environment)
            .unwrap_or_default();
        let default_directory = variables.default_directory();
        let service = Service {
            name: self
                .service_name
                .or(variables.service_name)
                .unwrap_or_else(program),
            version: self
                .service_version
                .or(variables.service_version)
                .unwrap_or_default(),
            environment: environment.to_string(),
            instance: self
                .instance
                .or(variables.instance)
                .unwrap_or_else(instance),
        };
        let (sink, recovery) = match self.sink {
            Some(sink) => (sink, None),
            None => {
                let directory = match &self.journal {
                    Some(options) => options.directory().to_owned(),
                    None => self.log_dir.unwrap_or(default_directory),
                };
                let (sink, recovery) = journal::open(&directory, self.journal, &service)?;
                (sink, Some(recovery))
            }
        };
        let filter = self.filter.or(variables.filter).unwrap_or_else(|| {
            Directives::all(match environment {
                Environment::Test => LevelFilter::DEBUG,
                Environment::Development | Environment::Production => LevelFilter::INFO,
            })
        });
        let console = self
            .console
            .or(variables.console)
            .unwrap_or(match environment {
                Environment::Development => Console::Pretty,
                Environment::Test | Environment::Production => Console::Off,
            });
        let sink = match console {
            Console::Json => Arc::new(Tee(sink)),
            Console::Off | Console::Pretty => sink,
        };
        let levels = Levels::new(filter);
        let mut layer = JsonLayer::new(Arc::clone(&sink))
            .service(&service)
            .clock(self.clock.clone());
        let redactor = self.redactor.unwrap_or_else(|| Some(Redactor::new()));
        layer = layer.redactor(redactor.clone());
        if let Some(sampling) = self.sampling {
            layer = layer.sampling(sampling);
        }
        if let Some(duplicates) = self.duplicates {
            layer = layer.duplicates(duplicates);
        }
        if let Some(recorder) = self.recorder {
            layer = layer.flight_recorder(recorder, &levels);
        }
        let number = layer.number();
        let policies = layer.policies().cloned();
        let pretty = (console == Console::Pretty).then(|| PrettyLayer::new(self.clock, redactor));
        let subscriber = tracing_subscriber::registry()
            .with(levels.layer())
            .with(layer)
            .with(pretty);
        let dispatch = Dispatch::new(subscriber);
        let told = recovery.is_some();
        if let Some(recovery) = recovery {
            tracing::dispatcher::with_default(&dispatch, || story::begin(&recovery));
        }
        let teller = Teller::start(policies.as_ref(), &dispatch.downgrade());
        let telemetry = Telemetry {
            teller,
            layer: number,
            sink,
            levels,
            service,
            policies,
            dispatch: dispatch.downgrade(),
            tells: told,
        };
        Ok((telemetry, dispatch))
    }
}

fn program() -> String {
    std::env::current_exe()
        .ok()
        .and_then(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .unwrap_or_else(|| "unknown".to_owned())
}

fn instance() -> String {
    let host = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    format!("{host}-{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::MemorySink;

    /// What an environment writes of a DEBUG and an INFO event, and whether it talks to a person.
    fn preset(builder: TelemetryBuilder, variables: Variables) -> (Vec<String>, bool) {
        let sink = MemorySink::new();
        let (telemetry, dispatch) = builder.sink(sink.clone()).build_from(variables).unwrap();
        tracing::dispatcher::with_default(&dispatch, || {
            tracing::debug!("looked closely");
            tracing::info!("done");
        });
        drop(telemetry);
        let messages = sink.events().into_iter();
        let messages = messages.map(|line| line["message"].as_str().unwrap_or("").to_owned());
        (messages.collect(), dispatch.is::<PrettyLayer>())
    }

    #[test]
    fn each_environment_has_its_level_and_its_console() {
        let of = |environment| {
            preset(
                TelemetryBuilder::default().environment(environment),
                Variables::default(),
            )
        };
        let info = vec!["done".to_owned()];
        let all = vec!["looked closely".to_owned(), "done".to_owned()];
        assert_eq!(of(Environment::Development), (info.clone(), true));
        assert_eq!(of(Environment::Test), (all.clone(), false));
        assert_eq!(of(Environment::Production), (info, false));
    }

    #[test]
    fn the_program_wins_over_variables_and_variables_win_over_the_preset() {
        let variables = |filter: &str| Variables {
            environment: Some(Environment::Production),
            filter: Some(filter.parse().unwrap()),
            console: Some(Console::Pretty),
            ..Variables::default()
        };
        let all = vec!["looked closely".to_owned(), "done".to_owned()];
        let builder = TelemetryBuilder::default;
        assert_eq!(preset(builder(), variables("debug")), (all.clone(), true));
        let strict = builder()
            .environment(Environment::Test)
            .console(Console::Off);
        assert_eq!(preset(strict, variables("off")), (vec![], false));
        let own = builder().filter("debug".parse().unwrap());
        assert_eq!(preset(own, variables("off")), (all, true));
    }
}
