//! `e3 init`: makes a home, with an example to begin from.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use e3_home::Home;
use serde_json::json;

use crate::app::{App, quoted};
use crate::cli::Global;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::{data_json, data_text};

pub(crate) fn perform(app: &App, global: &Global, directory: Option<&Path>) -> Result<Exit, Failure> {
    let cwd = std::env::current_dir().context("the current directory cannot be read")?;
    let named = global.home.is_some() || std::env::var_os("E3_HOME").is_some_and(|home| !home.is_empty());
    let here = cwd.join("e3-home");
    let root = match directory {
        Some(directory) => cwd.join(directory),
        None if named => app.home.root().to_owned(),
        None => here.clone(),
    };
    let home = Home::at(&root);
    let files = home.begin()?;
    if app.json {
        data_json(&json!({"home": root, "files": files}))?;
        return Ok(Exit::Success);
    }
    // The home of the next command is this one if it lies here, or the environment or a flag names it.
    let found = root == app.home.root() || (!named && root == here);
    data_text(&next_steps(&root, &files, found))?;
    Ok(Exit::Success)
}

fn next_steps(root: &Path, files: &[PathBuf], found: bool) -> String {
    let written = files.iter().map(|file| format!("  {}\n", file.display())).collect::<String>();
    let name_it = if found { String::new() } else { format!("  export E3_HOME={}\n", quoted(root)) };
    format!(
        "{} is a home now, with\n{written}\nnext:\n{name_it}  e3 doctor                        \
         is this machine fit for it?\n  e3 validate -e first --explain   what the example would do\n  \
         e3 orchestrate -e first          do it: about two minutes\n",
        root.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_elsewhere_is_named_in_the_next_step() {
        let files = [PathBuf::from("/a b/README.md")];
        let there = next_steps(Path::new("/a b"), &files, false);
        assert!(there.contains("export E3_HOME='/a b'\n") && there.contains("  /a b/README.md\n"), "{there}");
        assert!(!next_steps(Path::new("/a b"), &files, true).contains("E3_HOME"));
    }
}
