//! The Python package: its wheel, and its tests in an environment with only the wheel and the tests' requirements.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::command::{command, root, run, target};
use crate::venv::Venv;

const PACKAGE: &str = "crates/thinnet-python";

/// Builds the wheel and runs the package's tests on it, with the newest and the oldest scikit-learn, the examples in
/// its documentation, and the comparison of its stubs with the compiled module.
pub fn test() -> Result<()> {
    let wheel = build_wheel()?;
    let tests = root().join(PACKAGE).join("tests");
    let (clusters, course, tracking) =
        (tests.join("scale_out"), tests.join("course"), tests.join("tracking"));
    // The oldest scikit-learn only matters for the estimators; the course's folder does not use it.
    for (name, requirements, left_out) in [
        ("python", "requirements-test.txt", vec![&clusters, &tracking]),
        ("python-oldest", "requirements-test-oldest.txt", vec![&clusters, &course, &tracking]),
    ] {
        let venv = install(&wheel, name, requirements)?;
        // Hundreds of small fits, each with work for one thread: one process per core halves their time.
        let mut pytest =
            command(venv.program("python"), &["-m", "pytest", "--quiet", "--numprocesses", "auto"]);
        for folder in left_out {
            pytest.arg("--ignore").arg(folder);
        }
        run(pytest.arg(&tests))?;
    }
    for (name, requirements, place) in [
        ("python-scale-out", "requirements-scale-out.txt", clusters.join("")),
        ("python-dask-ml", "requirements-dask-ml.txt", clusters.join("test_dask_ml.py")),
        ("python-mlflow", "requirements-mlflow.txt", tracking),
    ] {
        let venv = install(&wheel, name, requirements)?;
        let mut pytest = command(venv.program("python"), &["-m", "pytest", "--quiet"]);
        run(pytest.arg(place).env("MLFLOW_DISABLE_TELEMETRY", "true"))?;
    }
    let venv = install(&wheel, "python", "requirements-test.txt")?;
    let doctest = ["-m", "pytest", "--quiet", "--doctest-modules", "--pyargs", "thinnet"];
    run(&mut command(venv.program("python"), &doctest))?;
    run(&mut command(venv.program("python"), &["-m", "mypy.stubtest", "thinnet._thinnet"]))
}

/// An environment with this name, with the packages in one of the package's requirements files, and the wheel.
pub fn install(wheel: &PathBuf, name: &str, requirements: &str) -> Result<Venv> {
    let venv = Venv::ensure(name, &format!("{PACKAGE}/{requirements}"))?;
    let pip =
        ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--force-reinstall", "--no-deps"];
    run(command(venv.program("python"), &pip).arg(wheel))?;
    Ok(venv)
}

/// The wheel, as published.
pub fn build_wheel() -> Result<PathBuf> {
    let venv = Venv::ensure("python-build", &format!("{PACKAGE}/requirements-build.txt"))?;
    let folder = target().join("wheels");
    if folder.is_dir() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    let build = ["build", "--profile", "wheel", "--quiet", "--out"];
    run(command(venv.program("maturin"), &build).arg(&folder))?;
    let mut wheels = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        wheels.push(entry?.path());
    }
    match wheels.as_slice() {
        [wheel] => Ok(wheel.clone()),
        _ => bail!("expected one wheel in {}, found {}", folder.display(), wheels.len()),
    }
}
