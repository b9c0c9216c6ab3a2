// A model over a sequence of frames: its outputs, and the time that they take.

/** The most intervals of which the time is measured. */
const INTERVALS = 100;
/** Milliseconds of a measurement. Clocks of browsers tick in 0.1 ms, many times longer than a step. */
const ENOUGH = 1;
/** Measurements of an interval, of which the shortest counts: in the others, the machine did something else too. */
const TRIES = 3;
/** Milliseconds after which the page may draw and take input. */
const PATIENCE = 50;

/**
 * Runs the frames and returns an output per time step, or one for the sequence where the model requires whole
 * sequences and returns no more.
 */
export function outputsOf(model, frames) {
  model.reset();
  if (model.needsWholeSequences) return rows(model.run(frames), model.outputSize);
  return rows(frames, model.inputSize).map((x) => model.step(x));
}

/** Measures the microseconds per time step in intervals of equal length, on the state as it is there. */
export async function timesOf(model, frames, signal) {
  const steps = rows(frames, model.inputSize);
  const length = Math.ceil(steps.length / INTERVALS);
  const intervals = model.needsWholeSequences
    ? [() => model.run(frames)]
    : Array.from({ length: Math.ceil(steps.length / length) }, (_, i) => {
        const part = steps.slice(i * length, (i + 1) * length);
        return () => part.forEach((x) => model.step(x));
      });
  const perCall = model.needsWholeSequences ? steps.length : length;
  const times = [];
  model.reset();
  // The engine compiles the module anew for speed while it runs; what it takes before that says little.
  callsIn(20 * ENOUGH, intervals[0]);
  const calls = callsIn(ENOUGH, intervals[0]);
  model.reset();
  let last = performance.now();
  for (const [number, run] of intervals.entries()) {
    const saved = model.needsWholeSequences ? null : model.save();
    const isLast = number === intervals.length - 1;
    const count = isLast && !model.needsWholeSequences ? steps.length - number * length : perCall;
    const tries = Array.from({ length: TRIES }, () => timeOf(calls, run) / calls);
    times.push((Math.min(...tries) * 1000) / count);
    if (saved) {
      model.restore(saved);
      run();
    }
    if (performance.now() - last > PATIENCE) {
      await new Promise((resume) => setTimeout(resume));
      last = performance.now();
    }
    if (signal.aborted) return null;
  }
  return { times, length: perCall };
}

/** Returns how many calls take at least `enough` milliseconds. */
function callsIn(enough, work) {
  let calls = 1;
  while (timeOf(calls, work) < enough) calls *= 2;
  return calls;
}

/** Returns the milliseconds of so many calls. */
function timeOf(calls, work) {
  const start = performance.now();
  for (let i = 0; i < calls; i++) work();
  return performance.now() - start;
}

/** Returns the parts of `size` values each. */
function rows(values, size) {
  return Array.from({ length: values.length / size }, (_, i) => values.subarray(i * size, (i + 1) * size));
}

/** Returns the median. */
export function median(values) {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
