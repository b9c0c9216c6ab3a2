// Mel-frequency cepstral coefficients as librosa 0.11 computes them: frames of 512 samples every 200 at 8,000 Hz,
// 128 mel bands by Slaney's scale and area, decibels at most 80 below the loudest, an orthonormal DCT. Some of the
// narrow bands contain no bin, and are silent, as there.

export const RATE = 8000;
export const FRAME = 512;
export const HOP = 200;
const BANDS = 128;
const BINS = FRAME / 2 + 1;

const WINDOW = Float64Array.from({ length: FRAME }, (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / FRAME));
const FILTERS = filters();

/** The coefficients of frame after frame of one recording. */
export class Coefficients {
  #loudest = -Infinity;

  constructor(count) {
    if (count > BANDS) throw new Error(`${count} coefficients, at most ${BANDS}`);
    this.count = count;
  }

  /** Returns the coefficients of a frame, its mel bands no quieter than 80 dB below the loudest so far. */
  of(frame) {
    const bands = decibels(frame);
    this.#loudest = bands.reduce((loudest, band) => Math.max(loudest, band), this.#loudest);
    return cosineTransform(bands.map((band) => Math.max(band, this.#loudest - 80)), this.count);
  }
}

/** Returns the mel bands of a frame in decibels. */
function decibels(frame) {
  const [re, im] = [Float64Array.from(frame, (sample, n) => sample * WINDOW[n]), new Float64Array(FRAME)];
  fourierTransform(re, im);
  return FILTERS.map(({ from, weights }) => {
    const power = weights.reduce((sum, weight, i) => sum + weight * (re[from + i] ** 2 + im[from + i] ** 2), 0);
    return 10 * Math.log10(Math.max(power, 1e-10));
  });
}

/** Returns the first coefficients of the orthonormal cosine transform of type 2. */
function cosineTransform(values, count) {
  const size = values.length;
  return Float32Array.from({ length: count }, (_, k) => {
    const angle = (Math.PI * k) / (2 * size);
    const sum = values.reduce((sum, value, n) => sum + value * Math.cos(angle * (2 * n + 1)), 0);
    return sum * Math.sqrt((k === 0 ? 1 : 2) / size);
  });
}

/** Transforms complex values in place; their number is a power of two. */
function fourierTransform(re, im) {
  const size = re.length;
  for (let i = 1, j = 0; i < size; i++) {
    let bit = size >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j], re[i]];
      [im[i], im[j]] = [im[j], im[i]];
    }
  }
  for (let length = 2; length <= size; length *= 2) {
    for (let k = 0; k < length / 2; k++) {
      const [cos, sin] = [Math.cos((-2 * Math.PI * k) / length), Math.sin((-2 * Math.PI * k) / length)];
      for (let a = k; a < size; a += length) {
        const b = a + length / 2;
        const [r, i] = [re[b] * cos - im[b] * sin, re[b] * sin + im[b] * cos];
        [re[b], im[b]] = [re[a] - r, im[a] - i];
        [re[a], im[a]] = [re[a] + r, im[a] + i];
      }
    }
  }
}

/** Returns the triangles of the mel bands: the first bin and the weights from there on. */
function filters() {
  // Slaney's scale: linear up to 1,000 Hz, logarithmic above.
  const logStep = Math.log(6.4) / 27;
  const mel = (hz) => (hz < 1000 ? (3 * hz) / 200 : 15 + Math.log(hz / 1000) / logStep);
  const hz = (mel) => (mel < 15 ? (200 * mel) / 3 : 1000 * Math.exp(logStep * (mel - 15)));
  const edges = Array.from({ length: BANDS + 2 }, (_, i) => hz((mel(RATE / 2) * i) / (BANDS + 1)));
  return Array.from({ length: BANDS }, (_, band) => {
    const [low, middle, high] = edges.slice(band, band + 3);
    const weights = Array.from({ length: BINS }, (_, bin) => {
      const at = (bin * RATE) / FRAME;
      const height = Math.min((at - low) / (middle - low), (high - at) / (high - middle));
      return (Math.max(0, height) * 2) / (high - low);
    });
    const from = weights.findIndex((weight) => weight > 0);
    const to = weights.findLastIndex((weight) => weight > 0);
    return { from, weights: weights.slice(from, to + 1) };
  });
}
