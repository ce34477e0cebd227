//! Web vitals: what the browser measures, folded into one value a metric and page view.
//!
//! LCP, FCP and TTFB are single values. CLS is the worst session window of layout shifts (windows end
//! after a second of calm, or after five). INP is the worst interaction, one in fifty forgiven. Both
//! can grow while the page lives, so they are told when it is hidden.

/// A metric with its name and the bounds of a good and of a poor value, as web.dev gives them.
#[derive(Clone, Copy)]
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    good: f64,
    poor: f64,
}

const METRICS: [Metric; 8] = [
    Metric {
        name: "LCP",
        good: 2_500.0,
        poor: 4_000.0,
    },
    Metric {
        name: "INP",
        good: 200.0,
        poor: 500.0,
    },
    Metric {
        name: "CLS",
        good: 0.1,
        poor: 0.25,
    },
    Metric {
        name: "FCP",
        good: 1_800.0,
        poor: 3_000.0,
    },
    Metric {
        name: "TTFB",
        good: 800.0,
        poor: 1_800.0,
    },
    Metric {
        name: "page_load",
        good: 3_000.0,
        poor: 6_000.0,
    },
    Metric {
        name: "long_task",
        good: 50.0,
        poor: 200.0,
    },
    Metric {
        name: "dom_ready",
        good: 2_000.0,
        poor: 4_000.0,
    },
];
const LCP: usize = 0;
const INP: usize = 1;
const CLS: usize = 2;

impl Metric {
    /// The metric of a code that the script uses.
    pub(crate) fn of(code: u8) -> Option<Self> {
        METRICS.get(usize::from(code)).copied()
    }

    /// `good`, `needs-improvement` or `poor`.
    pub(crate) fn rating(self, value: f64) -> &'static str {
        if value <= self.good {
            "good"
        } else if value <= self.poor {
            "needs-improvement"
        } else {
            "poor"
        }
    }
}

/// The longest interactions, worst first.
const KEPT: usize = 10;

/// What has been measured on this page view.
#[derive(Default)]
pub(crate) struct Vitals {
    lcp: f64,
    cls: f64,
    window: f64,
    window_began: f64,
    last_shift: f64,
    worst: [f64; KEPT],
    interactions: u32,
    /// What was told last of LCP, INP, CLS.
    told: [f64; 3],
}

impl Vitals {
    /// A larger paint than before.
    pub(crate) fn paint(&mut self, at: f64) {
        self.lcp = at;
    }

    /// The layout shifted by `value` at `at` milliseconds.
    pub(crate) fn shift(&mut self, value: f64, at: f64) {
        let goes_on =
            self.window > 0.0 && at - self.last_shift < 1_000.0 && at - self.window_began < 5_000.0;
        if goes_on {
            self.window += value;
        } else {
            self.window = value;
            self.window_began = at;
        }
        self.last_shift = at;
        self.cls = self.cls.max(self.window);
    }

    /// A person's click, tap or key took this long to show.
    pub(crate) fn interaction(&mut self, duration: f64) {
        self.interactions += 1;
        let mut duration = duration;
        for slot in &mut self.worst {
            if duration > *slot {
                core::mem::swap(slot, &mut duration);
            }
        }
    }

    fn inp(&self) -> f64 {
        let forgiven = (self.interactions / 50) as usize;
        self.worst
            .get(forgiven.min(KEPT - 1))
            .copied()
            .unwrap_or(0.0)
    }

    /// The page is hidden: the values that were not told yet, or have grown since.
    pub(crate) fn untold(&mut self) -> [Option<(Metric, f64)>; 3] {
        let values = [(LCP, self.lcp), (INP, self.inp()), (CLS, self.cls)];
        // No shift at all is a good CLS, worth telling once a page that painted.
        let painted = self.lcp > 0.0;
        let mut found = [None; 3];
        for (((metric, value), told), slot) in
            values.into_iter().zip(&mut self.told).zip(&mut found)
        {
            let first = metric == CLS && painted && *told == 0.0;
            if value > *told || first {
                *told = if value > 0.0 {
                    value
                } else {
                    f64::MIN_POSITIVE
                };
                *slot = METRICS.get(metric).map(|metric| (*metric, value));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(vitals: &mut Vitals) -> Vec<(&'static str, f64)> {
        let untold = vitals.untold();
        untold
            .into_iter()
            .flatten()
            .map(|(metric, value)| (metric.name, (value * 1_000.0).round() / 1_000.0))
            .collect()
    }

    #[test]
    fn shifts_add_up_within_a_window_and_the_worst_window_counts() {
        let mut vitals = Vitals::default();
        vitals.shift(0.1, 0.0);
        vitals.shift(0.1, 900.0);
        vitals.shift(0.05, 3_000.0);
        assert_eq!(told(&mut vitals), [("CLS", 0.2)]);
        // A window of many shifts ends after five seconds.
        let mut vitals = Vitals::default();
        for turn in 0..10 {
            vitals.shift(0.01, f64::from(turn) * 900.0);
        }
        assert_eq!(told(&mut vitals), [("CLS", 0.06)]);
    }

    #[test]
    fn one_interaction_in_fifty_is_forgiven() {
        let mut vitals = Vitals::default();
        vitals.interaction(800.0);
        for _ in 0..48 {
            vitals.interaction(40.0);
        }
        assert_eq!(told(&mut vitals), [("INP", 800.0)]);
        let mut vitals = Vitals::default();
        vitals.interaction(800.0);
        vitals.interaction(300.0);
        for _ in 0..48 {
            vitals.interaction(40.0);
        }
        assert_eq!(told(&mut vitals), [("INP", 300.0)]);
    }

    #[test]
    fn values_are_told_once_and_again_only_when_they_grew() {
        let mut vitals = Vitals::default();
        vitals.paint(1_200.0);
        assert_eq!(told(&mut vitals), [("LCP", 1_200.0), ("CLS", 0.0)]);
        assert_eq!(told(&mut vitals), []);
        vitals.shift(0.3, 10.0);
        assert_eq!(told(&mut vitals), [("CLS", 0.3)]);
    }

    #[test]
    fn ratings_follow_the_published_bounds() {
        let lcp = Metric::of(0).unwrap();
        assert_eq!(lcp.rating(2_500.0), "good");
        assert_eq!(lcp.rating(4_000.0), "needs-improvement");
        assert_eq!(lcp.rating(4_001.0), "poor");
        assert!(Metric::of(200).is_none());
    }
}
