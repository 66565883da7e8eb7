/**
 * Formats rows as a table of aligned columns.
 *
 * @since 0.1.0
 */

/**
 * Returns the lines of a table, the first of which has the titles. `align` has the sides of the first columns; the others are
 * aligned to the left.
 *
 * @since 0.1.0
 * @category formatting
 */
export const format = (
  titles: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>,
  align: ReadonlyArray<"left" | "right"> = []
): ReadonlyArray<string> => {
  const all = [titles, ...rows]
  const widths = titles.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)))
  return all.map((row) =>
    row.map((cell, column) =>
      align[column] === "right" ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)
    )
      .join("  ").trimEnd()
  )
}
