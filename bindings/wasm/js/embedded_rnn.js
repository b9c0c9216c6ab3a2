// Recurrent networks from `.ernn` files, in browsers and in node. An instance of the WebAssembly module is one
// model with one state; the garbage collector frees it together with its `Model`.

// A function that returns a vector of zeros: engines without SIMD reject it.
const SIMD_PROBE = Uint8Array.of(
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
);

/** The builds of the kernels. */
const FILES = { simd: "simd.wasm", plain: "plain.wasm" };

const modules = new Map();

/** Returns the faster build that this engine runs. */
export function bestBuild() {
  return WebAssembly.validate(SIMD_PROBE) ? "simd" : "plain";
}

/** Returns the compiled module of a build, compiled once. */
function compiled(build) {
  if (!Object.hasOwn(FILES, build)) throw new Error(`no build "${build}": "simd" or "plain"`);
  if (!modules.has(build)) {
    const module = fetched(new URL(FILES[build], import.meta.url)).then((bytes) => WebAssembly.compile(bytes));
    module.catch(() => modules.delete(build)); // The next call tries again.
    modules.set(build, module);
  }
  return modules.get(build);
}

async function fetched(url) {
  if (url.protocol === "file:") return (await import("node:fs/promises")).readFile(url); // node
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  return response.arrayBuffer();
}

/** Returns the `f32` with these bits. */
function floatOfBits(bits) {
  return new Float32Array(Uint32Array.of(bits).buffer)[0];
}

/** A model with one state. */
export class Model {
  #exports;

  /** Checks the bytes of a model file and makes a state at the start of a sequence. */
  static async load(bytes, { build = bestBuild() } = {}) {
    const file = ArrayBuffer.isView(bytes)
      ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      : new Uint8Array(bytes);
    return new Model((await WebAssembly.instantiate(await compiled(build))).exports, file, build);
  }

  constructor(exports, file, build) {
    this.#exports = exports;
    this.build = build;
    this.#sendBytes(file);
    this.#call("open");
    const facts = JSON.parse(new TextDecoder().decode(this.#bytes()));
    const [inputScale, outputScale] = [facts.inputScale, facts.outputScale].map(floatOfBits);
    Object.assign(this, facts, { inputScale, outputScale });
  }

  /** Runs one time step and returns the output for the sequence so far. */
  step(x) {
    this.#sendValues(x);
    this.#call("step");
    return this.#values();
  }

  /** Runs many time steps, or a whole sequence, and returns the outputs one after another. */
  run(xs) {
    this.#sendValues(xs);
    this.#call("run");
    return this.#values();
  }

  /** Starts a new sequence. */
  reset() {
    this.#call("reset");
  }

  /** Returns the state as bytes. */
  save() {
    this.#call("save");
    return this.#bytes().slice();
  }

  /** Restores a saved state. */
  restore(saved) {
    this.#sendBytes(saved);
    this.#call("restore");
  }

  /** Replays the golden trace of the file; the state does not change. */
  selfTest() {
    this.#call("self_test");
  }

  #call(name) {
    if (!this.#exports[name]()) throw new Error(new TextDecoder().decode(this.#bytes()));
  }

  #sendBytes(bytes) {
    const at = this.#exports.reserve_bytes(bytes.length);
    new Uint8Array(this.#exports.memory.buffer, at, bytes.length).set(bytes);
  }

  #bytes() {
    const { memory, bytes_at, bytes_len } = this.#exports;
    return new Uint8Array(memory.buffer, bytes_at(), bytes_len());
  }

  #sendValues(values) {
    const at = this.#exports.reserve_values(values.length);
    new Float32Array(this.#exports.memory.buffer, at, values.length).set(values);
  }

  #values() {
    const { memory, values_at, values_len } = this.#exports;
    return new Float32Array(memory.buffer, values_at(), values_len()).slice();
  }
}
