// Owns the replay of a recording (recorder.py) in the JSONata that AWS documents.
//
//   node replay.mjs MACHINE RECORDING
//
// Every evaluation must end as in the embedded AWS, with the same value or with an error in both. An
// expression without a value is an error, as on AWS. The recording must contain every expression of the
// machine.
import { createReadStream, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { isDeepStrictEqual } from "node:util";

import jsonata from "jsonata";
import { parse } from "yaml";

const MOST_SHOWN = 10;
const [machine, recording] = process.argv.slice(2);

/** Return the expressions within a value of the machine. */
function expressionsIn(value) {
  if (typeof value === "string") {
    return value.startsWith("{%") && value.endsWith("%}") ? [value.slice(2, -2).trim()] : [];
  }
  return value && typeof value === "object" ? Object.values(value).flatMap(expressionsIn) : [];
}

const nameOf = (state, expression) => `${state}: ${expression}`;

const compiled = new Map();

/** Evaluate in the reference implementation; undefined stands for a failed state. */
async function evaluate(expression, variables, states) {
  if (!compiled.has(expression)) compiled.set(expression, jsonata(expression));
  try {
    const value = await compiled.get(expression).evaluate(undefined, { ...variables, states });
    return value === undefined ? undefined : JSON.parse(JSON.stringify(value)); // plain arrays
  } catch {
    return undefined;
  }
}

const { States: states } = parse(readFileSync(machine, "utf8"));
const missing = new Set(
  Object.entries(states).flatMap(([name, state]) =>
    expressionsIn(state).map((expression) => nameOf(name, expression)),
  ),
);
const asked = missing.size;
const differences = [];
let evaluations = 0;
for await (const line of createInterface({ input: createReadStream(recording) })) {
  const recorded = JSON.parse(line);
  const { state, expression, variables } = recorded;
  const value = await evaluate(expression, variables, recorded.states);
  if (!isDeepStrictEqual(value, recorded.value)) {
    const [here, there] = [value, recorded.value].map((each) => JSON.stringify(each) ?? "a failure");
    differences.push(`${nameOf(state, expression)}: ${here} here, ${there} in the embedded AWS`);
  }
  missing.delete(nameOf(state, expression));
  evaluations += 1;
}

const problems = [
  ...[...missing].map((each) => `no test evaluates ${each}`),
  ...differences.slice(0, MOST_SHOWN),
];
for (const problem of problems) console.error(`check-template: ${problem}`);
if (problems.length > 0) {
  console.error(`check-template: ${missing.size} not evaluated, ${differences.length} differ`);
  process.exit(1);
}
console.log(`jsonata: ${evaluations} evaluations of ${asked} expressions, no difference`);
