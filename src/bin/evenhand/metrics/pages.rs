//! The catalog as pages: one for each family, and one that leads to them.

use std::fmt::Write;
use std::path::Path;

use evenhand::metrics::catalog::{self, CRITERIA, METRICS};

use super::markdown;
use crate::failure::Failure;
use crate::output::{self, Target};

/// What stands at the head of every page.
const MADE: &str = "<!-- Made by `evenhand metrics --pages docs/measures`: change the catalog, not this page. -->\n\n";

const LEADS: &str = "# Metrics, criteria and measures

Everything that an audit can tell, by what it is of. Each entry has its formula, what it needs, its range and which way is better,
how its interval is made, when it is undefined, its source, what other toolkits call it, and a command that shows it.
`evenhand metrics NAME` prints the same, also by those other names. [Which measure answers which
question](../which-measure.md) is the page to start from.

Two words run through all of it. *Weight*: sums are of weights, which are 1 where there are none. *Effective number of rows*:
Kish's, by which a weighted sample is as sure as so many rows that weigh the same.
";

/// A page, its name and its entries.
struct Page {
    name: &'static str,
    title: &'static str,
    entries: Vec<(&'static str, &'static str, String)>,
}

/// Writes all pages into the folder.
pub fn write(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|e| Failure::unwritable(folder, &e))?;
    let write = |name: &str, text: &str| Target::new(&folder.join(name), true)?.write(text.as_bytes());
    let pages = pages();
    for page in &pages {
        let entries: Vec<&str> = page.entries.iter().map(|(.., text)| text.as_str()).collect();
        let text = format!("{MADE}# {}\n\n[All measures](README.md)\n\n{}", page.title, entries.join("\n"));
        write(&format!("{}.md", page.name), &text)?;
    }
    write("README.md", &index(&pages))?;
    output::note(&format!("{} pages are in {}.", pages.len() + 1, folder.display()));
    Ok(())
}

fn pages() -> Vec<Page> {
    let rates = METRICS.iter().map(|m| (m.name, m.title, markdown::metric(m))).collect();
    let criteria = CRITERIA.iter().map(|c| (c.name, c.title, markdown::criterion(c))).collect();
    let mut pages = vec![
        Page { name: "rates", title: "Rates of decisions, and mean scores", entries: rates },
        Page { name: "criteria", title: "Criteria: comparisons that the field has names for", entries: criteria },
    ];
    pages.extend(catalog::measure_families().into_iter().map(|family| Page {
        name: family.name,
        title: family.title,
        entries: family.measures.iter().map(|m| (m.name, m.title, markdown::measure(m))).collect(),
    }));
    pages
}

fn index(pages: &[Page]) -> String {
    let mut out = format!("{MADE}{LEADS}");
    for page in pages {
        let _ = write!(out, "\n## [{}]({}.md)\n\n| | |\n|---|---|\n", page.title, page.name);
        for (name, title, _) in &page.entries {
            let _ = writeln!(out, "| [`{name}`]({}.md#{name}) | {} |", page.name, title.replace('|', "\\|"));
        }
    }
    out
}
