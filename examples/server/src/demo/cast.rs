//! The people of the demo.

use rand::RngExt as _;

/// Somebody with a browser.
#[derive(Debug, Clone, Copy)]
pub(super) struct Person {
    pub(super) user: &'static str,
    pub(super) organization: &'static str,
}

const PEOPLE: [Person; 12] = [
    Person {
        user: "ada",
        organization: "acme",
    },
    Person {
        user: "alan",
        organization: "acme",
    },
    Person {
        user: "grace",
        organization: "globex",
    },
    Person {
        user: "edsger",
        organization: "globex",
    },
    Person {
        user: "barbara",
        organization: "initech",
    },
    Person {
        user: "donald",
        organization: "initech",
    },
    Person {
        user: "margaret",
        organization: "umbrella",
    },
    Person {
        user: "dennis",
        organization: "umbrella",
    },
    Person {
        user: "frances",
        organization: "hooli",
    },
    Person {
        user: "ken",
        organization: "hooli",
    },
    Person {
        user: "radia",
        organization: "soylent",
    },
    Person {
        user: "john",
        organization: "soylent",
    },
];

const COMPANIES: [&str; 10] = [
    "Bluebird Bakery",
    "Northwind Traders",
    "Harbor Dental",
    "Copper Kettle",
    "Lumen Studio",
    "Fernway Yoga",
    "Stonebridge Law",
    "Pixel Forge",
    "Juniper Clinic",
    "Redwood Realty",
];

/// Anybody.
pub(super) fn person() -> Person {
    PEOPLE[rand::rng().random_range(0..PEOPLE.len())]
}

/// An ordinary company.
pub(super) fn company() -> &'static str {
    COMPANIES[rand::rng().random_range(0..COMPANIES.len())]
}
