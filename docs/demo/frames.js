// Frames from files: arrays of numpy and CSV.

/** Readers of the types of numbers in an array of numpy, which are little-endian. */
const TYPES = {
  "<f4": (view, at) => view.getFloat32(at, true),
  "<f8": (view, at) => view.getFloat64(at, true),
  "<i2": (view, at) => view.getInt16(at, true),
  "<i4": (view, at) => view.getInt32(at, true),
  "|i1": (view, at) => view.getInt8(at),
  "|u1": (view, at) => view.getUint8(at),
};

/** Returns the shape and the values of an array of numpy. */
export function parseNpy(bytes) {
  const magic = String.fromCharCode(...new Uint8Array(bytes, 0, Math.min(6, bytes.byteLength)));
  if (magic !== "\x93NUMPY" || bytes.byteLength < 12) throw new Error("not an array of numpy");
  const view = new DataView(bytes);
  const [start, length] = view.getUint8(6) === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  if (start + length > bytes.byteLength) throw new Error("the header ends early");
  const header = new TextDecoder().decode(new Uint8Array(bytes, start, length));
  const type = /'descr': *'([^']*)'/.exec(header)?.[1];
  const dimensions = /'shape': *\(([^)]*)\)/.exec(header)?.[1];
  const read = TYPES[type];
  if (!read) throw new Error(`numbers of type ${type} are not supported: ${Object.keys(TYPES).join(", ")}`);
  if (dimensions === undefined || /'fortran_order': *True/.test(header)) throw new Error("not in C order");
  const shape = (dimensions.match(/\d+/g) ?? []).map(Number);
  const count = shape.reduce((product, dimension) => product * dimension, 1);
  const size = Number(type.slice(-1));
  if (start + length + count * size > bytes.byteLength) throw new Error(`fewer than ${count} numbers`);
  return { shape, values: Float32Array.from({ length: count }, (_, i) => read(view, start + length + i * size)) };
}

/** Returns the shape and the values of CSV, a line per time step; a first line of names is skipped. */
export function parseCsv(text) {
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/);
  const rows = [];
  for (const [number, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const words = line.trim().split(/\s*[,;]\s*|\s+/);
    const values = words.map((word) => (word === "" ? NaN : Number(word)));
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0 && rows.length === 0 && number === 0) continue;
    if (bad >= 0) throw new Error(`line ${number + 1}: "${words[bad]}" is no number`);
    if (rows.length > 0 && values.length !== rows[0].length) {
      throw new Error(`line ${number + 1}: ${values.length} numbers, the lines before have ${rows[0].length}`);
    }
    rows.push(values);
  }
  if (rows.length === 0) throw new Error("no numbers");
  return { shape: [rows.length, rows[0].length], values: Float32Array.from(rows.flat()) };
}

/** Returns the first sequence of an array, [time, features] or [n, time, features], and a remark. */
export function firstSequence({ shape, values }, features) {
  // [n, time] of a single feature has no last axis.
  const full = features === 1 && shape.at(-1) !== 1 ? [...shape, 1] : shape;
  const [count, time, width] = full.length === 2 ? [1, ...full] : full;
  if (full.length < 2 || full.length > 3) {
    throw new Error(`shape [${shape.join(", ")}], not [time, ${features}] or [n, time, ${features}]`);
  }
  if (width !== features) throw new Error(`${width} features per time step, the model takes ${features}`);
  if (count === 0 || time === 0) throw new Error("no time steps");
  return { values: values.subarray(0, time * features), remark: count > 1 ? `, the first of ${count}` : "" };
}

/** Returns frames for any model: ids, or a random walk of each feature between -1 and 1. */
export function randomFrames(model, steps) {
  const frames = new Float32Array(steps * model.inputSize);
  for (let i = 0; i < frames.length; i++) {
    const before = i < model.inputSize ? 0 : frames[i - model.inputSize];
    frames[i] = model.inputIds
      ? Math.floor(Math.random() * model.inputIds)
      : Math.max(-1, Math.min(1, before + (Math.random() - 0.5) * 0.5));
  }
  return frames;
}
