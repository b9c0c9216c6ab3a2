// Replays the vectors of the boards: `node conformance.mjs PACKAGE VECTORS`. i8 models must give the same bits
// as the PC, float models those of products and sums that are rounded one by one.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [packageFolder, vectors] = process.argv.slice(2).map((path) => resolve(path));
const { Model } = await import(pathToFileURL(join(packageFolder, "embedded_rnn.js")));
const TYPES = { i16: Int16Array, i32: Int32Array, f32: Float32Array };

async function read(name, type) {
  const bytes = await readFile(join(vectors, name));
  return new TYPES[type](bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/** Returns the real values of integers of which one unit is `scale`, rounded as the runtime rounds. */
function real(values, isInteger, scale) {
  return isInteger ? Float32Array.from(values, (value) => Math.fround(value) * scale) : values;
}

async function replay(entry, build) {
  const model = await Model.load(await readFile(join(vectors, entry.model)), { build });
  assert.equal(model.build, build);
  assert.deepEqual([model.inputSize, model.outputSize], [entry.input_size, entry.output_size]);
  model.selfTest();
  const isInteger = entry.dtype === "i8";
  const inputs = real(await read(entry.inputs, entry.input_type), isInteger, model.inputScale);
  const expected = real(await read(entry.outputs_separate, entry.output_type), isInteger, model.outputScale);
  const outputs = [];
  let at = 0;
  for (const steps of entry.sequences) {
    const xs = inputs.subarray(at, (at += steps * entry.input_size));
    model.reset();
    if (entry.whole_sequences) outputs.push(...model.run(xs));
    else
      for (let t = 0; t < steps; t++) {
        outputs.push(...model.step(xs.subarray(t * entry.input_size, (t + 1) * entry.input_size)));
      }
  }
  const [found, wanted] = [Float32Array.from(outputs), expected].map((values) => Buffer.from(values.buffer));
  assert.ok(wanted.length > 0 && found.equals(wanted), `${entry.model} on ${build}: outputs differ`);
}

const index = JSON.parse(await readFile(join(vectors, "index.json"), "utf8"));
assert.ok(index.length > 0, "no vectors");
for (const build of ["plain", "simd"]) for (const entry of index) await replay(entry, build);
console.log(`${index.length} models give the outputs of the PC, bit for bit, in both builds`);
