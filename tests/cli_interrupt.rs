//! A run that is stopped leaves nothing behind.
#![cfg(all(feature = "cli", unix))]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn evenhand(arguments: &[&str], folder: &Path, temporary: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_evenhand"))
        .args(arguments)
        .current_dir(folder)
        .env("TMPDIR", temporary)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Waits until something is there, then interrupts.
fn interrupt(child: &mut Child, (signal, status): (&str, i32), there: impl Fn() -> bool) {
    let start = Instant::now();
    while !there() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be interrupted");
        assert!(start.elapsed() < Duration::from_secs(300), "nothing to interrupt");
        std::thread::sleep(Duration::from_micros(200));
    }
    let kill = Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(child.wait().unwrap().code(), Some(status));
}

#[test]
fn the_copy_of_standard_input_is_gone() {
    for signal in [("INT", 130), ("TERM", 143)] {
        let (folder, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut child = evenhand(&["audit", "-", "-a", "sex", "-d", "offer"], folder.path(), temporary.path());
        let mut input = child.stdin.take().unwrap();
        input.write_all(b"sex,offer\nf,1\n").unwrap();
        let copied = || {
            let folders = std::fs::read_dir(temporary.path()).unwrap().map(|f| f.unwrap().path());
            folders.into_iter().any(|f| f.is_dir() && !names(&f).is_empty())
        };
        interrupt(&mut child, signal, copied);
        drop(input);
        assert_eq!(names(temporary.path()), [""; 0]);
        assert_eq!(names(folder.path()), [""; 0]);
    }
}

#[test]
fn a_copy_half_written_is_gone() {
    let (folder, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut text = String::from("sex,paid\n");
    for i in 0..400_000 {
        writeln!(text, "{},{}", ["f", "m"][i % 2], i * 7 % 5 % 2).unwrap();
    }
    std::fs::write(folder.path().join("in.csv"), text).unwrap();
    let arguments = ["mitigate", "reweight", "in.csv", "-a", "sex", "--label", "paid", "--output", "out.csv"];
    let mut child = evenhand(&arguments, folder.path(), temporary.path());
    let half = || {
        let files = std::fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap());
        files.into_iter().any(|f| {
            let name = f.file_name().to_string_lossy().into_owned();
            name.ends_with(".tmp") && f.metadata().is_ok_and(|m| m.len() > 0)
        })
    };
    interrupt(&mut child, ("INT", 130), half);
    assert_eq!(names(folder.path()), ["in.csv"]);
    assert_eq!(names(temporary.path()), [""; 0]);
}
