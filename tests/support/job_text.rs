//! The text of a job file, section by section. Every job has its checkpoints in `state`.

use std::fmt::Write as _;
use std::path::Path;

/// A job file that is being written.
#[derive(Clone, Debug)]
pub struct JobText {
    text: String,
}

impl JobText {
    /// Begins a job of this name; `checkpoint` holds more lines of the table `[checkpoint]`.
    #[must_use]
    pub fn new(name: &str, checkpoint: &str) -> Self {
        let text = format!("version = 1\nname = \"{name}\"\n");
        let checkpoint = format!("directory = \"state\"\n{checkpoint}");
        Self { text }.table("checkpoint", &checkpoint)
    }

    /// Adds a table with these lines.
    #[must_use]
    pub fn table(mut self, name: &str, lines: &str) -> Self {
        writeln!(self.text, "[{name}]\n{lines}").expect("a string can be written");
        self
    }

    /// Adds the table `[defaults]` with a parallelism.
    #[must_use]
    pub fn parallelism(self, parallelism: impl std::fmt::Display) -> Self {
        self.table("defaults", &format!("parallelism = {parallelism}"))
    }

    /// Adds a source that emits integers; `lines` are its settings.
    #[must_use]
    pub fn generator(self, name: &str, lines: &str) -> Self {
        let lines = format!("connector = \"generator\"\n{lines}");
        self.table(&format!("source.{name}"), &lines)
    }

    /// Adds an operator. Each input is a node or `node:port`, and a partitioning, `""` for the
    /// default; `lines` are its other settings.
    #[must_use]
    pub fn operator(
        self,
        name: &str,
        component: impl AsRef<Path>,
        inputs: &[(&str, &str)],
        lines: &str,
    ) -> Self {
        let component = component.as_ref().display();
        let inputs = inputs_of(inputs);
        let lines = format!("component = \"{component}\"\n{inputs}\n{lines}");
        self.table(&format!("operator.{name}"), &lines)
    }

    /// Adds a sink that writes files of `format` into `directory`.
    #[must_use]
    pub fn files(self, name: &str, input: &str, directory: &str, format: &str) -> Self {
        let inputs = inputs_of(&[(input, "")]);
        let lines = format!(
            "connector = \"file\"\n{inputs}\ndirectory = \"{directory}\"\nformat = \"{format}\""
        );
        self.table(&format!("sink.{name}"), &lines)
    }

    /// Adds a sink that drops the records of these nodes.
    #[must_use]
    pub fn discard(self, name: &str, inputs: &[&str]) -> Self {
        let inputs: Vec<_> = inputs.iter().map(|input| (*input, "")).collect();
        let lines = format!("connector = \"discard\"\n{}", inputs_of(&inputs));
        self.table(&format!("sink.{name}"), &lines)
    }

    /// Returns the job file.
    #[must_use]
    pub fn text(self) -> String {
        self.text
    }
}

fn inputs_of(inputs: &[(&str, &str)]) -> String {
    let inputs = inputs.iter().map(|(from, partition)| match *partition {
        "" => format!("{{ from = \"{from}\" }}"),
        partition => format!("{{ from = \"{from}\", partition = \"{partition}\" }}"),
    });
    let inputs: Vec<_> = inputs.collect();
    format!("inputs = [{}]", inputs.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_written_in_the_order_in_which_it_is_told() {
        let job = JobText::new("a", "interval = \"1s\"")
            .parallelism(2)
            .generator("integers", "to = 3")
            .operator("o", "o.wasm", &[("integers", "hash"), ("x:late", "")], "")
            .files("out", "o", "output", "tsv")
            .discard("none", &["o"]);
        assert_eq!(
            job.text(),
            "version = 1\nname = \"a\"\n\
             [checkpoint]\ndirectory = \"state\"\ninterval = \"1s\"\n\
             [defaults]\nparallelism = 2\n\
             [source.integers]\nconnector = \"generator\"\nto = 3\n\
             [operator.o]\ncomponent = \"o.wasm\"\n\
             inputs = [{ from = \"integers\", partition = \"hash\" }, { from = \"x:late\" }]\n\n\
             [sink.out]\nconnector = \"file\"\ninputs = [{ from = \"o\" }]\n\
             directory = \"output\"\nformat = \"tsv\"\n\
             [sink.none]\nconnector = \"discard\"\ninputs = [{ from = \"o\" }]\n"
        );
    }
}
