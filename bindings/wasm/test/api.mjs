// Tests the class in node: `node --test api.mjs`, with the package in $PACKAGE and the repository in $ROOT.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

const { PACKAGE, ROOT } = process.env;
const { Model, bestBuild } = await import(pathToFileURL(join(PACKAGE, "embedded_rnn.js")));
const file = (name) => readFile(join(ROOT, "runtime/tests/data", name));
const X = Float32Array.of(0.5, -0.25);

test("facts are those of the file", async () => {
  const model = await Model.load(await file("tiny.i8.ernn"));
  assert.equal(model.dtype, "i8");
  assert.equal(model.inputSize, 2);
  assert.equal(model.outputSize, 3);
  assert.equal(model.layers.at(-1).outputSize, 3);
  assert.ok(model.layers.some(({ type }) => ["LSTM", "GRU", "SimpleRNN"].includes(type)));
  assert.equal(model.inputIds, null);
  assert.equal(model.size, (await file("tiny.i8.ernn")).length);
});

test("node runs the build with SIMD, and both builds give the same outputs", async () => {
  assert.equal(bestBuild(), "simd");
  for (const name of ["tiny.ernn", "tiny.i8.ernn"]) {
    const [simd, plain] = [await Model.load(await file(name)), await Model.load(await file(name), { build: "plain" })];
    assert.equal(simd.build, "simd");
    for (let t = 0; t < 5; t++) assert.deepEqual(simd.step(X), plain.step(X));
  }
});

test("a build is fetched in less than 100 KB", async () => {
  for (const build of ["simd.wasm", "plain.wasm"]) {
    const { length } = gzipSync(await readFile(join(PACKAGE, build)), { level: 9 });
    assert.ok(length < 100_000, `${build}: ${length} bytes compressed`);
  }
});

test("run, step, reset, save and restore agree", async () => {
  const model = await Model.load(await file("tiny.ernn"));
  const first = model.step(X);
  const saved = model.save();
  const second = model.step(X);
  assert.notDeepEqual(first, second);
  model.restore(saved);
  assert.deepEqual(model.step(X), second);
  model.reset();
  assert.deepEqual(model.step(X), first);
  model.reset();
  const all = model.run(Float32Array.of(...X, ...X));
  assert.deepEqual(all, model.returnsSequences ? Float32Array.of(...first, ...second) : second);
});

test("the golden trace passes and leaves the state as it is", async () => {
  const model = await Model.load(await file("tiny.ernn"));
  const first = model.step(X);
  model.selfTest();
  assert.notDeepEqual(model.step(X), first);
});

test("misuse is an Error with one line", async () => {
  const model = await Model.load(await file("tiny.ernn"));
  const cases = [
    () => model.step(Float32Array.of(1)),
    () => model.run(Float32Array.of(1, 2, 3)),
    () => model.restore(Uint8Array.of(1, 2, 3)),
  ];
  for (const misuse of cases) {
    assert.throws(misuse, (error) => error instanceof Error && /^[^\n]{8,}$/.test(error.message));
  }
  assert.equal(model.step(X).length, 3); // The model is as usable as before.
});

test("files that are no model are rejected", async () => {
  const broken = new Uint8Array(await file("tiny.ernn"));
  broken[broken.length - 1] ^= 1;
  for (const bytes of [new Uint8Array(0), Uint8Array.of(1, 2, 3), broken, broken.buffer.slice(0, 40)]) {
    await assert.rejects(Model.load(bytes), (error) => /^[^\n]{8,}$/.test(error.message));
  }
  await assert.rejects(Model.load(await file("tiny.ernn"), { build: "avx2" }), /no build "avx2"/);
});
