/**
 * Tests that need many runs, real processes or real seconds have two forms: `npm test` runs the quick one,
 * `npm run test:full` the full one, as `.ci/run` does.
 */
export const isFull = process.env["MODE"] === "full"
