//! Results: one row per case and subject, printed as a table per case, written as JSON.

use serde::Serialize;

/// One figure.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What was measured: `emit`, `http`, …
    pub area: &'static str,
    /// Which of the area's cases.
    pub case: String,
    /// Who: ours or a peer.
    pub subject: String,
    /// The figure.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// The subject that `ratio` compares with.
    pub ratio_to: Option<String>,
    /// `ratio_to`'s figure divided by this one: how many times less this one costs. Where both were
    /// measured in the same rounds, the median of the rounds' ratios.
    pub ratio: Option<f64>,
    /// What each round said, in their order; empty for a figure that has no rounds.
    #[serde(skip)]
    rounds: Vec<f64>,
}

/// The rows of a run.
#[derive(Debug, Default)]
pub struct Report {
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl Report {
    /// Adds a figure.
    pub fn add(
        &mut self,
        area: &'static str,
        case: &str,
        subject: &str,
        value: f64,
        unit: &'static str,
    ) {
        self.rows.push(Row {
            area,
            case: case.to_owned(),
            subject: subject.to_owned(),
            value,
            unit,
            ratio_to: None,
            ratio: None,
            rounds: Vec::new(),
        });
    }

    /// Adds the median of what each round said.
    pub fn add_rounds(
        &mut self,
        area: &'static str,
        case: &str,
        subject: &str,
        rounds: Vec<f64>,
        unit: &'static str,
    ) {
        let middle = median(rounds.clone());
        self.add(area, case, subject, middle, unit);
        if let Some(row) = self.rows.last_mut() {
            row.rounds = rounds;
        }
    }

    fn row(&self, case: &str, unit: &str, subject: &str) -> Option<&Row> {
        let is = |row: &&Row| row.case == case && row.unit == unit && row.subject == subject;
        self.rows.iter().find(is)
    }

    /// A subject's figure.
    #[must_use]
    pub fn value(&self, case: &str, unit: &str, subject: &str) -> Option<f64> {
        self.row(case, unit, subject).map(|row| row.value)
    }

    /// What `of` makes of two subjects' figures: the median over the rounds, where they have the
    /// same ones.
    #[must_use]
    pub fn pairs(
        &self,
        case: &str,
        unit: &str,
        one: &str,
        other: &str,
        of: impl Fn(f64, f64) -> f64,
    ) -> Option<f64> {
        let (one, other) = (self.row(case, unit, one)?, self.row(case, unit, other)?);
        if one.rounds.is_empty() || one.rounds.len() != other.rounds.len() {
            return Some(of(one.value, other.value));
        }
        let pairs = one.rounds.iter().zip(&other.rounds);
        Some(median(pairs.map(|(one, other)| of(*one, *other)).collect()))
    }

    /// How many times as much one subject's figure is as another's.
    #[must_use]
    pub fn over(&self, case: &str, unit: &str, one: &str, other: &str) -> Option<f64> {
        self.pairs(case, unit, one, other, |one, other| one / other)
    }

    /// Compares every subject of a case with one of them, in one unit.
    pub fn compare(&mut self, case: &str, unit: &str, with: &str) {
        for at in 0..self.rows.len() {
            let row = &self.rows[at];
            if row.case == case && row.unit == unit && row.value > 0.0 {
                let ratio = self.over(case, unit, with, &row.subject);
                let row = &mut self.rows[at];
                row.ratio_to = ratio.map(|_| with.to_owned());
                row.ratio = ratio;
            }
        }
    }

    /// Adds a line below the tables.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Adds another run's rows and notes.
    pub fn extend(&mut self, other: Self) {
        self.rows.extend(other.rows);
        self.notes.extend(other.notes);
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The rows as a JSON array.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(&self.rows).unwrap_or_default()
    }

    /// Prints [`text`](Self::text).
    pub fn print(&self) {
        print!("{}", self.text());
    }

    /// A Markdown table per case: a line per subject, a column per unit. Then the notes.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut cases: Vec<&str> = Vec::new();
        for row in &self.rows {
            if !cases.contains(&row.case.as_str()) {
                cases.push(&row.case);
            }
        }
        for case in cases {
            text += &self.table(case);
        }
        for note in &self.notes {
            text += &format!("{note}\n");
        }
        text
    }

    fn table(&self, case: &str) -> String {
        let rows = || self.rows.iter().filter(|row| row.case == case);
        let mut units: Vec<&str> = Vec::new();
        let mut subjects: Vec<&str> = Vec::new();
        for row in rows() {
            if !units.contains(&row.unit) {
                units.push(row.unit);
            }
            if !subjects.contains(&row.subject.as_str()) {
                subjects.push(&row.subject);
            }
        }
        let mut header = format!("| {case:<48} |");
        let mut line = format!("|{}|", "-".repeat(50));
        let ratio_to = rows().find_map(|row| row.ratio_to.as_deref());
        for unit in &units {
            header += &format!(" {unit:>18} |");
            line += &format!("{}:|", "-".repeat(19));
        }
        if let Some(with) = ratio_to {
            header += &format!(" beside {with} |");
            line += &format!("{}:|", "-".repeat(with.len() + 8));
        }
        let mut table = format!("{header}\n{line}\n");
        for subject in subjects {
            let mut text = format!("| {subject:<48} |");
            for unit in &units {
                let row = rows().find(|row| row.subject == subject && row.unit == *unit);
                text += &format!(
                    " {:>18} |",
                    row.map_or(String::new(), |row| number(row.value))
                );
            }
            if let Some(with) = ratio_to {
                let ratio = rows().find(|row| row.subject == subject && row.ratio.is_some());
                let ratio = ratio.filter(|_| subject != with).and_then(|row| row.ratio);
                let ratio = ratio.map_or(String::new(), times);
                text += &format!(" {ratio:>width$} |", width = with.len() + 7);
            }
            table += &text;
            table.push('\n');
        }
        table.push('\n');
        table
    }
}

fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e9 {
        format!("{value}")
    } else if value >= 1000.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

/// A ratio in words.
fn times(ratio: f64) -> String {
    if ratio < 1.0 {
        format!("{:.2} × more", 1.0 / ratio)
    } else {
        format!("{ratio:.2} × less")
    }
}

/// The one in the middle; 0 if there is none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_taken_within_each_round() {
        let mut report = Report::default();
        // The machine was twice as slow in the last two rounds; ours took one of them badly.
        report.add_rounds("a", "c", "ours", vec![1.0, 1.0, 4.0, 2.0, 2.0], "ns");
        report.add_rounds("a", "c", "theirs", vec![10.0, 10.0, 20.0, 20.0, 20.0], "ns");
        report.add("a", "c", "alone", 40.0, "ns");
        report.compare("c", "ns", "theirs");
        let ratio = |at: usize| report.rows()[at].ratio;
        assert_eq!(ratio(0), Some(10.0));
        assert_eq!(ratio(1), Some(1.0));
        assert_eq!(ratio(2), Some(0.5), "by the medians: it has no rounds");
        assert_eq!(report.rows()[0].value, 2.0);
        assert!(report.text().contains("10.00 × less"), "{}", report.text());
        assert!(report.text().contains("2.00 × more"), "{}", report.text());
    }
}
