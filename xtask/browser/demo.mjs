// Tests the page of docs/demo in Chromium: `node --test demo.mjs`. In the environment: PAGE its address, CHROMIUM
// the browser, ERNN the command, ROOT the repository, OUT a folder for files and pictures.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import test from "node:test";
import { pathToFileURL } from "node:url";
import { withBrowser } from "./browser.mjs";

const { CHROMIUM, ERNN, OUT, PAGE, ROOT } = process.env;
const demo = (name) => join(ROOT, "docs/demo", name);
const { parseCsv, parseNpy, firstSequence } = await import(pathToFileURL(demo("frames.js")));
const { Coefficients, FRAME, HOP, RATE } = await import(pathToFileURL(demo("mfcc.js")));
const DESKTOP = { width: 1200, height: 900, dark: false };
const TINY = join(ROOT, "runtime/tests/data/tiny.i8.ernn");

/** A second of silence, half a second of a rising tone, and silence again, as a file of sound. */
const SOUND = join(OUT, "sound.wav");
const SOUND_RATE = 48_000;
await writeFile(
  SOUND,
  wav(
    Float64Array.from({ length: 3 * SOUND_RATE }, (_, i) => {
      const time = i / SOUND_RATE - 1;
      return time >= 0 && time < 0.5 ? 0.5 * Math.sin(2 * Math.PI * (300 + 800 * time) * time) : 0;
    }),
  ),
);
const MICROPHONE = [
  "--use-fake-ui-for-media-stream",
  "--use-fake-device-for-media-stream",
  `--use-file-for-fake-audio-capture=${SOUND}`,
  "--autoplay-policy=no-user-gesture-required",
];

/** Declares a test that has the page, loaded and with the outputs of the first recording. */
function onPage(name, size, work) {
  test(name, () =>
    withBrowser(CHROMIUM, MICROPHONE, async (browser) => {
      const page = await browser.page(size);
      await page.open(PAGE);
      await page.until(async () => (await import("./demo.js")).current().times);
      await work(page);
      assert.deepEqual(page.complaints, []);
    }),
  );
}

/** Returns the bits of the outputs on the page, which are of `steps` time steps. */
async function outputsOn(page, steps) {
  const outputs = await page.until(async (steps) => {
    const { outputs, times } = (await import("./demo.js")).current();
    // The times come last.
    return times && outputs.length === steps && outputs.map((output) => [...new Uint32Array(output.buffer)]);
  }, steps);
  return outputs;
}

/** Returns the bits of the outputs of `ernn predict` after every time step of a sequence. */
async function predicted(model, frames, features) {
  const steps = frames.length / features;
  const all = Array.from({ length: steps }, (_, step) => [...frames.slice(0, (step + 1) * features)]).flat();
  const [input, lengths, output] = ["x", "lengths", "y"].map((name) => join(OUT, `${basename(model)}.${name}.npy`));
  await writeFile(input, npy([all.length / features, features], Float32Array.from(all), "<f4"));
  await writeFile(lengths, npy([steps], Int32Array.from({ length: steps }, (_, step) => step + 1), "<i4"));
  execFileSync(ERNN, ["predict", model, "--input", input, "--lengths", lengths, "--output", output]);
  const { shape, values } = await readNpy(output);
  const size = shape.at(-1);
  // A model that returns sequences has an output per frame, of which the last of each sequence counts.
  const at = (step) => (shape[0] === steps ? step : ((step + 1) * (step + 2)) / 2 - 1);
  return Array.from({ length: steps }, (_, step) => [
    ...new Uint32Array(values.slice(at(step) * size, (at(step) + 1) * size).buffer),
  ]);
}

const readNpy = async (path) => {
  const bytes = await readFile(path);
  return parseNpy(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
};

onPage("i8 outputs have the bits of `ernn predict` after every time step", DESKTOP, async (page) => {
  const model = demo("digits.i8.ernn");
  for (const [digit, label] of [["seven", 7], ["nine", 9], ["three", 3]]) {
    const { shape, values } = await readNpy(demo(`${digit}.npy`));
    await page.call((digit) => {
      [...document.querySelectorAll("#recordings button")].find((button) => button.textContent.includes(digit)).click();
    }, digit);
    const outputs = await outputsOn(page, shape[0]);
    assert.deepEqual(outputs, await predicted(model, values, 13));
    // The page names what was said.
    assert.match(await page.call(() => document.getElementById("best").textContent), new RegExp(`^${digit}, `));
    const last = new Float32Array(Uint32Array.from(outputs.at(-1)).buffer);
    assert.equal(last.indexOf(Math.max(...last)), label);
  }
});

onPage("a model and frames from files run, and their layers and golden trace are shown", DESKTOP, async (page) => {
  await page.choose("#model-file", TINY);
  const facts = await page.until(() => {
    const text = document.getElementById("facts").textContent;
    return text.includes("tiny.i8.ernn") && text;
  });
  assert.match(facts, /Golden trace *passed, \d+ time steps/);
  const frames = Array.from({ length: 9 }, (_, i) => [i / 8 - 0.4, (i * i) / 70 - 0.6]);
  const csv = join(OUT, "frames.csv");
  await writeFile(csv, `left,right\n${frames.map((frame) => frame.join(",")).join("\r\n")}\r\n`);
  await page.choose("#frames-file", csv);
  const outputs = await outputsOn(page, 9);
  assert.deepEqual(outputs, await predicted(TINY, Float32Array.from(frames.flat()), 2));
  const layers = await page.call(() =>
    [...document.querySelectorAll("#layers tbody tr")].map((row) => row.cells[0].textContent),
  );
  const inspected = JSON.parse(execFileSync(ERNN, ["inspect", TINY, "--json"]));
  assert.deepEqual(layers, inspected.layers.map((layer) => layer.type));
  const saved = await page.call(async () => (await fetch(document.getElementById("save").href)).text());
  assert.deepEqual([...new Uint32Array(parseCsv(saved).values.buffer)], outputs.flat());
});

onPage("a dropped file that is broken is named with the reason, in one line", DESKTOP, async (page) => {
  const bytes = [...(await readFile(TINY))];
  const drop = (name, bytes) =>
    page.call(
      (name, bytes) => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([Uint8Array.from(bytes)], name));
        document.getElementById("error").textContent = "";
        document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
      },
      name,
      bytes,
    );
  const error = () => page.until(() => document.getElementById("error").textContent);
  bytes[bytes.length - 1] ^= 1;
  await drop("broken.ernn", bytes);
  assert.match(await error(), /^broken\.ernn: model file damaged: CRC-32 [0-9a-f]{8}, expected [0-9a-f]{8}$/);
  await drop("short.ernn", bytes.slice(0, 20));
  assert.match(await error(), /^short\.ernn: [^\n]{10,}$/);
  await drop("notes.txt", [1]);
  assert.match(await error(), /^notes\.txt: neither a model/);
  await drop("text.csv", [...Buffer.from("1,2\n3,x\n")]);
  assert.equal(await error(), 'text.csv: line 2: "x" is no number');
  await drop("narrow.npy", [...npy([4, 2], new Float32Array(8), "<f4")]);
  assert.equal(await error(), "narrow.npy: 2 features per time step, the model takes 13");
  await drop("notes.npy", [...Buffer.from("no array of numpy")]);
  assert.equal(await error(), "notes.npy: not an array of numpy");
  // The model is as usable as before.
  await page.call(() => document.getElementById("random").click());
  await outputsOn(page, 50);
  assert.equal(await page.call(() => document.getElementById("error").hidden), true);
});

onPage("every control is reached and used with keys", DESKTOP, async (page) => {
  const reached = [];
  const focused = () => page.call(() => document.activeElement.id || document.activeElement.textContent);
  for (let i = 0; i < 11; i++) {
    await page.press("Tab");
    reached.push(await focused());
  }
  const recordings = ["“three”", "“seven”", "“nine”"];
  const inputs = ["frames-file", "random", "microphone", "step", "save"];
  assert.deepEqual(reached.slice(0, 10), ["model-file", "digits", ...recordings, ...inputs]);
  await page.call(() => document.getElementById("step").focus());
  await page.press("ArrowLeft");
  const { shape } = await readNpy(demo("three.npy"));
  const text = await page.call(() => document.getElementById("step-text").textContent);
  assert.equal(text, `Time step ${shape[0] - 1} of ${shape[0]}`);
  await page.call(() => document.getElementById("random").focus());
  await page.press("Enter");
  await outputsOn(page, 50);
});

onPage("a word from the microphone is run frame by frame", DESKTOP, async (page) => {
  await page.call(() => document.getElementById("microphone").click());
  const { frames, outputs } = await page.until(async () => {
    const { frames, outputs, times } = (await import("./demo.js")).current();
    const isWord = document.getElementById("source").textContent.startsWith("microphone");
    const bits = () => outputs.map((output) => [...new Uint32Array(output.buffer)]);
    return isWord && times && { frames: [...frames], outputs: bits() };
  });
  // Half a second is 20 frames, and a frame at each end hears some of it.
  assert.ok(outputs.length >= 20 && outputs.length <= 22, `${outputs.length} frames`);
  assert.deepEqual(outputs, await predicted(demo("digits.i8.ernn"), Float32Array.from(frames), 13));
  await page.call(() => document.getElementById("microphone").click());
  await page.until(() => document.getElementById("microphone").getAttribute("aria-pressed") === "false");
});

for (const width of [390, 1200]) {
  for (const dark of [false, true]) {
    const name = `demo-${width}-${dark ? "dark" : "light"}`;
    onPage(`legible: ${name}`, { width, height: 844, dark }, async (page) => {
      assert.deepEqual(await page.hardToRead(), []);
      await page.picture(join(OUT, `${name}.png`));
      // A curve per class, and a bar per time step.
      assert.equal(await page.call(() => document.querySelectorAll("#outputs .curve").length), 10);
      assert.ok((await page.call(() => document.querySelectorAll("#times .bar").length)) > 5);
    });
  }
}

test("coefficients of sound are librosa's", async () => {
  const { samples, coefficients } = JSON.parse(await readFile(new URL("mfcc.json", import.meta.url)));
  const half = new Float64Array(FRAME / 2);
  const padded = Float64Array.of(...half, ...samples, ...half);
  const of = new Coefficients(13);
  for (const [number, expected] of coefficients.entries()) {
    const found = of.of(padded.subarray(number * HOP, number * HOP + FRAME));
    expected.forEach((value, i) => {
      assert.ok(Math.abs(value - found[i]) < 0.001, `frame ${number}, coefficient ${i}: ${found[i]}, not ${value}`);
    });
  }
  assert.equal(RATE, 8000);
});

test("arrays and CSV of all forms are read, and errors name the place", () => {
  assert.deepEqual([...parseCsv("\ufeffa;b\n1;-2.5\n\n3 4\n").values], [1, -2.5, 3, 4]);
  assert.throws(() => parseCsv("1,2\n3\n"), /line 2: 1 numbers, the lines before have 2/);
  assert.throws(() => parseCsv("a,b\n"), /no numbers/);
  assert.deepEqual(parseNpy(npy([2, 1], Int32Array.of(7, -9), "<i4").buffer), {
    shape: [2, 1],
    values: Float32Array.of(7, -9),
  });
  assert.throws(() => parseNpy(npy([3], Int32Array.of(7), "<i4").buffer), /fewer than 3 numbers/);
  const cube = { shape: [2, 2, 3], values: Float32Array.from({ length: 12 }, (_, i) => i) };
  assert.deepEqual([...firstSequence(cube, 3).values], [0, 1, 2, 3, 4, 5]);
  assert.throws(() => firstSequence(cube, 4), /3 features per time step, the model takes 4/);
  assert.throws(() => firstSequence({ shape: [2], values: cube.values }, 3), /shape \[2\]/);
});

/** Returns an array of numpy as bytes of their own. */
function npy(shape, values, type) {
  const list = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const header = `{'descr': '${type}', 'fortran_order': False, 'shape': (${list}), }`;
  const padded = header.padEnd(Math.ceil((header.length + 11) / 64) * 64 - 11) + "\n";
  const start = Buffer.from(`\x93NUMPY\x01\0${String.fromCharCode(padded.length & 255, padded.length >> 8)}`, "latin1");
  return Uint8Array.from([...start, ...Buffer.from(padded), ...new Uint8Array(values.buffer)]);
}

/** Returns samples as a file of 16-bit sound. */
function wav(samples) {
  const header = Buffer.alloc(44);
  header.write("RIFF\0\0\0\0WAVEfmt ", "latin1");
  header.writeUInt32LE(36 + 2 * samples.length, 4);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(SOUND_RATE, 24);
  header.writeUInt32LE(2 * SOUND_RATE, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write("data", 36, "latin1");
  header.writeUInt32LE(2 * samples.length, 40);
  return Buffer.concat([header, Buffer.from(Int16Array.from(samples, (sample) => Math.round(32767 * sample)).buffer)]);
}
