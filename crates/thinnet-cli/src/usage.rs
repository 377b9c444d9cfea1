//! Messages for arguments that cannot be parsed: clap's reason, in one sentence.

use std::env;

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::args::Arguments;
use crate::failure::Failure;
use crate::hints::instead;

/// Arguments that cannot be parsed: clap's reason, in one sentence.
pub(crate) fn refusal(error: &clap::Error) -> Failure {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(any_of(texts)),
        _ => None,
    };
    // "--keep <P,...>": the name is enough.
    let arg = || text(ContextKind::InvalidArg).map(|arg| name(&arg).to_owned()).unwrap_or_default();
    let value = text(ContextKind::InvalidValue).unwrap_or_default();
    let guess = [
        (ContextKind::SuggestedValue, ContextKind::InvalidValue),
        (ContextKind::SuggestedArg, ContextKind::InvalidArg),
        (ContextKind::SuggestedSubcommand, ContextKind::InvalidSubcommand),
    ];
    let guess = guess
        .into_iter()
        .find_map(|(suggested, given)| nearest(error.get(suggested)?, &text(given).unwrap_or_default()))
        .or_else(|| slip(&value, error))
        .map(|guess| format!("; did you mean '{guess}'?"))
        .unwrap_or_default();
    Failure::Refused(match error.kind() {
        ErrorKind::InvalidValue if value.is_empty() => format!("{} needs a value", arg()),
        ErrorKind::InvalidValue => {
            let valid = text(ContextKind::ValidValue).unwrap_or_default();
            format!("'{value}' is not a value of {}, which takes {valid}{guess}", arg())
        }
        ErrorKind::ValueValidation => {
            let reason = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            format!("'{value}' is not a value of {}: {reason}", arg())
        }
        ErrorKind::UnknownArgument => {
            // A setting by another name, or an option of another command, is not a typing error, although it looks
            // like one.
            let words: Vec<String> =
                env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
            let hint = match (instead(&command_of(&words), &arg(), &words), owner(&arg())) {
                (Some(instead), _) => format!("; use {instead}"),
                (None, Some(command)) => format!("; it belongs to `thinnet {command}`"),
                (None, None) if guess.is_empty() => "; --help lists all".to_owned(),
                (None, None) => guess,
            };
            format!("unknown argument '{}'{hint}", arg())
        }
        ErrorKind::InvalidSubcommand => {
            let command = text(ContextKind::InvalidSubcommand).unwrap_or_default();
            if guess.is_empty() {
                format!("unknown command '{command}'; `thinnet --help` lists all")
            } else {
                format!("unknown command '{command}'{guess}")
            }
        }
        ErrorKind::MissingRequiredArgument => format!("{} is missing", arg()),
        ErrorKind::MissingSubcommand => {
            let valid = text(ContextKind::ValidSubcommand).unwrap_or_default();
            format!("a command is missing: {valid}")
        }
        ErrorKind::ArgumentConflict => match text(ContextKind::PriorArg) {
            Some(other) if name(&other) != arg() => {
                format!("{} and {} cannot be used together", arg(), name(&other))
            }
            _ => format!("{} is given more than once", arg()),
        },
        _ => first_line(&error.to_string()),
    })
}

/// Of what clap takes for likely, what is most like the word that was given.
fn nearest(suggested: &ContextValue, given: &str) -> Option<String> {
    let likeness = |word: &String| strsim::normalized_damerau_levenshtein(word, given);
    match suggested {
        ContextValue::String(word) => Some(word.clone()),
        ContextValue::Strings(words) => {
            words.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b))).cloned()
        }
        _ => None,
    }
}

/// The value that was meant where one letter is wrong, missing or in the wrong place: clap measures likeness in a way that finds
/// nothing in short words.
fn slip(value: &str, error: &clap::Error) -> Option<String> {
    let Some(ContextValue::Strings(valid)) = error.get(ContextKind::ValidValue) else { return None };
    let near = |word: &&String| word.len() > 2 && strsim::damerau_levenshtein(word, value) == 1;
    valid.iter().find(near).cloned()
}

/// The name of an argument without its value: `--keep` for `--keep <P,...>`.
fn name(argument: &str) -> &str {
    argument.split([' ', '=']).next().unwrap_or(argument)
}

/// The command that these words run.
fn command_of(words: &[String]) -> clap::Command {
    let mut command = Arguments::command();
    for word in words {
        match command.find_subcommand(word) {
            Some(below) => command = below.clone(),
            None => break,
        }
    }
    command
}

/// The command that has this option.
fn owner(option: &str) -> Option<String> {
    let long = option.strip_prefix("--")?;
    let arguments = Arguments::command();
    path_to(&arguments, &|command| command.get_arguments().any(|arg| arg.get_long() == Some(long)))
}

/// The words for the first subcommand that `has` it: `data fetch`.
fn path_to(command: &clap::Command, has: &dyn Fn(&clap::Command) -> bool) -> Option<String> {
    command.get_subcommands().find_map(|below| {
        let name = below.get_name().to_owned();
        if has(below) { Some(name) } else { path_to(below, has).map(|rest| format!("{name} {rest}")) }
    })
}

/// "sgd, rmsprop or adam".
fn any_of(texts: &[String]) -> String {
    match texts {
        [others @ .., last] if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => texts.concat(),
    }
}

/// The first line, without the word that [`crate::output`] adds.
fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}
