//! The tools, installed once into ignored folders, in exactly the versions the repository names.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::program::{Program, Repository};
use crate::steps::Steps;

const PYTHON_MINIMUM: (u32, u32) = (3, 11);
const NODE_MINIMUM: (u32, u32) = (20, 0);

/// Installs what is not installed yet; does nothing, at once, when everything is.
pub(crate) fn run(repository: &Repository, steps: &Steps) -> Result<()> {
    let requirements = repository.path("infra/local/requirements.txt");
    let label = "Python tools: emulator, cargo-lambda, cfn-lint";
    python(repository, steps, &repository.tools(), &requirements, label)?;
    let lock = repository.path("infra/package-lock.json");
    let node_stamp = repository.path("infra/node_modules/.xtask.stamp");
    if !stamped(&node_stamp, &lock)? {
        require("node", "Node", NODE_MINIMUM, repository)?;
        let install = Program::new(repository, "npm")
            .args(["ci", "--no-audit", "--no-fund", "--no-progress"])
            .directory(repository.path("infra"));
        steps.run("Node modules for the infrastructure", &install)?;
        stamp(&node_stamp, &lock)?;
    }
    Ok(())
}

/// A Python of its own in `folder`, with what the requirements name; its interpreter is `bin/python3` in there.
/// Does nothing where exactly that is installed.
pub(crate) fn python(
    repository: &Repository,
    steps: &Steps,
    folder: &Path,
    requirements: &Path,
    label: &str,
) -> Result<()> {
    let folder_stamp = folder.with_extension("stamp");
    if stamped(&folder_stamp, requirements)? {
        return Ok(());
    }
    require("python3", "Python", PYTHON_MINIMUM, repository)?;
    // A half-made folder of an interrupted run is not repaired but made again.
    remove(folder)?;
    install_python(repository, steps, folder, requirements, label)?;
    stamp(&folder_stamp, requirements)
}

fn install_python(
    repository: &Repository,
    steps: &Steps,
    folder: &Path,
    requirements: &Path,
    label: &str,
) -> Result<()> {
    let pip_options = ["install", "--quiet", "--disable-pip-version-check", "--requirement"];
    let has_module = |module: &str| {
        Program::new(repository, "python3").arg("-c").arg(format!("import {module}")).ask().is_ok()
    };
    // Some distributions take the installer out of their Python; then pip itself may still be there.
    if has_module("ensurepip") {
        let create = Program::new(repository, "python3").args(["-m", "venv"]).arg(folder);
        steps.run("Python environment", &create)?;
        let install = Program::new(repository, folder.join("bin/python3"))
            .args(["-m", "pip"])
            .args(pip_options)
            .arg(requirements);
        return steps.run(label, &install);
    }
    if !has_module("pip") {
        bail!(
            "python3 has neither `venv` nor `pip`: install one of them \
             (Debian and Ubuntu: the package python3-venv or python3-pip)"
        );
    }
    let install = Program::new(repository, "python3")
        .args(["-m", "pip"])
        .args(pip_options)
        .arg(requirements)
        .arg("--target")
        .arg(folder);
    steps.run(label, &install)?;
    let python = Program::new(repository, "python3")
        .args(["-c", "import sys; print(sys.executable)"])
        .ask()?;
    // Packages without a program leave no such folder.
    let programs = folder.join("bin");
    fs::create_dir_all(&programs)
        .with_context(|| format!("cannot create {}", programs.display()))?;
    link(Path::new(&python), &programs.join("python3"))
}

#[cfg(unix)]
fn link(original: &Path, link: &Path) -> Result<()> {
    std::os::unix::fs::symlink(original, link)
        .with_context(|| format!("cannot link {} to {}", link.display(), original.display()))
}

#[cfg(not(unix))]
fn link(_original: &Path, _link: &Path) -> Result<()> {
    bail!("the local stack needs Linux or macOS; on Windows use WSL")
}

/// Fails if a program is missing or too old.
fn require(program: &str, name: &str, minimum: (u32, u32), repository: &Repository) -> Result<()> {
    let (major, minor) = minimum;
    let wanted = format!("{name} {major}.{minor} or newer is needed");
    let answer = Program::new(repository, program)
        .arg("--version")
        .ask()
        .with_context(|| format!("{wanted}, and `{program}` is not found: install it"))?;
    let Some(found) = version(&answer) else {
        bail!("{wanted}; `{program} --version` said `{answer}`, which names no version");
    };
    if found < minimum {
        bail!(
            "{wanted}; `{program}` is {}.{}: install a newer one, first on PATH",
            found.0,
            found.1
        );
    }
    Ok(())
}

/// Major and minor of `Python 3.11.7` or `v20.20.2`.
fn version(answer: &str) -> Option<(u32, u32)> {
    let number = answer.split_whitespace().last()?.trim_start_matches('v');
    let mut parts = number.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Whether the last installation was made from exactly this input. The stamp is the input itself: there is no need
/// of a hash where a comparison does.
fn stamped(stamp: &Path, input: &Path) -> Result<bool> {
    let wanted = fs::read(input).with_context(|| format!("cannot read {}", input.display()))?;
    Ok(fs::read(stamp).is_ok_and(|found| found == wanted))
}

fn stamp(stamp: &Path, input: &Path) -> Result<()> {
    fs::copy(input, stamp).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(())
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(problem) if problem.kind() != std::io::ErrorKind::NotFound => {
            Err(problem).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_the_programs_print_them() {
        assert_eq!(version("Python 3.11.7"), Some((3, 11)));
        assert_eq!(version("v20.20.2"), Some((20, 20)));
        assert_eq!(version("Python 3.13.0rc1"), Some((3, 13)));
        assert_eq!(version("command not found"), None);
    }

    #[test]
    fn a_changed_input_is_installed_again() {
        let folder = std::env::temp_dir().join(format!("xtask-stamp-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (input, mark) = (folder.join("input"), folder.join("stamp"));
        fs::write(&input, "boto3==1").unwrap();
        assert!(!stamped(&mark, &input).unwrap());
        stamp(&mark, &input).unwrap();
        assert!(stamped(&mark, &input).unwrap());
        fs::write(&input, "boto3==2").unwrap();
        assert!(!stamped(&mark, &input).unwrap());
        fs::remove_dir_all(&folder).unwrap();
    }
}
