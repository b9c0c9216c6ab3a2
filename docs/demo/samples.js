// The audio thread: passes the samples of the microphone on to the page.

registerProcessor(
  "samples",
  class extends AudioWorkletProcessor {
    process([[samples]]) {
      if (samples) this.port.postMessage(samples.slice());
      return true;
    }
  },
);
