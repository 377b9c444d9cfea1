//! The confusion matrix: which classes a network takes for which.

use ndarray::Array2;

use super::figures::Tenths;
use super::look::percent;
use crate::error::{Result, same_shape};
use crate::files;

/// The page shows the whole matrix for so many classes, and the most confused pairs for more.
const MOST_CLASSES: usize = 20;
/// Page and table keep to so many classes: those with the most samples.
const MOST_LISTED: usize = 50;
/// So many pairs.
const PAIRS: usize = 20;

/// `confusion.csv`: a line a true class, with its name in the column `class` and then how many of its samples were taken
/// for each class, whose names head the columns. Of more than 50 classes it has the 50 with the most samples, and a last column
/// `other classes` for what was taken for one of the others.
///
/// - `matrix`: (C, C), rows true, columns predicted
/// - `classes`: C names
///
/// # Errors
/// [`Error::Shape`](crate::Error::Shape) if the matrix does not have a row and a column for each class.
pub fn confusion_csv(matrix: &Array2<usize>, classes: &[String]) -> Result<Vec<u8>> {
    check(matrix, classes)?;
    let counts: Vec<usize> = matrix.rows().into_iter().map(|row| total(row.iter())).collect();
    let kept = most_frequent(&counts);
    let other = (kept.len() < classes.len()).then_some(OTHER);
    files::csv("confusion.csv", |table| {
        let names = kept.iter().map(|&class| classes[class].as_str());
        table.write_record(std::iter::once("class").chain(names).chain(other))?;
        for &class in &kept {
            let own: Vec<usize> = kept.iter().map(|&predicted| matrix[[class, predicted]]).collect();
            let rest = other.map(|_| counts[class].saturating_sub(total(&own)).to_string());
            let counts = own.iter().map(ToString::to_string);
            table.write_record(std::iter::once(classes[class].clone()).chain(counts).chain(rest))?;
        }
        Ok(())
    })
}

/// The column of what was taken for a class that is not listed.
const OTHER: &str = "other classes";

/// The classes with the most samples, at most 50, in the classes' order; of equals the first ones.
///
/// - `counts`: the samples of each class
pub fn most_frequent(counts: &[usize]) -> Vec<usize> {
    let mut classes: Vec<usize> = (0..counts.len()).collect();
    classes.sort_by_key(|&class| std::cmp::Reverse(counts[class]));
    classes.truncate(MOST_LISTED);
    classes.sort_unstable();
    classes
}

/// What is said where [`most_frequent`] leaves some of so many classes out; empty where it does not.
pub fn listed(classes: usize) -> String {
    if classes <= MOST_LISTED {
        return String::new();
    }
    format!("Of {classes} classes, the {MOST_LISTED} with the most samples are listed.")
}

/// The sum of counts, or the greatest number there is.
pub(crate) fn total<'a>(counts: impl IntoIterator<Item = &'a usize>) -> usize {
    counts.into_iter().fold(0, |sum, &count| sum.saturating_add(count))
}

fn check(matrix: &Array2<usize>, classes: &[String]) -> Result<()> {
    same_shape("the confusion matrix, of as many classes", &[classes.len(); 2], matrix.shape())
}

/// The matrix as the page shows it.
pub(crate) struct Confusion {
    /// What was counted: "1000 test samples".
    pub samples: String,
    /// The most frequent mistake as a sentence, if there is one.
    pub worst: Option<String>,
    /// What the strongest colours of the cells stand for, where the whole matrix is shown; otherwise empty.
    pub scales: String,
    /// The names of the columns, where the whole matrix is shown; otherwise empty.
    pub columns: Vec<String>,
    /// What is said of classes that are left out; empty if none is.
    pub listed: String,
    /// Every true class, or the most frequent ones.
    pub rows: Vec<Row>,
    /// The most confused pairs, where the matrix is too large to be shown.
    pub pairs: Vec<Pair>,
}

/// A true class.
pub(crate) struct Row {
    pub name: String,
    /// Empty where the matrix is too large.
    pub cells: Vec<Cell>,
    /// Its samples.
    pub count: usize,
    /// The share of them that are recognised.
    pub recall: String,
}

/// How often a class was taken for another, or for itself.
pub(crate) struct Cell {
    pub count: usize,
    /// Of the row, 0..=1, to three digits.
    pub share: String,
    /// The share in parts of the largest one: of errors in the matrix, or of what is recognised. So errors, which are many
    /// and small, do not pale beside the diagonal.
    pub level: String,
    pub correct: bool,
}

/// A mistake.
pub(crate) struct Pair {
    pub truth: String,
    pub predicted: String,
    pub count: usize,
    /// Of the true class's samples.
    pub share: String,
}

impl Confusion {
    /// - `what`: what samples were counted: "test", "validation", or nothing of a set in one part
    ///
    /// # Errors
    /// Those of [`confusion_csv`].
    pub(crate) fn new(matrix: &Array2<usize>, classes: &[String], what: &str) -> Result<Self> {
        check(matrix, classes)?;
        let small = classes.len() <= MOST_CLASSES;
        let counts: Vec<usize> = matrix.rows().into_iter().map(|row| total(row.iter())).collect();
        let largest = |correct: bool| {
            let cells =
                matrix.indexed_iter().filter(|((truth, predicted), _)| (truth == predicted) == correct);
            let shares = cells.map(|((truth, _), &count)| count as f64 / counts[truth].max(1) as f64);
            shares.fold(0.0, f64::max)
        };
        let (recall, error) = (largest(true), largest(false));
        let rows = most_frequent(&counts).into_iter().map(|class| {
            let (name, row) = (&classes[class], matrix.row(class));
            let share = |count: usize| count as f64 / counts[class].max(1) as f64;
            let cell = |(predicted, &count): (usize, &usize)| {
                let (share, correct) = (share(count), predicted == class);
                let most: f64 = if correct { recall } else { error };
                let level = if most > 0.0 { share / most } else { 0.0 };
                Cell { count, share: format!("{share:.3}"), level: format!("{level:.3}"), correct }
            };
            Row {
                name: name.clone(),
                cells: if small { row.iter().enumerate().map(cell).collect() } else { Vec::new() },
                count: counts[class],
                recall: if counts[class] == 0 { "none".to_owned() } else { percent(share(row[class])) },
            }
        });
        let rows = rows.collect();
        let mut mistakes: Vec<((usize, usize), usize)> = matrix
            .indexed_iter()
            .filter(|((truth, predicted), count)| truth != predicted && **count > 0)
            .map(|(pair, &count)| (pair, count))
            .collect();
        mistakes.sort_by_key(|(_, count)| std::cmp::Reverse(*count)); // stable: ties in the classes' order
        let pair = |((truth, predicted), count): ((usize, usize), usize)| Pair {
            truth: classes[truth].clone(),
            predicted: classes[predicted].clone(),
            count,
            share: percent(count as f64 / counts[truth] as f64),
        };
        let all = total(&counts);
        let worst = mistakes.first().map(|&mistake| {
            let pair = pair(mistake);
            let of = counts[mistake.0.0];
            format!(
                "The most frequent mistake: {} of {of} samples of {} are taken for {}.",
                pair.count, pair.truth, pair.predicted
            )
        });
        let right = total(matrix.diag().iter()) as f64 / all.max(1) as f64;
        Ok(Self {
            samples: format!(
                "Of {all} {what}{}samples, {}% are recognised",
                if what.is_empty() { "" } else { " " },
                Tenths::of(right)
            ),
            worst,
            listed: listed(classes.len()),
            scales: if small && all > 0 { scales(recall, error) } else { String::new() },
            columns: if small { classes.to_vec() } else { Vec::new() },
            rows,
            pairs: if small { Vec::new() } else { mistakes.into_iter().take(PAIRS).map(pair).collect() },
        })
    }
}

/// What the strongest colours stand for.
fn scales(recall: f64, error: f64) -> String {
    let right = format!("Blue is right: the strongest is {} of a row.", percent(recall));
    if error > 0.0 {
        format!(
            "{right} Orange is an error, on a scale of its own: the strongest is {} of a row.",
            percent(error)
        )
    } else {
        format!("{right} There are no errors.")
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::error::Error;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|class| format!("c{class}")).collect()
    }

    #[test]
    fn a_small_matrix_is_shown_whole() {
        let confusion = Confusion::new(&array![[8, 2, 0], [1, 1, 2], [0, 0, 0]], &names(3), "test").unwrap();
        assert_eq!(confusion.samples, "Of 14 test samples, 64.3% are recognised");
        let worst = confusion.worst.unwrap();
        assert_eq!(worst, "The most frequent mistake: 2 of 10 samples of c0 are taken for c1.");
        let recalls: Vec<&str> = confusion.rows.iter().map(|row| row.recall.as_str()).collect();
        assert_eq!(recalls, ["80.0%", "25.0%", "none"]);
        let cells: Vec<(usize, &str, bool)> = confusion.rows[0]
            .cells
            .iter()
            .map(|cell| (cell.count, cell.share.as_str(), cell.correct))
            .collect();
        assert_eq!(cells, [(8, "0.800", true), (2, "0.200", false), (0, "0.000", false)]);
        // Errors are coloured by the largest of them, 2 of 4; what is right by 8 of 10.
        let levels: Vec<Vec<&str>> = confusion
            .rows
            .iter()
            .map(|row| row.cells.iter().map(|cell| cell.level.as_str()).collect())
            .collect();
        assert_eq!(
            levels,
            [["1.000", "0.400", "0.000"], ["0.500", "0.312", "1.000"], ["0.000", "0.000", "0.000"]]
        );
        assert_eq!(
            confusion.scales,
            "Blue is right: the strongest is 80.0% of a row. Orange is an error, on a scale of its own: the strongest is \
             50.0% of a row."
        );
        let right = Confusion::new(&array![[1, 0], [0, 2]], &names(2), "test").unwrap();
        assert_eq!(right.scales, "Blue is right: the strongest is 100.0% of a row. There are no errors.");
        assert!(confusion.pairs.is_empty());
    }

    #[test]
    fn of_a_large_one_the_most_confused_pairs() {
        let mut matrix = Array2::from_diag(&ndarray::Array1::from_elem(100, 50));
        matrix[[3, 5]] = 7;
        matrix[[8, 1]] = 9;
        let confusion = Confusion::new(&matrix, &names(100), "validation").unwrap();
        assert!(confusion.scales.is_empty());
        assert_eq!(confusion.listed, "Of 100 classes, the 50 with the most samples are listed.");
        assert_eq!(confusion.rows.len(), 50);
        assert!(confusion.rows.iter().any(|row| row.name == "c8" && row.count == 59));
        assert!(confusion.columns.is_empty() && confusion.rows.iter().all(|row| row.cells.is_empty()));
        let pairs: Vec<(&str, &str, usize, &str)> = confusion
            .pairs
            .iter()
            .map(|pair| (pair.truth.as_str(), pair.predicted.as_str(), pair.count, pair.share.as_str()))
            .collect();
        assert_eq!(pairs, [("c8", "c1", 9, "15.3%"), ("c3", "c5", 7, "12.3%")]);
        let all = Confusion::new(&Array2::from_elem((50, 50), 1), &names(50), "validation").unwrap();
        assert_eq!(all.pairs.len(), PAIRS);
    }

    #[test]
    fn a_table_of_many_classes_has_the_most_frequent_ones() {
        let mut matrix = Array2::from_diag(&ndarray::Array1::from_elem(300, 1));
        for class in 200..250 {
            matrix[[class, class]] = 40;
            matrix[[class, 3]] = 2;
            matrix[[class, 201]] += 5;
        }
        let bytes = confusion_csv(&matrix, &names(300)).unwrap();
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let head = reader.headers().unwrap().clone();
        assert_eq!((head.len(), &head[1], &head[50], &head[51]), (52, "c200", "c249", "other classes"));
        let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.unwrap()).collect();
        assert_eq!(rows.len(), 50);
        assert_eq!((&rows[0][0], &rows[0][1], &rows[0][2], &rows[0][51]), ("c200", "40", "5", "2"));
        let small = confusion_csv(&Array2::from_elem((50, 50), 1), &names(50)).unwrap();
        assert!(!String::from_utf8(small).unwrap().contains("other classes"), "all of 50 are listed");
    }

    #[test]
    fn the_table_is_read_back() {
        let classes = vec!["a,\"b\"".to_owned(), "c".to_owned()];
        let bytes = confusion_csv(&array![[1, 2], [3, 4]], &classes).unwrap();
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        assert_eq!(reader.headers().unwrap(), vec!["class", "a,\"b\"", "c"]);
        let rows: Vec<(String, usize, usize)> = reader.deserialize().map(|row| row.unwrap()).collect();
        assert_eq!(rows, [("a,\"b\"".to_owned(), 1, 2), ("c".to_owned(), 3, 4)]);
    }

    #[test]
    fn a_matrix_of_other_classes_is_refused() {
        for matrix in [Array2::zeros((2, 2)), Array2::zeros((3, 2)), Array2::zeros((2, 3))] {
            assert!(matches!(confusion_csv(&matrix, &names(3)).unwrap_err(), Error::Shape { .. }));
        }
        assert!(Confusion::new(&Array2::from_elem((2, 2), usize::MAX), &names(2), "test").is_ok());
        let unnamed = Confusion::new(&array![[1]], &names(1), "").unwrap();
        assert_eq!(unnamed.samples, "Of 1 samples, 100.0% are recognised");
        assert!(Confusion::new(&Array2::zeros((0, 0)), &[], "test").unwrap().worst.is_none());
    }
}
