// Reads a topic with kafkajs and decodes with @kafkajs/confluent-schema-registry: read.mjs MODULES BROKER REGISTRY TOPIC
// COUNT [zstd]. A line a record: key, headers (base64), value decoded; null for a tombstone. Without zstd no codec is given.
import { createRequire } from "node:module";
import path from "node:path";

const [modules, broker, registry, topic, count, codec] = process.argv.slice(2);
const load = createRequire(path.join(modules, "package.json"));
const kafkajs = load("kafkajs");
const { SchemaRegistry } = load("@kafkajs/confluent-schema-registry");
const { decompress } = load("fzstd");

if (codec === "zstd") {
  kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => ({
    compress: () => Promise.reject(new Error("this codec only reads")),
    decompress: async (buffer) => Buffer.from(decompress(buffer)),
  });
}
// What JSON has no word for, in one that Python's tests have.
const plain = (_, value) => (typeof value === "bigint" ? Number(value) : value);

const decoder = new SchemaRegistry({ host: registry });
const client = new kafkajs.Kafka({ brokers: [broker], logLevel: kafkajs.logLevel.NOTHING, retry: { retries: 2 } });
const consumer = client.consumer({ groupId: `${topic}-${process.pid}`, readUncommitted: false });
const lines = [];
await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
try {
  await new Promise((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    const eachMessage = async ({ message }) => {
      lines.push({
        key: message.key && message.key.toString(),
        headers: Object.entries(message.headers).map(([name, value]) => [name, value.toString("base64")]),
        value: message.value && (await decoder.decode(message.value)),
        offset: message.offset,
      });
      if (lines.length === Number(count)) resolve();
    };
    consumer.run({ eachMessage }).catch(reject);
  });
  for (const line of lines) console.log(JSON.stringify(line, plain));
} catch (error) {
  console.error(`${error.name}: ${error.message}`);
  process.exitCode = 1;
}
await consumer.disconnect();
