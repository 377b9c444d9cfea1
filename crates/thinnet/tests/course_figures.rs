//! The figures that the course's notebook prints.
#![allow(clippy::unwrap_used)] // a test fails by panic

use thinnet::course::figures;

#[test]
fn every_figure_agrees_with_the_course() {
    let comparisons = figures().unwrap().compare();
    assert_eq!(comparisons.len(), 3 * 5 + 1 + 3 * 7);
    let off: Vec<_> = comparisons.iter().filter(|comparison| !comparison.agrees).collect();
    assert!(off.is_empty(), "{off:#?}");
}

#[test]
fn fractions_and_losses_have_the_courses_digits() {
    let figures = figures().unwrap();
    let fractions: Vec<_> = figures.dropout.iter().map(|s| s.train_zero_fraction.to_string()).collect();
    assert_eq!(fractions, ["0.749784", "0.600796", "0.30074"]);
    let losses: Vec<_> = figures.networks.iter().map(|n| format!("{:.13}", n.initial_loss)).collect();
    assert_eq!(losses, ["2.3004790897685", "2.3028487331533", "2.3042759220786"]);
}

#[test]
fn an_altered_figure_is_noticed() {
    let mut figures = figures().unwrap();
    figures.dropout[1].train_mean += 1e-9;
    figures.dropout[2].train_zero_fraction += 4e-6;
    figures.networks[0].initial_loss += 1e-12;
    figures.networks[2].checks[0].rel_error = 2e-6;
    assert_eq!(figures.compare().iter().filter(|comparison| !comparison.agrees).count(), 4);
}
