//! Curriculum dropout.

use thinnet::layers::{Curriculum, Dropout};

#[test]
fn a_curriculum_falls_from_one_to_its_keep_probability_as_the_paper_says() {
    let curriculum = Curriculum::new(0.3, 0.01).unwrap();
    assert_eq!(curriculum.keep_at(0), 1.0);
    // 0.7 exp(-1) + 0.3, 0.7 exp(-5) + 0.3
    assert!((curriculum.keep_at(100) - 0.557_515_608_820_009_6).abs() < 1e-15);
    assert!((curriculum.keep_at(500) - 0.304_716_562_899_359_8).abs() < 1e-15);
    assert_eq!(curriculum.keep_at(u64::MAX), 0.3);
    let falls = (0..2000).all(|step| curriculum.keep_at(step + 1) < curriculum.keep_at(step));
    assert!(falls);
}

#[test]
fn a_curriculum_over_so_many_steps_has_the_papers_rate() {
    let curriculum = Curriculum::over(0.5, 2000).unwrap();
    assert_eq!((curriculum.keep_prob(), curriculum.gamma()), (0.5, 0.005));
    // exp(-10) is 4.5e-5.
    assert!((curriculum.keep_at(2000) - 0.500_022_699_964_881_3).abs() < 1e-15);
}

#[test]
fn what_a_curriculum_gives_is_a_keep_probability() {
    for keep in [1e-300, 0.1, 0.3, 1.0 / 3.0, 0.9, 1.0] {
        for gamma in [1e-300, 0.01, 1e300] {
            let curriculum = Curriculum::new(keep, gamma).unwrap();
            for step in [0, 1, 2, 1000, u64::MAX] {
                assert!(Dropout::new(curriculum.keep_at(step), None).is_ok(), "{keep}, {gamma}, {step}");
            }
        }
    }
}

#[test]
fn a_curriculum_out_of_range_is_refused() {
    for keep in [0.0, -0.5, 1.1, f64::NAN] {
        let message = Curriculum::new(keep, 0.1).unwrap_err().to_string();
        assert!(message.contains("KEEP"), "{message}");
    }
    for gamma in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let message = Curriculum::new(0.5, gamma).unwrap_err().to_string();
        assert!(message.contains("gamma") && message.contains(&gamma.to_string()), "{message}");
    }
    assert!(Curriculum::over(0.5, 0).unwrap_err().to_string().contains("at least 1 step"));
}
