// The page: a model from a file, frames from a file or the microphone, and what the model makes of them.

import { Model } from "./embedded-rnn/embedded_rnn.js";
import { firstSequence, parseCsv, parseNpy, randomFrames } from "./frames.js";
import { listen } from "./microphone.js";
import { color, drawBars, drawCurves, drawFrames, fixed, short } from "./plot.js";
import { median, outputsOf, timesOf } from "./run.js";

/** The model that comes with the page, and recordings of its test data. */
const DIGITS = "digits.i8.ernn";
const RECORDINGS = ["three", "seven", "nine"];
const RECORDED_FEATURES = 13;
const RANDOM_STEPS = 50;
/** Outputs beyond these are in the file of outputs, not on the page. */
const MOST_CURVES = 16;

const $ = (id) => document.getElementById(id);

let model = null;
let shown = { frames: null, outputs: [], times: null };
let measurement = new AbortController();
let stopListening = null;

/** Returns the model, and what the page shows. */
export function current() {
  return { model, ...shown };
}

/** Runs `work`, and shows an error as one line that begins with `place`. */
async function attempt(place, work) {
  try {
    $("error").hidden = true;
    await work();
  } catch (error) {
    $("error").textContent = `${place}: ${error.message}`;
    $("error").hidden = false;
  }
}

async function fetched(name) {
  const response = await fetch(new URL(name, import.meta.url));
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  return response.arrayBuffer();
}

/** Opens a model file and shows it. */
async function open(name, bytes) {
  const opened = await Model.load(bytes);
  await stopMicrophone();
  measurement.abort();
  model = opened;
  showModel(name);
  show(null, [], "");
  document.querySelectorAll("#recordings button").forEach((button) => {
    button.disabled = model.inputSize !== RECORDED_FEATURES;
  });
}

function showModel(name) {
  let golden = ["good", `passed, ${model.goldenSteps} time steps`];
  try {
    model.selfTest();
  } catch (error) {
    golden = ["bad", error.message];
  }
  const facts = [
    ["File", `${name}, ${model.size.toLocaleString("en")} bytes`],
    ["Weights", model.dtype],
    ["Input", model.inputIds ? `ids below ${model.inputIds}` : `${model.inputSize} features per time step`],
    ["Output", `${model.outputSize} values${model.returnsSequences ? " per time step" : ""}`],
    ["RAM", `${model.ram.toLocaleString("en")} bytes`],
    ["Golden trace", model.goldenSteps > 0 ? golden[1] : "none in the file", golden[0]],
    ["Build", model.build],
  ];
  $("facts").replaceChildren(
    ...facts.flatMap(([term, text, style = ""]) => [element("dt", term), element("dd", text, style)]),
  );
  const rows = model.layers.map((layer) => {
    const numbers = [layer.inputSize, layer.outputSize, layer.weightBytes];
    const cells = numbers.map((number) => element("td", number.toLocaleString("en"), "number"));
    const row = document.createElement("tr");
    row.append(element("td", layer.type), ...cells);
    return row;
  });
  $("layers").tBodies[0].replaceChildren(...rows);
}

/** Runs a sequence and shows its outputs; then measures the time per step. */
async function runFrames(name, frames) {
  measurement.abort();
  const { signal } = (measurement = new AbortController());
  show(frames, outputsOf(model, frames), name);
  const measured = await timesOf(model, frames, signal);
  if (!measured) return;
  shown.times = measured;
  showTimes();
}

/** Shows frames with their outputs. */
function show(frames, outputs, name) {
  shown = { frames, outputs, times: null };
  const steps = frames ? frames.length / model.inputSize : 0;
  $("source").textContent = frames ? `${name}, ${steps} time steps` : "";
  drawFrames($("frames"), frames ?? [], model.inputSize);
  const last = Math.max(outputs.length - 1, 0);
  $("step").max = last;
  $("step").value = last;
  $("step").disabled = last === 0;
  showSave();
  showOutputs();
  showTimes();
}

/** Shows the outputs over time and those of the chosen time step. */
function showOutputs() {
  const { outputs } = shown;
  const at = Number($("step").value);
  const values = Array.from(outputs[at] ?? []).slice(0, MOST_CURVES);
  const count = values.length;
  const names = values.map((_, i) => model.labels[i] ?? `output ${i}`);
  const best = count > 1 ? values.indexOf(Math.max(...values)) : -1;
  const series = values.map((_, i) => outputs.map((output) => output[i]));
  const more = model.outputSize - count;
  const text = more > 0 && count ? `${count} of ${model.outputSize} outputs` : "";
  drawCurves($("outputs"), { series, names, best, marker: at, text });
  $("step-text").textContent = outputs.length ? `Time step ${at + 1} of ${outputs.length}` : "Time step";
  $("best").textContent = best >= 0 && model.labels.length ? `${names[best]}, ${fixed(values[best])}` : "";
  const scale = Math.max(...values.map(Math.abs)) || 1;
  $("values").replaceChildren(
    ...values.map((value, i) => {
      const item = element("li", "");
      const bar = element("div", "");
      bar.style = `width: ${(Math.abs(value) / scale) * 100}%; background: ${color(i, count)}`;
      const track = element("div", "", "track");
      track.append(bar);
      const name = element("span", names[i], i === best ? "name best" : "name");
      name.style = `border-color: ${color(i, count)}`;
      item.append(name, track, element("span", fixed(value), "number"));
      return item;
    }),
  );
}

function showTimes() {
  const { times, frames } = shown;
  const steps = frames ? frames.length / model.inputSize : 0;
  drawBars($("times"), { values: times?.times ?? [], length: times?.length ?? 1, steps, text: "µs per time step" });
  $("time-text").textContent = times
    ? `Median ${short(median(times.times))} µs per time step, ${model.dtype}, build ${model.build}`
    : steps ? "Measuring" : "";
}

/** Offers the outputs as a file, a line per time step. */
function showSave() {
  const { outputs } = shown;
  URL.revokeObjectURL($("save").href);
  $("save").hidden = outputs.length === 0;
  // A number of f32 in the digits of a double reads back to the same bits.
  const text = outputs.map((output) => `${Array.from(output).join(",")}\n`).join("");
  $("save").href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
}

/** Opens a file by its name: a model, or frames. */
async function take(file) {
  if (file.name.endsWith(".ernn")) return open(file.name, await file.arrayBuffer());
  const read = {
    npy: async () => parseNpy(await file.arrayBuffer()),
    csv: async () => parseCsv(await file.text()),
  }[file.name.split(".").at(-1)];
  if (!read) throw new Error("neither a model (.ernn) nor frames (.npy, .csv)");
  await stopMicrophone();
  const { values, remark } = firstSequence(await read(), model.inputSize);
  await runFrames(file.name + remark, values);
}

async function takeRecording(name) {
  const file = `${name}.npy`;
  await take(new File([await fetched(file)], file));
}

async function startMicrophone() {
  if (!navigator.mediaDevices) throw new Error("only pages of this machine or of https may use it");
  const { inputSize } = model;
  const joined = (frames) => Float32Array.from(frames.flatMap((frame) => [...frame]));
  measurement.abort();
  stopListening = await listen(inputSize, {
    onFrame: (frames) => {
      const isFirst = frames.length === 1;
      if (isFirst) {
        measurement.abort();
        model.reset();
      }
      show(joined(frames), [...(isFirst ? [] : shown.outputs), model.step(frames.at(-1))], "microphone");
    },
    onEnd: (frames) => attempt("microphone", () => runFrames("microphone", joined(frames))),
  });
  $("microphone").setAttribute("aria-pressed", "true");
  $("microphone").textContent = "Stop the microphone";
  $("sound").textContent =
    `Say a word. Its frames are ${inputSize} mel-frequency cepstral coefficients, 40 times per second.`;
}

async function stopMicrophone() {
  const stop = stopListening;
  stopListening = null;
  await stop?.();
  $("microphone").setAttribute("aria-pressed", "false");
  $("microphone").textContent = "Microphone";
  $("sound").textContent = "";
}

function element(name, text, style = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = style;
  return made;
}

function listenToThePage() {
  for (const name of RECORDINGS) {
    const button = element("button", `“${name}”`);
    button.type = "button";
    button.onclick = () => attempt(name, () => takeRecording(name));
    $("recordings").append(button);
  }
  $("digits").onclick = () => attempt(DIGITS, async () => open(DIGITS, await fetched(DIGITS)));
  $("random").onclick = () =>
    attempt("random frames", async () => {
      await stopMicrophone();
      await runFrames("random", randomFrames(model, RANDOM_STEPS));
    });
  $("microphone").onclick = () =>
    attempt("microphone", () => (stopListening ? stopMicrophone() : startMicrophone()));
  for (const id of ["model-file", "frames-file"]) {
    $(id).onchange = ({ target }) => {
      const [file] = target.files;
      if (file) attempt(file.name, () => take(file));
      target.value = "";
    };
  }
  $("step").oninput = showOutputs;
  document.ondragover = (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  };
  document.ondragleave = () => document.body.classList.remove("dropping");
  document.ondrop = (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    const [file] = event.dataTransfer.files;
    if (file) attempt(file.name, () => take(file));
  };
  new ResizeObserver(() => {
    if (!model) return;
    showOutputs();
    showTimes();
  }).observe(document.body);
}

listenToThePage();
await attempt(DIGITS, async () => {
  await open(DIGITS, await fetched(DIGITS));
  await takeRecording(RECORDINGS[0]);
});
