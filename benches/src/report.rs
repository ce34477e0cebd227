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
    /// `ratio_to`'s figure divided by this one: how many times less this one costs.
    pub ratio: Option<f64>,
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
        });
    }

    /// Compares every subject of a case with one of them, in one unit.
    pub fn compare(&mut self, case: &str, unit: &str, with: &str) {
        let of = |row: &Row| row.case == case && row.unit == unit;
        let Some(base) = self
            .rows
            .iter()
            .find(|row| of(row) && row.subject == with)
            .map(|row| row.value)
        else {
            return;
        };
        for row in self.rows.iter_mut().filter(|row| of(row)) {
            if row.value > 0.0 {
                row.ratio_to = Some(with.to_owned());
                row.ratio = Some(base / row.value);
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
            header += &format!(" times less than {with} |");
            line += &format!("{}:|", "-".repeat(with.len() + 17));
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
                let ratio = ratio.and_then(|row| row.ratio);
                let ratio = ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
                text += &format!(" {ratio:>width$} |", width = with.len() + 16);
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
