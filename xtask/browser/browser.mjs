// Chromium without a window, driven by its DevTools protocol over two pipes: nothing to install but the browser.

import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Milliseconds after which the page will not do what a test waits for. */
const PATIENCE = 30_000;

/** Starts the browser, calls `work` with it, and ends it. */
export async function withBrowser(program, args, work) {
  const profile = await mkdtemp(join(tmpdir(), "browser-"));
  const options = ["--headless=new", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu", "--hide-scrollbars"];
  // Its sandbox does not start as root, and shared memory is small in containers.
  if (process.getuid?.() === 0) options.push("--no-sandbox");
  options.push("--disable-dev-shm-usage", `--user-data-dir=${profile}`, ...args, "about:blank");
  const child = spawn(program, options, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
  const ended = new Promise((resolve) => child.on("exit", resolve).on("error", resolve));
  try {
    await work(new Browser(child.stdio[3], child.stdio[4], ended));
  } finally {
    child.kill();
    await ended;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

class Browser {
  #to;
  #last = 0;
  #waiting = new Map();
  #listeners = new Set();

  constructor(to, from, ended) {
    this.#to = to;
    let rest = "";
    from.setEncoding("utf8").on("data", (text) => {
      const messages = (rest + text).split("\0");
      rest = messages.pop();
      messages.forEach((message) => this.#take(JSON.parse(message)));
    });
    ended.then(() => this.#waiting.forEach(({ reject }) => reject(new Error("the browser has ended"))));
  }

  #take({ id, result, error, method, params, sessionId }) {
    if (id === undefined) return this.#listeners.forEach((listen) => listen(method, params, sessionId));
    const { resolve, reject } = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) reject(new Error(error.message));
    else resolve(result);
  }

  /** Calls a method of the protocol. */
  send(method, params = {}, sessionId = undefined) {
    const id = ++this.#last;
    this.#to.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  /** Opens a page of this size and color scheme. */
  async page({ width, height, dark }) {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page((method, params) => this.send(method, params, sessionId));
    this.#listeners.add((method, params, session) => session === sessionId && page.note(method, params));
    for (const domain of ["Page", "Runtime", "Log", "DOM"]) await page.send(`${domain}.enable`);
    const scheme = { name: "prefers-color-scheme", value: dark ? "dark" : "light" };
    await page.send("Emulation.setEmulatedMedia", { features: [scheme] });
    await page.resize(width, height);
    return page;
  }
}

class Page {
  /** What went wrong on the page, a line each. */
  complaints = [];

  constructor(send) {
    this.send = send;
  }

  note(method, params) {
    if (method === "Runtime.exceptionThrown") {
      const { text, exception } = params.exceptionDetails;
      this.complaints.push(exception?.description ?? text);
    }
    if (method === "Log.entryAdded" && params.entry.level === "error") this.complaints.push(params.entry.text);
  }

  resize(width, height) {
    const size = { width, height, deviceScaleFactor: 1, mobile: width < 600 };
    return this.send("Emulation.setDeviceMetricsOverride", size);
  }

  async open(url) {
    const { errorText } = await this.send("Page.navigate", { url });
    if (errorText) throw new Error(`${url}: ${errorText}`);
    await this.until(() => document.readyState === "complete");
  }

  /** Returns what a function returns on the page; arguments and result go there as JSON. */
  async call(work, ...args) {
    const expression = `(${work})(...${JSON.stringify(args)})`;
    const options = { expression, awaitPromise: true, returnByValue: true, userGesture: true };
    const { result, exceptionDetails: failed } = await this.send("Runtime.evaluate", options);
    if (failed) throw new Error(failed.exception?.description ?? failed.text);
    return result.value;
  }

  /** Waits until a function on the page returns something true, and returns that. */
  async until(work, ...args) {
    for (const start = Date.now(); Date.now() - start < PATIENCE; ) {
      const value = await this.call(work, ...args);
      if (value) return value;
      await new Promise((resume) => setTimeout(resume, 50));
    }
    throw new Error(`still not so: ${work}`);
  }

  /** Chooses a file as a person does with the input of this selector. */
  async choose(selector, file) {
    const { root } = await this.send("DOM.getDocument");
    const { nodeId } = await this.send("DOM.querySelector", { nodeId: root.nodeId, selector });
    await this.send("DOM.setFileInputFiles", { nodeId, files: [file] });
  }

  /** Presses a key such as `Tab` or `Enter`. */
  async press(key) {
    const code = { Tab: 9, Enter: 13, ArrowLeft: 37 }[key];
    const event = { key, code: key, windowsVirtualKeyCode: code, text: key === "Enter" ? "\r" : undefined };
    await this.send("Input.dispatchKeyEvent", { type: "keyDown", ...event });
    await this.send("Input.dispatchKeyEvent", { type: "keyUp", ...event });
  }

  /** Saves a picture of the whole page. */
  async picture(path) {
    const { data } = await this.send("Page.captureScreenshot", { format: "png", captureBeyondViewport: true });
    await writeFile(path, Buffer.from(data, "base64"));
  }

  /** Returns the texts that are hard to read: small, of little contrast, or wider than the window. */
  hardToRead() {
    return this.call(findHardToRead);
  }
}

/** Runs on the page. */
function findHardToRead() {
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  // A pixel painted with these colors of any notation, one over the other: red, green and blue.
  const pixel = (...colors) => {
    for (const color of colors) {
      context.fillStyle = color;
      context.fillRect(0, 0, 1, 1);
    }
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (...colors) =>
    pixel(...colors)
      .map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
      .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
  // The backgrounds behind an element, from the page's own on.
  const backgrounds = (element) => {
    const colors = [];
    for (; element; element = element.parentElement) colors.unshift(getComputedStyle(element).backgroundColor);
    return ["Canvas", ...colors];
  };
  const found = [];
  // Not `innerWidth`: a phone shows a page that is too wide in a window that grows with it.
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) found.push(`the page is ${scrollWidth} pixels wide, the window ${clientWidth}`);
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { textContent: text, parentElement: element } = texts.currentNode;
    const isDrawn = element.checkVisibility() && element.getClientRects().length > 0;
    if (text.trim() === "" || !isDrawn || element.closest(":disabled, title, script, style")) continue;
    const style = getComputedStyle(element);
    const color = element.closest("svg") ? style.fill : style.color;
    const behind = backgrounds(element);
    const [darker, lighter] = [luminance(...behind, color), luminance(...behind)].sort((a, b) => a - b);
    const contrast = (lighter + 0.05) / (darker + 0.05);
    if (contrast < 4.5) found.push(`"${text.trim()}" has a contrast of ${contrast.toFixed(2)}`);
    if (parseFloat(style.fontSize) < 11) found.push(`"${text.trim()}" is ${style.fontSize} high`);
  }
  return found;
}
