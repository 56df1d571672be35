// Compiles every schema of a folder, strictly, and says which of the given values are of theirs.
// Lines of standard input: {"schema": FILE, "value": …}; of the output: true or false.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

// strictRequired: `required` in a condition names members that stand outside of it.
const ajv = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true });
addFormats(ajv);
ajv.addKeyword("x-plaintext");
const compiled = new Map();

for await (const line of createInterface({ input: process.stdin })) {
  const { schema, value } = JSON.parse(line);
  if (!compiled.has(schema)) compiled.set(schema, ajv.compile(JSON.parse(readFileSync(schema, "utf8"))));
  console.log(compiled.get(schema)(value));
}
