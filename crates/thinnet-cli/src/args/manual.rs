//! The arguments for shell completions and manual pages.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// Print a script that completes thinnet's commands and options in a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Save the script where your shell looks for such scripts, then start a new shell:
  # bash
  thinnet completions bash > ~/.local/share/bash-completion/completions/thinnet
  # zsh, in a folder of $fpath
  thinnet completions zsh > ~/.zfunc/_thinnet
  # fish
  thinnet completions fish > ~/.config/fish/completions/thinnet.fish
  # elvish
  thinnet completions elvish >> ~/.config/elvish/rc.elv
  # PowerShell
  thinnet completions powershell >> $PROFILE")]
pub(crate) struct CompletionsArguments {
    /// The shell
    pub(crate) shell: Shell,
}

/// Print the manual page, or write the pages of all commands into a folder
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  # Read the page of thinnet itself
  thinnet man | man -l -
  # Install all pages, then read one
  thinnet man ~/.local/share/man/man1
  man thinnet-train")]
pub(crate) struct ManArguments {
    /// Folder for the pages, one for each command; created if missing
    #[arg(value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
}
