//! The documented data set: deterministic, seven days, the mix of a busy service.
//!
//! A request is one start, one end and a few lines between that share request id (UUIDv7-like),
//! user, organization and, for a fifth of them, a workflow and run; start, end and errors have the
//! trace id (random) as well. 10,000 users in 200 organizations, 80 routes, 50 workflows, 30 error
//! templates; about 400 bytes a line. Line `n` of `total` lies `n/total` into the seven days, to
//! the millisecond.

use std::{
    io::{BufWriter, Write},
    path::Path,
};

/// 2026-01-01T00:00:00Z, Unix nanoseconds.
pub(crate) const START: i64 = 1_767_225_600_000_000_000;
/// Seven days.
pub(crate) const SPAN: i64 = 7 * 86_400 * 1_000_000_000;

/// xorshift64*: the same numbers everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: u64) -> u64 {
        (self.roll() >> 11) % end
    }
}

struct Request {
    id: String,
    trace: String,
    user: u64,
    route: u64,
    workflow: Option<(u64, String)>,
    lines: u64,
    line: u64,
}

/// Time of line `n`.
pub(crate) fn time_of(n: u64, total: u64) -> i64 {
    let (n, total) = (i128::from(n), i128::from(total));
    START + i64::try_from(i128::from(SPAN) * n / total).unwrap_or(0)
}

/// Writes `total` lines and gives their bytes.
pub(crate) fn write(path: &Path, total: u64) -> std::io::Result<u64> {
    let mut out = BufWriter::with_capacity(1 << 20, std::fs::File::create(path)?);
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut open: Vec<Request> = Vec::new();
    let mut bytes = 0;
    let mut line = String::with_capacity(1024);
    for n in 0..total {
        let time = time_of(n, total);
        if open.len() < 24 {
            open.push(start(&mut dice, time));
        }
        let at = usize::try_from(dice.below(open.len() as u64)).unwrap_or(0);
        line.clear();
        write_line(&mut line, &mut dice, &mut open[at], time, n);
        out.write_all(line.as_bytes())?;
        bytes += line.len() as u64;
        if open[at].line == open[at].lines {
            open.swap_remove(at);
        }
    }
    out.flush()?;
    Ok(bytes)
}

fn start(dice: &mut Dice, time: i64) -> Request {
    let (a, b) = (dice.roll(), dice.roll());
    let ms = time / 1_000_000;
    let workflow =
        (dice.below(5) == 0).then(|| (dice.below(50), format!("run-{:016x}", dice.roll())));
    Request {
        id: format!(
            "{:08x}-{:04x}-7{:03x}-a{:03x}-{:012x}",
            ms >> 16,
            ms & 0xffff,
            a & 0xfff,
            a >> 12 & 0xfff,
            b & 0xffff_ffff_ffff
        ),
        trace: format!("{a:016x}{b:016x}"),
        user: dice.below(10_000),
        route: dice.below(80),
        workflow,
        lines: 3 + dice.below(4),
        line: 0,
    }
}

const NOUNS: [&str; 8] = [
    "orders", "payments", "users", "invoices", "carts", "reports", "messages", "contacts",
];
const ERRORS: [&str; 10] = [
    "connection refused by upstream",
    "timeout while waiting for a response",
    "unique constraint violated on insert",
    "invalid token signature",
    "rate limit exceeded for tenant",
    "card was declined by the issuer",
    "could not parse the payload",
    "deadlock detected between transactions",
    "certificate has expired",
    "no space left on device",
];

fn write_line(line: &mut String, dice: &mut Dice, request: &mut Request, time: i64, n: u64) {
    use std::fmt::Write as _;
    request.line += 1;
    let noun = NOUNS[usize::try_from(request.route % 8).unwrap_or(0)];
    let method =
        ["GET", "POST", "PUT", "DELETE"][usize::try_from(request.route / 8 % 4).unwrap_or(0)];
    let route = format!("/api/v{}/{noun}", request.route / 8);
    let failed = dice.below(50) == 0;
    let micros = 500 + dice.below(1000) * dice.below(1000);
    let last = request.line == request.lines;
    let (level, kind, message, extra) = if request.line == 1 {
        (
            "INFO",
            "request_start",
            "Request started".to_owned(),
            format!(r#""method":"{method}","route":"{route}""#),
        )
    } else if failed {
        let template = dice.below(30);
        let error = ERRORS[usize::try_from(template % 10).unwrap_or(0)];
        (
            "ERROR",
            "request_error",
            format!("Request failed: {error} (shard {})", template / 10),
            format!(
                r#""method":"{method}","route":"{route}","status_code":5{:02},"duration_ms":{}.{:03}"#,
                dice.below(4),
                micros / 1000,
                micros % 1000
            ),
        )
    } else if last {
        let level = if micros > 700_000 { "WARN" } else { "INFO" };
        (
            level,
            "request_complete",
            format!("{method} {route} completed in {} ms", micros / 1000),
            format!(
                r#""method":"{method}","route":"{route}","status_code":200,"duration_ms":{}.{:03},"response_bytes":{}"#,
                micros / 1000,
                micros % 1000,
                dice.below(65_536)
            ),
        )
    } else if dice.below(2) == 0 {
        (
            "INFO",
            "db_query",
            format!("Query on {noun} returned {} rows", dice.below(500)),
            format!(
                r#""db.system":"postgresql","duration_ms":{}.{:03},"rows":{}"#,
                micros / 10_000,
                micros % 1000,
                dice.below(500)
            ),
        )
    } else {
        // One line in a hundred thousand has the rare word.
        let rare = if n % 100_003 == 7 {
            " after quarantine of replica"
        } else {
            ""
        };
        (
            "DEBUG",
            "external_api_call",
            format!(
                "Called payment gateway for cart {}{rare}",
                dice.below(100_000)
            ),
            format!(
                r#""api":"gateway","host":"pay.example","status_code":200,"duration_ms":{}.{:03}"#,
                micros / 1000,
                micros % 1000
            ),
        )
    };
    let seconds = time.div_euclid(1_000_000_000);
    let (day, second) = (
        (seconds - START / 1_000_000_000) / 86_400 + 1,
        seconds.rem_euclid(86_400),
    );
    let _ = write!(
        line,
        r#"{{"timestamp":"2026-01-{day:02}T{:02}:{:02}:{:02}.{:03}Z","level":"{level}","message":"{message}","event_type":"{kind}","target":"shop::{noun}","service":{{"name":"shop"}},"context":{{"request_id":"{}","user_id":"user-{}","organization_id":"org-{}""#,
        second / 3600,
        second / 60 % 60,
        second % 60,
        time.rem_euclid(1_000_000_000) / 1_000_000,
        request.id,
        request.user,
        request.user % 200,
    );
    if request.line == 1 || last || level == "ERROR" {
        let _ = write!(line, r#","trace_id":"{}""#, request.trace);
    }
    if let Some((workflow, run)) = &request.workflow {
        let _ = write!(
            line,
            r#","workflow_id":"workflow-{workflow}","run_id":"{run}""#
        );
    }
    let _ = writeln!(line, r#"}},"extra":{{{extra}}}}}"#);
}
