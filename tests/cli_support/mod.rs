//! Helpers for the tests of the command-line tool: a folder, small fixtures, and what a run answered.

#![allow(dead_code)]

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Output;

use assert_cmd::Command;
use tempfile::TempDir;

/// A folder of its own, in which the tool runs.
pub struct Desk {
    folder: TempDir,
}

/// What a run answered.
#[derive(Debug)]
pub struct Answer {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Desk {
    pub fn new() -> Self {
        Desk { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        fs::write(self.path(name), bytes).unwrap();
        self
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The names of all that lies in the folder, hidden files too.
    pub fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// The tool, with nothing of the environment that would change what it says.
    pub fn tool(&self, args: &[&str]) -> Command {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("evenhand"));
        command.current_dir(self.folder.path()).args(args);
        command.env_remove("NO_COLOR").env_remove("SOURCE_DATE_EPOCH").env_remove("COLUMNS");
        command
    }

    pub fn run(&self, args: &[&str]) -> Answer {
        answer(self.tool(args).output().unwrap())
    }

    /// The arguments of a line, split at spaces.
    pub fn line(&self, line: &str) -> Answer {
        self.run(&line.split_whitespace().collect::<Vec<_>>())
    }
}

pub fn answer(output: Output) -> Answer {
    Answer {
        status: output.status.code().expect("ended by itself"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A campaign: of each 10 women `women` are targeted, of each 10 men 5; half of all respond, and the score is
/// higher for who is targeted.
pub fn campaign(rows: usize, women: usize) -> String {
    let mut text = String::from("sex,age,region,responded,targeted,propensity\n");
    for i in 0..rows {
        let (sex, of_ten) = if i % 2 == 0 { ("female", women) } else { ("male", 5) };
        let targeted = (i / 2) % 10 < of_ten;
        let responded = if (i / 20) % 2 == 0 { "yes" } else { "no" };
        let region = ["north", "south"][(i / 40) % 2];
        let score = if targeted { 0.6 } else { 0.3 } + (i % 7) as f64 / 100.0;
        let _ = writeln!(text, "{sex},{},{region},{responded},{},{score:.3}", 20 + i % 50, u8::from(targeted));
    }
    text
}

/// Groups are selected alike, and the batch is large enough to say so.
pub fn fair() -> String {
    campaign(8000, 5)
}

/// Women are selected two fifths as often as men.
pub fn unfair() -> String {
    campaign(2000, 2)
}
