// Reads an AsyncAPI document with the official parser; prints its diagnostics and what it found as JSON.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], "utf8"));
const faults = diagnostics.map(({ code, message, path, severity }) => ({ code, message, path, severity }));
const found = document && {
  version: document.version(),
  channels: document.channels().all().map((channel) => channel.address()),
  messages: document.messages().all().length,
  operations: document.operations().all().map((operation) => [operation.id(), operation.action()]),
};
console.log(JSON.stringify({ faults, found: found ?? null }));
