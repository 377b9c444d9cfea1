//! The page of a sweep.

use std::path::Path;

use askama::Template;

use super::draw::{self, SCALE, WIDE};
use super::effects::{Effect, picture_name};
use super::parallel::Parallel;
use super::summary;
use crate::report::look::{Entry, Look, legend};
use crate::report::plot::{DrawingError, SVG_SCALE, hex};
use crate::sweep::{Plan, Stat, Table, label};
use crate::text::{joined, shell_word};

/// The page shows no more points than this; `sweep.csv` has all.
const MOST_ROWS: usize = 200;

/// What the template is filled with; it escapes all but the drawings.
#[derive(Template)]
#[template(path = "sweep.html")]
struct Page {
    look: Look,
    headline: String,
    sentences: Vec<String>,
    plots: Vec<Plot>,
    parallel: Option<Wide>,
    keys: Vec<String>,
    heads: [&'static str; 8],
    rows: Vec<Row>,
    /// Whether some run has a page of its own.
    linked: bool,
    left_out: usize,
    points: String,
    ground: String,
    picture: Option<&'static str>,
    settings: Vec<(&'static str, String)>,
    toml: String,
    command: String,
    float32: bool,
}

/// What one setting does.
struct Plot {
    title: String,
    caption: String,
    words: String,
    legend: Vec<Entry>,
    drawing: String,
    /// Its figures as JSON, for the page's script.
    data: String,
}

/// The parallel plot.
struct Wide {
    words: String,
    drawing: String,
    view: (u32, u32),
    /// Colours from low to high.
    scale: Vec<String>,
    low: String,
    high: String,
}

/// A row of the table.
struct Row {
    number: usize,
    values: Vec<String>,
    cells: [String; 8],
    /// Seeds of its runs that have a page, and where that is.
    runs: Vec<(u32, String)>,
}

/// The pages of runs: for each point the seeds, and where the page is from the sweep's folder.
pub(super) struct Links(Vec<Vec<(u32, String)>>);

impl Links {
    /// The runs that have a page in the sweep's `folder`; none without one.
    pub(super) fn of(plan: &Plan, folder: Option<&Path>) -> Self {
        let mut links = vec![Vec::new(); plan.points.len()];
        for run in plan.runs.iter().filter(|_| folder.is_some()) {
            let link = run.report_link();
            let is_there = folder.is_some_and(|folder| folder.join(&link).is_file());
            if let Some(own) = links.get_mut(run.point).filter(|_| is_there) {
                own.push((run.seed, link));
            }
        }
        Self(links)
    }
}

/// The page's HTML.
pub(super) fn html(
    plan: &Plan,
    table: &Table,
    effects: &[Effect],
    Links(mut links): Links,
) -> Result<Vec<u8>, DrawingError> {
    let mut sentences = summary::sentences(plan, table).into_iter();
    let mut look = Look::new();
    look.colors.extend(SCALE.iter().map(|(light, dark)| (hex(*light), *dark)));
    let rows = table.rows.iter().take(MOST_ROWS).map(|row| Row {
        number: row.point + 1,
        values: row.values.iter().map(label).collect(),
        cells: table.cells(row),
        runs: links.get_mut(row.point).map(std::mem::take).unwrap_or_default(),
    });
    let rows: Vec<Row> = rows.collect();
    let page = Page {
        look,
        headline: sentences.next().unwrap_or_default(),
        sentences: sentences.collect(),
        plots: effects.iter().map(|effect| plot(effect, table)).collect::<Result<_, _>>()?,
        parallel: Parallel::of(plan, table).map(|plot| wide(&plot, table)).transpose()?,
        keys: table.keys.clone(),
        heads: table.heads(),
        linked: rows.iter().any(|row| !row.runs.is_empty()),
        rows,
        left_out: table.rows.len().saturating_sub(MOST_ROWS),
        points: points(plan),
        ground: hex(draw::GROUND),
        picture: (!effects.is_empty()).then_some(picture_name(table.measure)),
        settings: settings(plan),
        toml: plan.config.base.to_toml()?,
        command: command(plan),
        float32: plan.config.base.model.dtype == crate::float::Dtype::F32,
    };
    Ok(page.render()?.into_bytes())
}

fn plot(effect: &Effect, table: &Table) -> Result<Plot, DrawingError> {
    let (drawing, data) = draw::svg(effect)?;
    Ok(Plot {
        title: effect.key.clone(),
        caption: effect.caption.clone(),
        words: effect.words(table),
        legend: legend(&draw::labels(effect))?,
        drawing,
        data,
    })
}

fn wide(plot: &Parallel, table: &Table) -> Result<Wide, DrawingError> {
    let scores = || table.rows.iter().filter_map(|row| row.best);
    let mean = |stat: Option<Stat>| table.score(stat.map(Stat::alone));
    Ok(Wide {
        words: plot.words(),
        drawing: draw::parallel(plot)?,
        view: (WIDE.0 * SVG_SCALE, WIDE.1 * SVG_SCALE),
        scale: SCALE.iter().map(|(light, _)| hex(*light)).collect(),
        low: mean(scores().next_back()),
        high: mean(scores().next()),
    })
}

/// How many points there are, and how they were come by.
fn points(plan: &Plan) -> String {
    let count = match plan.points.len() {
        1 => "1 point".to_owned(),
        count => format!("{count} points"),
    };
    let seeds = match plan.config.seeds {
        1 => "one seed each".to_owned(),
        seeds => format!("{seeds} seeds each"),
    };
    match plan.config.random {
        None => format!("{count} of a grid, {seeds}"),
        Some(draws) => format!("{count} drawn at random with seed {}, {seeds}", draws.seed),
    }
}

fn settings(plan: &Plan) -> Vec<(&'static str, String)> {
    let base = &plan.config.base;
    let first = base.train.seed;
    let seeds = match plan.config.seeds {
        0 | 1 => first.to_string(),
        seeds => format!("{first} to {}", u64::from(first) + seeds as u64 - 1),
    };
    let varied = plan.config.space.join("; ");
    let hidden = joined(&base.model.hidden, ", ");
    let mut rows = vec![
        ("Varied", if varied.is_empty() { "nothing but the seed".to_owned() } else { varied }),
        ("Points", points(plan)),
        ("Seeds", seeds),
    ];
    let shown = [
        ("Data", "data.path", base.data.path.clone()),
        ("Hidden layers", "model.hidden", if hidden.is_empty() { "none".to_owned() } else { hidden }),
        ("Epochs", "train.epochs", base.train.epochs.to_string()),
        ("Batch size", "train.batch_size", base.train.batch_size.to_string()),
        ("Optimiser", "optim.rule", base.optim.rule.name().to_owned()),
        ("Learning rate", "optim.learning_rate", base.optim.learning_rate.to_string()),
    ];
    // The base value of a setting that is varied says nothing.
    let is_varied = |key: &str| plan.space.dimensions.iter().any(|dimension| dimension.key == key);
    let shown = shown.into_iter().filter(|(_, key, _)| !is_varied(key));
    rows.extend(shown.map(|(name, _, value)| (name, value)));
    rows
}

/// What a person would type to run the sweep again.
fn command(plan: &Plan) -> String {
    let mut words = vec!["thinnet sweep config.toml".to_owned()];
    words.extend(plan.config.space.iter().map(|text| format!("--set {}", shell_word(text))));
    if let Some(draws) = plan.config.random {
        words.push(format!("--random {} --random-seed {}", draws.points, draws.seed));
    }
    words.push(format!("--seeds {}", plan.config.seeds));
    words.join(" ")
}
