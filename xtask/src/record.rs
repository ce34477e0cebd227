//! `docs/benchmarks.md`: a section for each area, written anew by each full run of it.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, Result};

use crate::shell;

const FILE: &str = "docs/benchmarks.md";
const HEAD: &str = "# Measurements\n\nWritten by `cargo xtask bench AREA`; each run writes the section of its area anew. \
                    Figures compare within one run on one machine; nothing else may be concluded from them.\n";

/// Writes an area's section from the run's JSON.
pub(crate) fn write(area: &str, json: &Path) -> Result<()> {
    let rows = fs::read(json).with_context(|| format!("cannot read {}", json.display()))?;
    let rows: Vec<serde_json::Value> = serde_json::from_slice(&rows)?;
    let path = shell::root().join(FILE);
    let old = fs::read_to_string(&path).unwrap_or_else(|_| HEAD.to_owned());
    fs::write(&path, replaced(&old, area, &section(area, &rows)))?;
    println!("{FILE}: section {area} written");
    Ok(())
}

/// The text with this area's section in place of the old one, or at the end.
fn replaced(old: &str, area: &str, section: &str) -> String {
    let (begin, end) = (
        format!("<!-- begin {area} -->\n"),
        format!("<!-- end {area} -->\n"),
    );
    let whole = format!("{begin}{section}{end}");
    match (old.find(&begin), old.find(&end)) {
        (Some(from), Some(to)) if from < to => {
            format!("{}{whole}{}", &old[..from], &old[to + end.len()..])
        }
        _ => format!("{}\n\n{whole}", old.trim_end()),
    }
}

/// A line for each subject of each case, in the order of the run.
fn section(area: &str, rows: &[serde_json::Value]) -> String {
    let lock = fs::read_to_string(shell::root().join("Cargo.lock")).unwrap_or_default();
    let mut text = format!(
        "## {area}\n\n`cargo xtask bench {area}` on {}.{}\n\n{}| case | subject | figures |\n|---|---|---|\n",
        machine(),
        versions(&lock, peers(area)),
        method(area),
    );
    let mut lines: Vec<(&str, &str, Vec<String>)> = Vec::new();
    for row in rows {
        let text = |name: &str| row[name].as_str().unwrap_or_default();
        let (case, subject) = (text("case"), text("subject"));
        let mut figure = format!(
            "{} {}",
            number(row["value"].as_f64().unwrap_or(0.0)),
            text("unit")
        );
        if let (Some(ratio), Some(with)) = (row["ratio"].as_f64(), row["ratio_to"].as_str())
            && with != subject
        {
            figure += &format!(" ({} than {with})", times(ratio));
        }
        match lines
            .iter_mut()
            .find(|line| (line.0, line.1) == (case, subject))
        {
            Some(line) => line.2.push(figure),
            None => lines.push((case, subject, vec![figure])),
        }
    }
    for (case, subject, figures) in lines {
        text += &format!("| {case} | {subject} | {} |\n", figures.join(" · "));
    }
    text
}

/// A ratio in words.
fn times(ratio: f64) -> String {
    if ratio < 1.0 {
        format!("{:.2} × more", 1.0 / ratio)
    } else {
        format!("{ratio:.2} × less")
    }
}

/// How an area is measured, where a reader must know it to trust its ratios.
fn method(area: &str) -> String {
    const ROUNDS: &str = "Many short rounds: in each, every subject is measured for some milliseconds, one right after the \
        other, in a process of its own that has set itself up before; all processes are started anew several times. A \
        figure is the median over the rounds, a ratio the median of the rounds' own ratios: what a shared machine does to \
        one subject of a round, it does to all.";
    const ONE: &str = "The journal's rounds alternate between the subjects within one process.";
    const LOAD: &str = "Of the loopback cases, a round is most of a second for each subject.";
    match area {
        "emit" => format!("{ROUNDS} {ONE}\n\n"),
        "http" => format!("{ROUNDS} {LOAD}\n\n"),
        "operations" => format!("{ROUNDS}\n\n"),
        "journal" => format!("{ONE}\n\n"),
        _ => String::new(),
    }
}

/// Processor, cores, memory, kernel, compiler.
fn machine() -> String {
    let fact = |file: &str, key: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(key));
        let value = line.and_then(|line| line.split_once(':'));
        value.map_or_else(String::new, |(_, value)| value.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = fact("/proc/meminfo", "MemTotal");
    let memory = memory.strip_suffix(" kB").and_then(|kb| kb.parse().ok());
    let memory = memory.map_or(0, |kb: u64| kb.div_ceil(1 << 20));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let rustc = Command::new("rustc").arg("-V").output();
    let rustc = rustc.map_or_else(|_| Vec::new(), |output| output.stdout);
    format!(
        "{}, {cores} cores, {memory} GiB, Linux {}, {}",
        fact("/proc/cpuinfo", "model name"),
        kernel.trim().split('-').next().unwrap_or_default(),
        String::from_utf8_lossy(&rustc).trim(),
    )
}

/// The crates that an area compares with.
fn peers(area: &str) -> &'static [&'static str] {
    match area {
        "emit" => &[
            "tracing-subscriber",
            "json-subscriber",
            "tracing-bunyan-formatter",
            "logforth",
            "slog",
            "slog-json",
            "slog-async",
            "fastrace",
            "serde_json",
            "tracing-appender",
        ],
        "http" => &["axum", "tower-http"],
        _ => &[],
    }
}

/// ` Peers: …`, with the versions that the lock file has.
fn versions(lock: &str, peers: &[&str]) -> String {
    let version = |name: &&str| {
        let (_, after) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
        let (version, _) = after.split_once('"')?;
        Some(format!("{name} {version}"))
    };
    let named: Vec<_> = peers.iter().filter_map(version).collect();
    if named.is_empty() {
        return String::new();
    }
    format!(" Peers: {}.", named.join(", "))
}

fn number(value: f64) -> String {
    if value >= 1000.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_replaced_and_the_others_stay() {
        let row = |value: f64| serde_json::json!({"case": "c", "subject": "s", "value": value, "unit": "ms"});
        let once = replaced(HEAD, "emit", &section("emit", &[row(1.0)]));
        let both = replaced(&once, "store", &section("store", &[row(2.0), row(3.0)]));
        let again = replaced(&both, "emit", &section("emit", &[row(4.0)]));
        assert!(
            again.starts_with(HEAD.trim_end()) && !again.contains("1.00 ms"),
            "{again}"
        );
        assert!(again.contains("| c | s | 4.00 ms |"), "{again}");
        assert!(again.contains("| c | s | 2.00 ms · 3.00 ms |"), "{again}");
        assert_eq!(again.matches("## ").count(), 2);
    }

    #[test]
    fn a_ratio_says_which_side_is_larger() {
        let row = |subject: &str, ratio: f64| serde_json::json!({"case": "c", "subject": subject, "value": 1.0, "unit": "ns", "ratio_to": "peer", "ratio": ratio});
        let text = section(
            "journal",
            &[row("ours", 4.0), row("slow", 0.25), row("peer", 1.0)],
        );
        assert!(
            text.contains("| c | ours | 1.00 ns (4.00 × less than peer) |"),
            "{text}"
        );
        assert!(
            text.contains("| c | slow | 1.00 ns (4.00 × more than peer) |"),
            "{text}"
        );
        assert!(text.contains("| c | peer | 1.00 ns |"), "{text}");
        assert!(text.contains("within one process"), "{text}");
    }

    #[test]
    fn versions_come_from_the_lock_file() {
        let lock =
            "name = \"slog\"\nversion = \"2.8.0\"\nname = \"slog-json\"\nversion = \"2.6.1\"\n";
        assert_eq!(versions(lock, &["slog", "none"]), " Peers: slog 2.8.0.");
        assert_eq!(versions(lock, &[]), "");
    }
}
