//! Trains a run of any number of networks: one, or an ensemble, whose networks are runs in folders of their own.

use std::sync::atomic::{AtomicBool, Ordering};

use super::Prepared;
use super::folder::members_of;
use super::prepare::{Samples, prepare_on};
use super::session::{Announcement, MODEL, Session, Summary, Watch};
use crate::data::Rows;
use crate::engine::cores;
use crate::error::{Error, Result};
use crate::float::Float;
use crate::model::Model;
use crate::report::EnsembleReport;
use crate::training::{Progress, Step, Trained, side_by_side};

/// Trains a run to its end, as [`Session::train`] does. The networks of an ensemble are trained side by side, each in the
/// folder `members/1`, `members/2` and so on. When all are trained, the model and the report of the ensemble are written.
/// A run that was stopped resumes with the state of each network.
///
/// # Errors
/// As [`Session::train`]; the first network that fails stops the others.
pub fn train<F: Float>(session: &Session, run: Prepared<F>, watch: &mut dyn Watch) -> Result<Summary> {
    if run.config.train.members <= 1 {
        return session.train(run, watch);
    }
    let Prepared { config, data, folder, description, fingerprint, format, .. } = run;
    let members = config.members()?;
    let threads = config.train.threads.unwrap_or_else(cores);
    let stop = AtomicBool::new(false);
    let samples = Samples { data, fingerprint, format };
    let work = |member: usize, threads: usize, tell: &dyn Fn(Message)| {
        let mut config = members[member].clone();
        config.train.threads = Some(threads);
        let path = members_of(folder.path()).join((member + 1).to_string());
        let prepared = prepare_on(config, samples.clone(), &path, None, None)?;
        let summary = session.train(prepared, &mut Teller { member, tell, stop: &stop })?;
        let model = Model::<F>::load(path.join(MODEL))?;
        Ok((model.into_trained(), summary))
    };
    let data = &samples.data;
    let parts = [data.train.len(), data.val.len(), data.test.as_ref().map_or(0, Rows::len)];
    let mut announced = false;
    let mut follow = |message: Message| {
        match message {
            // Once for all: the networks differ by their seeds.
            Message::Begin(begun) if !announced => {
                announced = true;
                watch.begin(&Announcement {
                    folder: folder.path().to_path_buf(),
                    data: description.clone(),
                    samples: parts,
                    members: members.len(),
                    threads,
                    ..*begun
                });
            }
            Message::Begin(_) => {}
            Message::Step { member, step, steps } => watch.member(member, &step, steps),
        }
        !watch.interrupted()
    };
    let done = side_by_side(members.len(), threads, &stop, &work, &mut follow)?;
    let (trained, summaries): (Vec<Trained<F>>, Vec<Summary>) = done.into_iter().unzip();
    let (trained, verdict) = Trained::ensemble(trained, &config, data)?;
    let results = trained.members.clone();
    Model::new(trained, data.preprocessing.clone())?.save(folder.path().join(MODEL))?;
    let seconds = summaries.iter().map(|summary| summary.seconds).sum();
    let both: Vec<_> =
        results.iter().copied().zip(summaries.iter().map(|summary| summary.history.clone())).collect();
    let report = EnsembleReport {
        config: &config,
        members: &both,
        val: verdict.val,
        test: verdict.test,
        classes: &data.preprocessing.names,
        data: &description,
        shape: &data.preprocessing.shape,
        confusion: verdict.confusion.as_ref(),
        seconds,
    };
    report.write(folder.path())?;
    let diverged = summaries.iter().find_map(|summary| summary.diverged);
    let first = summaries.into_iter().next();
    let first = first.ok_or_else(|| Error::configuration("the ensemble has no members"))?;
    Ok(Summary {
        folder: folder.path().to_path_buf(),
        val: verdict.val,
        test: verdict.test,
        members: results,
        diverged,
        seconds,
        ..first
    })
}

/// What the threads of the networks tell.
enum Message {
    Begin(Box<Announcement>),
    Step { member: usize, step: Step, steps: u64 },
}

/// Follows one network.
struct Teller<'a> {
    member: usize,
    tell: &'a dyn Fn(Message),
    stop: &'a AtomicBool,
}

impl Progress for Teller<'_> {
    fn step(&mut self, step: &Step, steps: u64) {
        (self.tell)(Message::Step { member: self.member, step: *step, steps });
    }

    fn interrupted(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl Watch for Teller<'_> {
    fn begin(&mut self, run: &Announcement) {
        (self.tell)(Message::Begin(Box::new(run.clone())));
    }
}
