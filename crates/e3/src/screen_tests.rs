//! The screen's output, read by a terminal as small as it needs.

use super::*;

/// A terminal that knows what the screen sends: text, line breaks, and three movements.
struct Glass {
    columns: usize,
    rows: Vec<Vec<char>>,
    row: usize,
    column: usize,
}

impl Glass {
    fn new(columns: usize) -> Self {
        Self { columns, rows: vec![Vec::new()], row: 0, column: 0 }
    }

    fn take(&mut self, text: &str) {
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            if let Some(after) = rest.strip_prefix("\x1b[") {
                let end = after.find(|c: char| c.is_ascii_alphabetic()).unwrap();
                let number = after[..end].parse().unwrap_or(0);
                match &after[end..=end] {
                    "A" => self.row = self.row.checked_sub(number).expect("moves above the screen"),
                    "K" => self.rows[self.row].truncate(self.column),
                    "J" => {
                        self.rows[self.row].truncate(self.column);
                        self.rows.truncate(self.row + 1);
                    }
                    other => panic!("what is {other}?"),
                }
                rest = &after[end + 1..];
                continue;
            }
            match character {
                '\r' => self.column = 0,
                '\n' => self.next_row(),
                other => {
                    if self.column == self.columns {
                        self.next_row();
                    }
                    let row = &mut self.rows[self.row];
                    row.resize(row.len().max(self.column + 1), ' ');
                    row[self.column] = other;
                    self.column += 1;
                }
            }
            rest = &rest[character.len_utf8()..];
        }
    }

    fn next_row(&mut self) {
        (self.row, self.column) = (self.row + 1, 0);
        self.rows.resize(self.rows.len().max(self.row + 1), Vec::new());
    }

    /// Becomes narrower as most terminals do: what does not fit any more goes on in the next row.
    fn narrow(&mut self, columns: usize) {
        let old: Vec<String> = self.rows.drain(..).map(|row| row.into_iter().collect()).collect();
        let below = old.len() - self.row;
        *self = Self::new(columns);
        self.take(&old[..old.len() - below].iter().map(|row| format!("{row}\n")).collect::<String>());
    }

    fn shown(&self) -> String {
        self.rows.iter().map(|row| row.iter().collect::<String>()).collect::<Vec<_>>().join("\n")
    }
}

fn lines(texts: &[&str]) -> Vec<Line> {
    texts.iter().map(|text| Line::plain(text)).collect()
}

#[test]
fn lines_scroll_above_a_block_that_is_drawn_in_place() {
    let (mut block, mut glass) = (Block::default(), Glass::new(40));
    glass.take(&above(&mut block, "first\n", 40));
    glass.take(&redraw(&mut block, lines(&["thread a  1 op", "run 1/2"]), 40));
    assert_eq!(glass.shown(), "first\nthread a  1 op\nrun 1/2\n");
    glass.take(&redraw(&mut block, lines(&["thread a", "run 1/2"]), 40));
    assert_eq!(
        glass.shown(),
        "first\nthread a\nrun 1/2\n",
        "a shorter line leaves nothing of the longer one"
    );
    glass.take(&above(&mut block, "second\n", 40));
    assert_eq!(glass.shown(), "first\nsecond\nthread a\nrun 1/2\n");
    glass.take(&redraw(&mut block, lines(&["run 2/2"]), 40));
    assert_eq!(glass.shown(), "first\nsecond\nrun 2/2\n", "fewer lines leave none behind");
    glass.take(&redraw(&mut block, Vec::new(), 40));
    assert_eq!(glass.shown(), "first\nsecond\n");
    assert_eq!(redraw(&mut block, Vec::new(), 40), "", "nothing is sent when there is nothing to change");
}

#[test]
fn a_terminal_that_became_narrower_keeps_no_rest() {
    let (mut block, mut glass) = (Block::default(), Glass::new(20));
    glass.take(&above(&mut block, "first\n", 20));
    glass.take(&redraw(&mut block, lines(&["a line of 18 chars", "short"]), 20));
    glass.narrow(10);
    glass.take(&redraw(&mut block, lines(&["narrow", "short"]), 10));
    assert_eq!(glass.shown(), "first\nnarrow\nshort\n");
}

#[test]
fn without_a_block_text_is_sent_as_it_is() {
    assert_eq!(above(&mut Block::default(), "no end of line", 80), "no end of line");
}
