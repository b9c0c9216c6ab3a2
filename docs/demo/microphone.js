// Words from the microphone: frames of coefficients between two silences.

import { Coefficients, FRAME, HOP, RATE } from "./mfcc.js";

/** Decibels above the quietest that are sound. */
const ABOVE = 15;
/** Decibels of full scale below which nothing is sound. */
const LEAST = -60;
/** Decibels by which the quietest rises per frame, to follow a room that gets louder. */
const RISE = 0.05;
/** Silent frames that end a word: 0.3 s. */
const SILENT = 12;
/** The most frames of a word: 4 s. */
const MOST = 160;

/** Sound without the browser's own processing, which no recording for training has had. */
const AS_IT_IS = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

/** Cuts samples into frames, and frames into words. */
export class Words {
  #samples = new Float32Array(FRAME);
  #filled = 0;
  #quietest = Infinity;
  #silent = 0;
  #word = null;

  /** `onFrame` takes all frames of the word so far, `onEnd` those of a word that ended. */
  constructor(count, { onFrame, onEnd }) {
    Object.assign(this, { count, onFrame, onEnd });
  }

  /** Takes samples as they come. */
  push(samples) {
    for (const sample of samples) {
      this.#samples[this.#filled++] = sample;
      if (this.#filled < FRAME) continue;
      this.#frame();
      this.#samples.copyWithin(0, HOP);
      this.#filled -= HOP;
    }
  }

  /** Ends a word that is being said. */
  end() {
    const word = this.#word;
    this.#word = null;
    if (word && word.frames.length > this.#silent) {
      this.onEnd(word.frames.slice(0, word.frames.length - this.#silent));
    }
  }

  #frame() {
    // In the middle of a frame, where its window is.
    const middle = this.#samples.subarray((FRAME - HOP) / 2, (FRAME + HOP) / 2);
    const power = middle.reduce((sum, sample) => sum + sample * sample, 0) / HOP;
    const level = 10 * Math.log10(Math.max(power, 1e-10));
    this.#quietest = Math.min(this.#quietest + RISE, level);
    const isSound = level > Math.max(this.#quietest + ABOVE, LEAST);
    this.#silent = isSound ? 0 : this.#silent + 1;
    if (isSound) this.#word ??= { coefficients: new Coefficients(this.count), frames: [] };
    if (!this.#word) return;
    const { coefficients, frames } = this.#word;
    frames.push(coefficients.of(this.#samples));
    this.onFrame(frames);
    if (this.#silent >= SILENT || frames.length >= MOST) this.end();
  }
}

/** Starts the microphone and passes its words on until the returned function is called. */
export async function listen(count, handlers) {
  const words = new Words(count, handlers);
  const sound = await navigator.mediaDevices.getUserMedia({ audio: AS_IT_IS });
  const context = new AudioContext({ sampleRate: RATE });
  const stop = async () => {
    sound.getTracks().forEach((track) => track.stop());
    await context.close();
    words.end();
  };
  try {
    await context.audioWorklet.addModule(new URL("samples.js", import.meta.url));
    const samples = new AudioWorkletNode(context, "samples", { numberOfOutputs: 0, channelCount: 1 });
    samples.port.onmessage = ({ data }) => words.push(data);
    context.createMediaStreamSource(sound).connect(samples);
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}
