/** A build of the kernels: with WebAssembly's vectors of 128 bits, or without. */
export type Build = "simd" | "plain";

/** Returns the faster build that this engine runs. */
export function bestBuild(): Build;

/** A layer as the file states it. */
export interface Layer {
  /** Keras's name of the kind of layer, such as `LSTM`. */
  readonly type: string;
  /** Values per time step. */
  readonly inputSize: number;
  /** Output values per time step. */
  readonly outputSize: number;
  /** Bytes of its weights. */
  readonly weightBytes: number;
}

/** A model with one state. Errors are one line of text in `Error.message`. */
export class Model {
  private constructor();
  /**
   * Checks the bytes of a model file and makes a state at the start of a sequence.
   * The faster build that the engine runs is fetched from beside this file unless `build` names one.
   */
  static load(bytes: ArrayBuffer | ArrayBufferView, options?: { build?: Build }): Promise<Model>;

  /** The build that runs it. */
  readonly build: Build;
  readonly dtype: "f32" | "f16" | "i8";
  /** Features per time step. */
  readonly inputSize: number;
  /** Values per output. */
  readonly outputSize: number;
  /** Real value of one unit of an input of an i8 model. */
  readonly inputScale: number;
  /** Real value of one unit of an output of an i8 model. */
  readonly outputScale: number;
  /** Bytes of a state. */
  readonly ram: number;
  /** Bytes of the file. */
  readonly size: number;
  /** Time steps of the golden trace. */
  readonly goldenSteps: number;
  /** Number of ids if a time step is an id and not features, else null. */
  readonly inputIds: number | null;
  /** `true` if `run` returns an output for every time step. */
  readonly returnsSequences: boolean;
  /** `true` if `run` requires a whole sequence, and `step` fails. */
  readonly needsWholeSequences: boolean;
  /** Names of the classes; empty if the file has none. */
  readonly labels: readonly string[];
  readonly layers: readonly Layer[];

  /** Runs one time step, `[inputSize]`, and returns the output for the sequence so far, `[outputSize]`. */
  step(x: Float32Array | readonly number[]): Float32Array;
  /**
   * Runs many time steps, `[steps * inputSize]`. Returns `[steps * outputSize]` if `returnsSequences`, else
   * the output after the last step, `[outputSize]`.
   */
  run(xs: Float32Array | readonly number[]): Float32Array;
  /** Starts a new sequence. */
  reset(): void;
  /** Returns the state as bytes, which `restore` of the same model takes in another session. */
  save(): Uint8Array;
  /** Restores a saved state. */
  restore(saved: Uint8Array): void;
  /** Replays the golden trace of the file and throws if an output differs; the state does not change. */
  selfTest(): void;
}
