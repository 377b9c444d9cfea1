//! The page of an evaluation: how a model does on data that it may never have seen.

use std::path::{Path, PathBuf};

use askama::Template;

use super::averages::AveragesPage;
use super::confusion::{Confusion, confusion_csv, listed, most_frequent};
use super::intervals::IntervalsPage;
use super::look::{Look, float, percent};
use super::plot::DrawingError;
use super::trust::{Shown, TrustPage};
use crate::error::{Error, Result};
use crate::files;
use crate::model::Evaluation;

/// The report of an evaluation: `evaluation.html`, `evaluation.json`, and of classes `confusion.csv`.
#[derive(Debug, Clone, Copy)]
pub struct EvaluationReport<'a> {
    /// What came out.
    pub evaluation: &'a Evaluation,
    /// What the model is called.
    pub model: &'a str,
    /// What the data are called.
    pub data: &'a str,
    /// The data themselves, for the samples of the surest mistakes; `None` lists these without their samples.
    pub shown: Option<Shown<'a>>,
    /// Which samples they are, before the word "samples": "test", or nothing.
    pub what: &'a str,
}

/// What the template is filled with; it escapes everything.
#[derive(Template)]
#[template(path = "evaluation.html")]
struct Page<'a> {
    look: Look,
    headline: String,
    sentences: Vec<String>,
    title: &'static str,
    note: &'static str,
    head: &'static str,
    columns: [&'static str; 4],
    rows: Vec<(&'a str, Vec<String>)>,
    trust: Option<TrustPage>,
    intervals: Option<IntervalsPage>,
    averages: Option<AveragesPage>,
    confusion: Option<Confusion>,
    settings: Vec<(&'static str, String)>,
}

impl EvaluationReport<'_> {
    /// The files as bytes, by name.
    ///
    /// # Errors
    /// [`Error::Report`] if one cannot be made, which no evaluation is known to cause.
    pub fn files(self) -> Result<Vec<(&'static str, Vec<u8>)>> {
        let evaluation = self.evaluation;
        let names: Vec<String> = evaluation.classes.iter().map(|class| class.name.clone()).collect();
        let json = serde_json::to_vec_pretty(evaluation).map_err(Error::report("evaluation.json"))?;
        let (mut confusion, mut csv) = (None, None);
        if let Some(matrix) = &evaluation.confusion {
            confusion = Some(Confusion::new(matrix, &names, self.what)?);
            csv = Some(("confusion.csv", confusion_csv(matrix, &names)?));
        }
        let page = self.page(&names, confusion).map_err(Error::report("evaluation.html"))?;
        Ok([("evaluation.html", page), ("evaluation.json", json)].into_iter().chain(csv).collect())
    }

    /// Writes the files into `folder`, which is made if need be; gives their paths.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder or a file cannot be written: every file there is then a whole one, old or new.
    pub fn write(self, folder: &Path) -> Result<Vec<PathBuf>> {
        files::write_all(folder, &self.files()?)
    }

    fn page(
        self,
        names: &[String],
        confusion: Option<Confusion>,
    ) -> std::result::Result<Vec<u8>, DrawingError> {
        let Evaluation { samples, accuracy, top5, log_loss, classes, targets, .. } = self.evaluation;
        let words: Vec<&str> = self.what.split_whitespace().chain(["samples"]).collect();
        let counted = format!("{samples} {}", words.join(" "));
        let headline = match (accuracy, targets.as_slice()) {
            (Some(accuracy), _) => format!("Of {counted}, {} are recognised.", percent(*accuracy)),
            (None, [target]) => {
                format!("On {counted}, {} is off by {} on average.", target.name, float(target.mae))
            }
            (None, _) => format!("Judged on {counted}."),
        };
        let top5 = top5.map(percent);
        let top5 =
            top5.map(|top5| format!("The true class is among the five most probable of {top5} of them."));
        let log_loss = log_loss.map(|loss| format!("The log loss is {}.", float(loss)));
        let trust = self.evaluation.trust.as_ref().map(|trust| TrustPage::new(trust, names, self.shown));
        let counts: Vec<usize> = classes.iter().map(|class| class.samples).collect();
        let of_classes = most_frequent(&counts).into_iter().map(|class| {
            let class = &classes[class];
            let shares = [class.precision, class.recall, class.f1].map(float);
            (class.name.as_str(), [vec![class.samples.to_string()], shares.to_vec()].concat())
        });
        let listed = Some(listed(classes.len())).filter(|text| !text.is_empty());
        let of_targets = targets.iter().map(|target| {
            let r2 = target.r2.map_or_else(|| "none".to_owned(), float);
            (target.name.as_str(), vec![float(target.rmse), float(target.mae), r2, samples.to_string()])
        });
        let (title, head, columns, note) = if classes.is_empty() {
            let note = "RMSE is the root of the mean squared error, MAE the mean absolute error, both in the target's unit; R \
                        squared is the share of its variance that is explained.";
            ("Targets", "Target", ["RMSE", "MAE", "R squared", "Samples"], note)
        } else {
            let note = "Precision is the share of the samples taken for a class that are of it, recall the share of its \
                        samples that are taken for it; F1 is the harmonic mean of both.";
            ("Classes", "Class", ["Samples", "Precision", "Recall", "F1"], note)
        };
        let page = Page {
            look: Look::new(),
            headline,
            sentences: top5.into_iter().chain(log_loss).chain(listed).collect(),
            title,
            note,
            head,
            columns,
            rows: of_classes.chain(of_targets).collect(),
            trust: trust.transpose()?,
            intervals: IntervalsPage::new(targets)?,
            averages: self.evaluation.averages.as_ref().map(AveragesPage::new).transpose()?,
            confusion,
            settings: vec![
                ("Model", self.model.to_owned()),
                ("Data", self.data.to_owned()),
                ("Samples", counted),
            ],
        };
        Ok(page.render()?.into_bytes())
    }
}
