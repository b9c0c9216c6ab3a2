// Charts in SVG, of the width that the page gives them, and pictures of frames.

const NAMESPACE = "http://www.w3.org/2000/svg";
/** Space for the numbers at the left and below. */
const [LEFT, RIGHT, TOP, BOTTOM] = [44, 8, 8, 20];

/** Returns the color of a curve out of `count`, legible in light and in dark mode. */
export function color(number, count) {
  return `hsl(${Math.round((number * 360) / count + 215) % 360} 65% var(--line))`;
}

/** Draws a curve per series over the time steps, and a marker at one of them. */
export function drawCurves(svg, { series, names, best, marker, text }) {
  const steps = series[0]?.length ?? 0;
  if (steps === 0) return clear(svg);
  const finite = series.flat().filter(Number.isFinite);
  const area = axes(svg, { steps, low: Math.min(0, ...extent(finite)), high: Math.max(...extent(finite)), text });
  series.forEach((values, i) => {
    const points = values.map((value, step) => (Number.isFinite(value) ? [area.x(step), area.y(value)] : null));
    const stroke = color(i, series.length);
    const d = points.map((point, step) => (point ? `${points[step - 1] ? "L" : "M"}${point.join(" ")}` : "")).join("");
    const curve = add(svg, "path", { d, class: i === best ? "curve best" : "curve", style: `stroke: ${stroke}` });
    add(curve, "title", {}).textContent = names[i];
    if (steps === 1 && points[0]) {
      const [cx, cy] = points[0];
      add(svg, "circle", { cx, cy, r: 4, style: `fill: ${stroke}` });
    }
  });
  add(svg, "line", { class: "marker", x1: area.x(marker), x2: area.x(marker), y1: area.top, y2: area.bottom });
}

/** Draws a bar per interval of `length` time steps. */
export function drawBars(svg, { values, length, steps, text }) {
  if (values.length === 0) return clear(svg);
  const area = axes(svg, { steps, low: 0, high: Math.max(...values), text, isInterval: true });
  values.forEach((value, i) => {
    const [from, to] = [area.x(i * length), area.x(Math.min((i + 1) * length, steps))];
    const width = Math.max(to - from - 1, 1);
    add(svg, "rect", { class: "bar", x: from, width, y: area.y(value), height: area.bottom - area.y(value) });
  });
}

/** Draws the axes and returns the places of steps and values. */
function axes(svg, { steps, low, high, text, isInterval = false }) {
  clear(svg);
  const { clientWidth: width, clientHeight: height } = svg;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const [right, bottom] = [width - RIGHT, height - BOTTOM];
  const span = high - low || 1;
  const last = isInterval ? steps : Math.max(steps - 1, 1);
  const x = (step) => LEFT + (step / last) * (right - LEFT);
  const y = (value) => bottom - ((value - low) / span) * (bottom - TOP);
  for (const value of [low, low + span / 2, low + span]) {
    add(svg, "line", { class: "grid", x1: LEFT, x2: right, y1: y(value), y2: y(value) });
    const label = add(svg, "text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" });
    label.textContent = short(value);
  }
  add(svg, "text", { x: LEFT, y: height - 4 }).textContent = "step 1";
  add(svg, "text", { x: right, y: height - 4, "text-anchor": "end" }).textContent = `step ${steps}`;
  add(svg, "text", { x: (LEFT + right) / 2, y: height - 4, "text-anchor": "middle" }).textContent = text;
  return { x, y, top: TOP, bottom };
}

/** Draws frames as a picture: time from left to right, a row per feature, each over its own range. */
export function drawFrames(canvas, frames, features) {
  const steps = frames.length / features;
  canvas.width = Math.max(steps, 1);
  canvas.height = features;
  const context = canvas.getContext("2d");
  const accent = getComputedStyle(canvas).getPropertyValue("--accent");
  for (let feature = 0; feature < features; feature++) {
    const values = Float32Array.from({ length: steps }, (_, step) => frames[step * features + feature]);
    const [low, high] = extent(values);
    values.forEach((value, step) => {
      context.globalAlpha = high > low ? (value - low) / (high - low) : 0.5;
      context.fillStyle = accent;
      context.fillRect(step, feature, 1, 1);
    });
  }
}

/** Returns a number in few digits. */
export function short(value) {
  return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));
}

/** Returns a number with as many decimals as the ones below it. */
export function fixed(value) {
  return Math.abs(value) >= 1000 ? short(value) : value.toFixed(4);
}

/** Returns the smallest and the largest value. */
function extent(values) {
  return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
}

function clear(svg) {
  svg.replaceChildren();
}

function add(parent, name, attributes) {
  const element = document.createElementNS(NAMESPACE, name);
  Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
  parent.append(element);
  return element;
}
