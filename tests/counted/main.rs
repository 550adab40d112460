//! Tallies made elsewhere: the statement, the answer, and cells that stand for many rows.

mod answer;
mod cells;
mod statement;
