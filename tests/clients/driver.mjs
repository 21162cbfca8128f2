// Calls the registry's clients of Node.js as the lines of standard input ask: [name, ...arguments], answered by a line
// {"result"} or {"error": {"name", "message", "status", "code"}}. Bytes are base64 in both directions.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import path from "node:path";

const load = createRequire(path.join(process.argv[2], "package.json"));
const confluent = load("@confluentinc/schemaregistry");
const { SchemaRegistry } = load("@kafkajs/confluent-schema-registry");
const { Kafka, logLevel } = load("kafkajs");

const bytes = (text) => Buffer.from(text, "base64");
const text = (buffer) => Buffer.from(buffer).toString("base64");
const theirs = (url) => new confluent.SchemaRegistryClient({ baseURLs: [url], cacheCapacity: 100, cacheLatestTtlSecs: 0 });
const kafkajs = (url) => new SchemaRegistry({ host: url, retry: { retries: 0 } });
const serdes = {
  confluent: (url, settings) => {
    const client = theirs(url);
    const serializer = new confluent.AvroSerializer(client, confluent.SerdeType.VALUE, settings ?? {});
    const deserializer = new confluent.AvroDeserializer(client, confluent.SerdeType.VALUE, {});
    return {
      write: async (topic, schema, value) => {
        if (schema) await client.register(`${topic}-value`, { schema, schemaType: "AVRO" });
        return serializer.serialize(topic, value);
      },
      read: (topic, payload) => deserializer.deserialize(topic, payload),
    };
  },
  kafkajs: (url) => {
    const client = kafkajs(url);
    return {
      write: async (topic, schema, value) => {
        const options = { subject: `${topic}-value` };
        const id = schema
          ? (await client.register({ type: "AVRO", schema }, options)).id
          : await client.getLatestSchemaId(options.subject);
        return client.encode(id, value);
      },
      read: (_, payload) => client.decode(payload),
    };
  },
};
const SETTINGS = { autoRegisterSchemas: false, useLatestVersion: true };

const calls = {
  confluent: (url, method, ...rest) => theirs(url)[method](...rest),
  kafkajs: (url, method, ...rest) => kafkajs(url)[method](...rest),
  compare: async (url, method, ...rest) => kafkajs(url)[method](...rest).then((schema) => JSON.stringify(schema)),
  write: async (kind, url, topic, schema, value) => text(await serdes[kind](url, SETTINGS).write(topic, schema, value)),
  read: (kind, url, topic, payload) => serdes[kind](url).read(topic, bytes(payload)),
  produce: async (kind, url, broker, topic, schema, value) => {
    const producer = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    const written = await serdes[kind](url, SETTINGS).write(topic, schema, value);
    await producer.send({ topic, messages: [{ value: Buffer.from(written) }] });
    await producer.disconnect();
  },
  consume: async (kind, url, broker, topic, count) => {
    const consumer = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).consumer({ groupId: `${topic}-${kind}` });
    const serde = serdes[kind](url);
    const values = [];
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise((resolve, reject) => {
      const eachMessage = async ({ message }) => {
        try {
          values.push(await serde.read(topic, message.value));
        } catch (error) {
          reject(error);
        }
        if (values.length === count) resolve();
      };
      consumer.run({ eachMessage }).catch(reject);
    });
    await consumer.disconnect();
    return values;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...rest] = JSON.parse(line);
  let answer;
  try {
    answer = { result: await calls[name](...rest) };
  } catch (error) {
    const { message, status, errorCode } = error;
    answer = { error: { name: error.name ?? error.constructor.name, message: String(message), status, code: errorCode } };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
