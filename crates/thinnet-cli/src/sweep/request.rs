//! Converts arguments to a sweep with settings in range.

use std::path::{Path, PathBuf};

use thinnet::run::make_absolute;
use thinnet::sweep::{Draws, Plan, Shard, SweepConfig, SweepFolder};

use crate::args::sweep::SweepArguments;
use crate::failure::Failure;
use crate::folder;
use crate::train::request::read;

/// A sweep that can be started or resumed.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// The settings of the sweep.
    pub(crate) config: SweepConfig,
    place: Place,
}

/// The folder of the sweep.
#[derive(Debug)]
enum Place {
    /// A folder that does not exist yet, or that holds the same sweep.
    Out(PathBuf),
    /// An existing sweep.
    Existing(Box<SweepFolder>),
}

/// Checks everything that can be checked before samples are read and anything is written.
pub(crate) fn prepare(arguments: SweepArguments) -> Result<Prepared, Failure> {
    let SweepArguments {
        config: file, data, table, set, random, random_seed, seeds, out, resume, shard, ..
    } = arguments;
    if let Some(path) = resume {
        let named = |error| Failure::Refused(format!("--resume {}: {error}", path.display()));
        let folder = SweepFolder::open_for(&path, shard).map_err(named)?;
        return Ok(Prepared {
            config: folder.plan().config.clone(),
            place: Place::Existing(Box::new(folder)),
        });
    }
    let mut base = file.as_deref().map(read).transpose()?.unwrap_or_default();
    if let Some(path) = data {
        base.data.path = path;
    }
    table.apply(&mut base.data)?;
    let random = random.map(|points| Draws { points, seed: random_seed });
    let named = |error| Failure::Refused(format!("--set {error}"));
    let mut config = SweepConfig::new(base, &set, seeds, random).map_err(named)?;
    // A sweep can be resumed from any folder.
    make_absolute(&mut config.base.data);
    let plan = Plan::new(config.clone())?;
    // If the folder is not empty, the library checks whether it holds this sweep.
    let is_new = out.read_dir().map_or(true, |mut entries| entries.next().is_none());
    if is_new && plan.space.dimensions.is_empty() && seeds == 1 {
        return Err(Failure::Refused(
            "there is nothing to sweep: no setting has more than one value; use --set, as in `--set model.keep=0.5,1`, \
             or --seeds; `thinnet train` trains one network"
                .to_owned(),
        ));
    }
    folder::check("--out", &out)?;
    folder::check_outside(&out, Path::new(&config.base.data.path))?;
    Ok(Prepared { config, place: Place::Out(out) })
}

impl Prepared {
    /// The sweep's folder, created if it does not exist.
    pub(crate) fn folder(self, shard: Option<Shard>) -> Result<SweepFolder, Failure> {
        match self.place {
            Place::Existing(folder) => Ok(*folder),
            Place::Out(path) => {
                let named = |error| Failure::Refused(format!("--out {error}"));
                SweepFolder::create_for(&path, self.config, shard).map_err(named)
            }
        }
    }
}
