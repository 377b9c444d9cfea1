//! Ensembles: networks that are trained by themselves, with different seeds, and predict together.
//!
//! Source: Lakshminarayanan, Pritzel and Blundell, "Simple and Scalable Predictive Uncertainty Estimation using Deep
//! Ensembles", NIPS 2017; without its adversarial training.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use super::check::{judge_scores, scores_of};
use super::seeds::seeds;
use super::trained::{fitted, predictor};
use super::{Member, Progress, Step, Trained, Trainer, TrainingConfig, TrainingData, Verdict};
use crate::data::Rows;
use crate::error::{Error, Result};
use crate::float::Float;

impl TrainingConfig {
    /// The settings of each of the `train.members` networks: `train.seed` counts up, and nothing else differs.
    ///
    /// # Errors
    /// [`Error::Configuration`] for 0 members, and for seeds above 4294967295.
    pub fn members(&self) -> Result<Vec<Self>> {
        if self.train.members == 1 {
            return Ok(vec![self.clone()]);
        }
        if self.train.members == 0 {
            return Err(Error::setting("train.members", "must be at least 1, got 0"));
        }
        let seeds = seeds(self.train.seed, self.train.members)?;
        let member = |seed| {
            let mut config = self.clone();
            (config.train.seed, config.train.members) = (seed, 1);
            config
        };
        Ok(seeds.into_iter().map(member).collect())
    }
}

impl<F: Float> Trained<F> {
    /// The ensemble of networks that were trained on the same data, and its results. Temperature and conformal scores
    /// are fitted to what the networks predict together.
    ///
    /// - `members`: as [`TrainingConfig::members`] orders them, with their test scores
    /// - `config`: the ensemble's settings
    ///
    /// # Errors
    /// [`Error::Configuration`] without members; [`Error::Shape`] for networks that do not suit the data.
    pub fn ensemble(
        members: Vec<Self>,
        config: &TrainingConfig,
        data: &TrainingData<F>,
    ) -> Result<(Self, Verdict)> {
        let threads = config.train.threads.unwrap_or_else(crate::engine::cores);
        let objective = config.objective();
        let mut all = members.into_iter();
        let first = all.next().ok_or_else(|| Error::configuration("an ensemble has no members"))?;
        let result = |one: &Self| Member {
            seed: one.config.train.seed,
            epoch: one.epoch,
            val: one.val,
            test: one.test,
        };
        let mut ensemble = Self { members: vec![result(&first)], config: config.clone(), ..first };
        for one in all {
            ensemble.members.push(result(&one));
            ensemble.others.push(one.net);
        }
        let engines = ensemble.nets().map(|net| predictor(net.clone(), config, threads));
        let engines = engines.collect::<Result<Vec<_>>>()?;
        let scores = |rows: &Rows<F>| {
            let each = engines.iter().map(|engine| scores_of(engine.as_ref(), rows, &objective));
            objective.combine(&each.collect::<Result<Vec<_>>>()?)
        };
        let of_val = scores(&data.val)?;
        let (val, mut confusion) = judge_scores(of_val.view(), &data.val, &objective)?;
        (ensemble.val, ensemble.test) = (val, None);
        if let Some(rows) = &data.test {
            let (test, of_test) = judge_scores(scores(rows)?.view(), rows, &objective)?;
            (ensemble.test, confusion) = (Some(test), of_test);
        }
        (ensemble.temperature, ensemble.conformal) = fitted(of_val, &data.val, config, &data.preprocessing)?;
        let test = ensemble.test;
        Ok((ensemble, Verdict { val, test, confusion }))
    }

    /// The networks: one, or all of an ensemble.
    pub fn nets(&self) -> impl Iterator<Item = &crate::net::FullyConnectedNet<F>> {
        [&self.net].into_iter().chain(&self.others)
    }

    /// Refuses an ensemble.
    ///
    /// - `what`: what holds one network
    #[cfg(feature = "export")]
    pub(crate) fn check_single(&self, what: &str) -> Result<()> {
        crate::error::ensure!(
            self.others.is_empty(),
            Error::configuration(format!(
                "the model is an ensemble, but {what} holds one network; ONNX holds an ensemble as one graph"
            ))
        );
        Ok(())
    }

    /// What each network of an ensemble reached by itself; the scores of the only network otherwise.
    pub fn results(&self) -> Vec<Member> {
        if self.members.is_empty() {
            let (seed, epoch) = (self.config.train.seed, self.epoch);
            return vec![Member { seed, epoch, val: self.val, test: self.test }];
        }
        self.members.clone()
    }
}

/// Trains the network or the ensemble that the settings ask for, in memory.
///
/// # Errors
/// As [`Trainer::new`] and [`Trainer::run`].
pub(crate) fn train_all<F: Float>(
    config: &TrainingConfig,
    data: &TrainingData<F>,
    progress: &mut dyn Progress,
) -> Result<Trained<F>> {
    let threads = config.train.threads.unwrap_or_else(crate::engine::cores);
    let members = config.members()?;
    if let [config] = members.as_slice() {
        let mut trainer = Trainer::new(config, data, threads)?;
        trainer.run(progress)?;
        return trainer.trained();
    }
    let stop = AtomicBool::new(false);
    let train = |member: usize, threads: usize, tell: &dyn Fn((Step, u64))| {
        let mut config = members[member].clone();
        config.train.threads = Some(threads);
        let mut trainer = Trainer::new(&config, data, threads)?;
        trainer.run(&mut Forward { tell, stop: &stop })?;
        let test = trainer.verdict(threads)?.test;
        Ok(Trained { test, ..trainer.trained()? })
    };
    let trained = side_by_side(members.len(), threads, &stop, &train, &mut |(step, steps)| {
        progress.step(&step, steps);
        !progress.interrupted()
    })?;
    Ok(Trained::ensemble(trained, config, data)?.0)
}

/// Passes a member's steps on to the thread that follows.
struct Forward<'a> {
    tell: &'a dyn Fn((Step, u64)),
    stop: &'a AtomicBool,
}

impl Progress for Forward<'_> {
    fn step(&mut self, step: &Step, steps: u64) {
        (self.tell)((*step, steps));
    }

    fn interrupted(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// The work for one member: its index, its threads, and where its messages go.
pub(crate) type Work<'a, T, M> = dyn Fn(usize, usize, &dyn Fn(M)) -> Result<T> + Sync + 'a;

/// Does the work for `count` members side by side, as many at a time as there are threads. Each has one thread, except
/// those that are left for the last round, which share the threads. Messages go to the calling thread; when `follow`
/// returns false, `stop` is set, which the work must look at.
///
/// # Errors
/// The first member's error; the others are then stopped.
pub(crate) fn side_by_side<T: Send, M: Send>(
    count: usize,
    threads: usize,
    stop: &AtomicBool,
    work: &Work<'_, T, M>,
    follow: &mut dyn FnMut(M) -> bool,
) -> Result<Vec<T>> {
    let jobs = threads.clamp(1, count.max(1));
    let last_round = count - count % jobs;
    let own = |member: usize| {
        if member < last_round { threads / jobs } else { threads.div_ceil(count - last_round) }
    };
    if jobs == 1 {
        // Also where there are no threads, as in a browser.
        let follow = RefCell::new(follow);
        let tell = |message| {
            if !(*follow.borrow_mut())(message) {
                stop.store(true, Ordering::Relaxed);
            }
        };
        return (0..count).map(|member| work(member, own(member), &tell)).collect();
    }
    let next = AtomicUsize::new(0);
    let run = |sender: Sender<Message<T, M>>| {
        while !stop.load(Ordering::Relaxed) {
            let member = next.fetch_add(1, Ordering::Relaxed);
            if member >= count {
                return;
            }
            let done = work(member, own(member), &|message| drop(sender.send(Message::Says(message))));
            drop(sender.send(Message::Done(member, done)));
        }
    };
    thread::scope(|scope| {
        let (sender, receiver) = channel();
        let mut started = Ok(());
        for _ in 0..jobs {
            let (sender, run) = (sender.clone(), &run);
            let thread = thread::Builder::new().spawn_scoped(scope, move || run(sender));
            if let Err(reason) = thread {
                started = Err(Error::configuration(format!("cannot start a thread: {reason}")));
                stop.store(true, Ordering::Relaxed);
            }
        }
        drop(sender);
        let mut all: Vec<Option<Result<T>>> = (0..count).map(|_| None).collect();
        for message in receiver {
            let goes_on = match message {
                Message::Says(message) => follow(message),
                Message::Done(member, done) => {
                    let goes_on = done.is_ok();
                    all[member] = Some(done);
                    goes_on
                }
            };
            if !goes_on {
                stop.store(true, Ordering::Relaxed);
            }
        }
        started?;
        // A member that failed says why; those that were stopped for it do not.
        let failed = |done: &Option<Result<T>>| matches!(done, Some(Err(error)) if !matches!(error, Error::Interrupted { .. }));
        if let Some(place) = all.iter().position(failed)
            && let Some(Err(error)) = all.swap_remove(place)
        {
            return Err(error);
        }
        all.into_iter().map(|done| done.unwrap_or(Err(Error::Interrupted { step: 0 }))).collect()
    })
}

/// What the calling thread hears.
enum Message<T, M> {
    Says(M),
    Done(usize, Result<T>),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(threads: usize, count: usize) -> Result<Vec<(usize, usize)>> {
        let work = |member: usize, threads: usize, tell: &dyn Fn(usize)| {
            tell(member);
            Ok((member, threads))
        };
        side_by_side(count, threads, &AtomicBool::new(false), &work, &mut |_| true)
    }

    #[test]
    fn every_member_is_trained_in_order_and_the_last_share_the_threads() {
        assert_eq!(work(1, 3).unwrap(), [(0, 1), (1, 1), (2, 1)]);
        assert_eq!(work(2, 5).unwrap(), [(0, 1), (1, 1), (2, 1), (3, 1), (4, 2)]);
        assert_eq!(work(8, 3).unwrap(), [(0, 2), (1, 2), (2, 2)]);
        assert_eq!(work(4, 4).unwrap(), [(0, 1), (1, 1), (2, 1), (3, 1)]);
    }

    #[test]
    fn a_failure_stops_the_others_and_is_the_one_that_is_told() {
        for threads in [1, 2] {
            let stop = AtomicBool::new(false);
            let work = |member: usize, _: usize, tell: &dyn Fn(usize)| {
                tell(member);
                if member == 1 {
                    return Err(Error::data("no"));
                }
                while threads == 2 && !stop.load(Ordering::Relaxed) {
                    thread::yield_now();
                }
                if threads == 1 { Ok(()) } else { Err(Error::Interrupted { step: 7 }) }
            };
            let done = side_by_side(4, threads, &stop, &work, &mut |_| true);
            assert_eq!(done.unwrap_err().to_string(), Error::data("no").to_string());
        }
    }

    #[test]
    fn who_follows_stops_all() {
        for threads in [1, 2] {
            let stop = AtomicBool::new(false);
            let work = |member: usize, _: usize, tell: &dyn Fn(usize)| {
                tell(member);
                while threads == 2 && !stop.load(Ordering::Relaxed) {
                    thread::yield_now();
                }
                if stop.load(Ordering::Relaxed) { Err(Error::Interrupted { step: 1 }) } else { Ok(()) }
            };
            let done = side_by_side(3, threads, &stop, &work, &mut |_| false);
            assert!(matches!(done, Err(Error::Interrupted { .. })));
        }
    }
}
