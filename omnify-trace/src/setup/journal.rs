//! The journal as a sink.

use std::{io, path::Path, sync::Arc, time::Duration};

use crate::{
    Error, Sink,
    journal::{InFlight, Journal, JournalOptions, Recovery},
    layer::Service,
    schema::Stream,
};

/// Lines into a journal.
struct JournalSink(Journal);

impl Sink for JournalSink {
    fn write(&self, stream: Stream, line: &[u8]) {
        // The journal ends lines itself. What it refuses it counts, and tells in a `log_loss` line.
        let _ = self
            .0
            .write(stream, line.strip_suffix(b"\n").unwrap_or(line));
    }

    fn flush(&self, timeout: Duration) -> bool {
        self.0.flush(timeout).is_ok()
    }

    fn close(&self, timeout: Duration) -> bool {
        self.0.close(timeout).is_ok()
    }

    fn lost(&self) -> u64 {
        self.0.stats().lost()
    }

    fn in_flight(&self, note: &[u8]) -> Option<InFlight> {
        self.0.in_flight(note)
    }
}

/// Opens the log directory's journal.
pub(super) fn open(
    directory: &Path,
    options: Option<JournalOptions>,
    service: &Service,
) -> Result<(Arc<dyn Sink>, Recovery), Error> {
    probe(directory).map_err(|source| Error::LogDirectory {
        path: directory.to_owned(),
        source,
    })?;
    let options = options
        .unwrap_or_else(|| JournalOptions::new(directory))
        .service(service.json());
    let (journal, recovery) = Journal::open(options)?;
    Ok((Arc::new(JournalSink(journal)), recovery))
}

/// A service that cannot keep its log must not start as if it could.
fn probe(directory: &Path) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    let file = directory.join(format!(".probe-{}", std::process::id()));
    std::fs::write(&file, b"")?;
    std::fs::remove_file(file)
}
