// Publishes one signed event with a sealed note, twice, and says what became of each:
//
//   npm ci
//   node publish.mjs --bootstrap 127.0.0.1:9092 --ledger-id demo.<32 hex> --key RU-OMS-….key --request NODE-1
//
// The content key that opens the note is printed: a real client keeps it.

import { randomBytes, randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import { Kafka, Partitioners, logLevel } from "kafkajs";
import { PAYLOAD_TYPE, event, leaf, readKey, seal, signature } from "./event.mjs";

const PATIENCE = 30_000; // ms from a submission to its answer

const { values: given } = parseArgs({
  options: {
    bootstrap: { type: "string", default: "127.0.0.1:9092" },
    "ledger-id": { type: "string" },
    key: { type: "string" },
    request: { type: "string", default: "NODE-2026-1" },
    note: { type: "string", default: "sent from Node.js" },
  },
});
if (!given["ledger-id"] || !given.key) {
  console.error("expected --ledger-id NAME.<32 hex> and --key FILE");
  process.exit(2);
}

const ledger = given["ledger-id"];
const name = ledger.split(".")[0];
const [submissions, sealedTopic, outcomes] = ["submissions", "ledger", "outcomes"].map((topic) => `${name}.${topic}`);
const signer = readKey(given.key);
const contentKey = randomBytes(32);

const said = {
  ledger,
  office: signer.office,
  id: randomUUID(),
  type: "rogatory.step.taken.v1",
  subject: `request/${given.request}`,
};
const place = [ledger, `office/${said.office}`, said.id, said.subject, said.type, "/data/note"];
const value = event({ ...said, data: { step: "checked by Node.js", note: seal(contentKey, place, given.note) } });
console.log(`content key: ${contentKey.toString("hex")}`);

const kafka = new Kafka({ clientId: "node-publisher", brokers: given.bootstrap.split(","), logLevel: logLevel.ERROR });
// kafkajs's default partitioner since version 2 is Kafka's own, murmur2 of the key, which is what the ledger asks for.
const producer = kafka.producer({
  createPartitioner: Partitioners.DefaultPartitioner,
  idempotent: true,
  maxInFlightRequests: 1,
});
const admin = kafka.admin();
const consumer = kafka.consumer({ groupId: `node-publisher-${said.id}` });

/** What a message says of the submission at an offset (of epoch 0); undefined if it speaks of another one. */
function answerIn(topic, partition, message, sent) {
  if (partition !== sent.partition) return undefined;
  if (topic === sealedTopic) {
    const found = JSON.parse(message.headers.seal);
    if (found.epoch !== 0 || found.offset !== sent.offset || !message.value.equals(value)) return undefined;
    const where = `record ${found.seq}, index ${found.index} of partition ${partition}`;
    return `sealed: ${where}, leaf ${leaf(message.headers.seal, message.value)}`;
  }
  if (message.key.toString() !== `${sent.partition}/0/${sent.offset}`) return undefined;
  const outcome = JSON.parse(message.headers.outcome);
  if (outcome.outcome === "duplicate") return `duplicate: leaf ${outcome.receipt[5]}`;
  return `refused: ${outcome.reason}: expected ${outcome.expected}, found ${outcome.found}`;
}

const heard = []; // messages since the start, since an answer may come before we know what it answers
let wake = () => {};

async function answerTo(sent) {
  const end = Date.now() + PATIENCE;
  while (Date.now() < end) {
    while (heard.length > 0) {
      const { topic, partition, message } = heard.shift();
      const answer = answerIn(topic, partition, message, sent);
      if (answer !== undefined) return answer;
    }
    await Promise.race([new Promise((go) => (wake = go)), new Promise((go) => setTimeout(go, 200))]);
  }
  throw new Error(`expected an answer within ${PATIENCE / 1000} s, found none; is a registrar running?`);
}

try {
  await Promise.all([producer.connect(), admin.connect(), consumer.connect()]);
  // Where the answers begin, asked before anything is sent.
  const starts = await Promise.all(
    [sealedTopic, outcomes].map(async (topic) => ({ topic, ends: await admin.fetchTopicOffsets(topic) })),
  );
  await consumer.subscribe({ topics: [sealedTopic, outcomes], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: async (message) => {
      heard.push(message);
      wake();
    },
  });
  for (const { topic, ends } of starts) {
    for (const { partition, high } of ends) consumer.seek({ topic, partition, offset: high });
  }
  for (let turn = 0; turn < 2; turn++) {
    const headers = { "content-type": PAYLOAD_TYPE, signature: signature(value, signer) };
    const [sent] = await producer.send({
      topic: submissions,
      acks: -1,
      messages: [{ key: said.subject, value, headers }],
    });
    console.log(await answerTo({ partition: sent.partition, offset: Number(sent.baseOffset) }));
  }
} catch (error) {
  console.error(`node-publisher: ${error.message}`);
  process.exitCode = 1;
} finally {
  await Promise.allSettled([consumer.disconnect(), admin.disconnect(), producer.disconnect()]);
}
