//! Text in columns.

/// Returns rows as lines with aligned columns, two spaces apart and indented by two; numbers are put to the right.
pub(crate) fn lines(header: &[String], rows: &[Vec<String>]) -> String {
    let all = || std::iter::once(header).chain(rows.iter().map(Vec::as_slice));
    let widths: Vec<usize> = (0..header.len())
        .map(|column| {
            all().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let is_number = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .all(|cell| cell.starts_with(|c: char| c.is_ascii_digit()) && !cell.contains(' '))
    };
    let to_right: Vec<bool> = (0..header.len()).map(is_number).collect();
    let mut text = String::new();
    for row in all() {
        let cells = row.iter().zip(&widths).zip(&to_right);
        let line: Vec<String> = cells
            .map(
                |((cell, &width), to_right)| {
                    if *to_right { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
                },
            )
            .collect();
        text.push_str(format!("  {}", line.join("  ")).trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_are_aligned() {
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        let text = super::lines(&row(["name", "clients"]), &[row(["größer", "4"]), row(["b", "16"])]);
        assert_eq!(text, "  name    clients\n  größer        4\n  b            16\n");
    }
}
