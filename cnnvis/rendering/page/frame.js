// What stands around a volume: outline, marks of groups, names of its axes, legend.

const LINE_VERTEX = `#version 300 es
in vec3 place; in vec3 tint; uniform vec3 eye, right, up, forward; uniform vec2 slope; out vec3 colour;
void main() { vec3 p = place - eye; float depth = dot(p, forward); colour = tint;
  gl_Position = vec4(dot(p, right) / slope.x, dot(p, up) / slope.y, 0.0, depth); }`;
const LINE_FRAGMENT = `#version 300 es
precision highp float; in vec3 colour; out vec4 pixel; void main() { pixel = vec4(colour, 1.0); }`;

let outlines;

function prepareFrames() { outlines = program(LINE_VERTEX, LINE_FRAGMENT); }

function frame({ shown, low, high }) {  // outline, and a coloured bar per group along the near top edges
  const grey = scene.dark ? [0.45, 0.45, 0.5] : [0.62, 0.62, 0.66], points = [];
  const line = (a, b, colour) => points.push(...a, ...colour, ...b, ...colour);
  const at = (x, y, z) => [x ? high[0] : low[0], y ? high[1] : low[1], z ? high[2] : low[2]];
  for (const [a, b] of [[0, 1], [1, 0], [0, 0], [1, 1]]) {
    line(at(0, a, b), at(1, a, b), grey); line(at(a, 0, b), at(a, 1, b), grey); line(at(a, b, 0), at(a, b, 1), grey);
  }
  const bars = [], step = shown.spacing[2], lift = 0.03 * (high[1] - low[1]);
  shown.runs.forEach(([start, stop, colour], i) => {
    const z0 = low[2] + (start + 0.06) * step, z1 = low[2] + (stop - 0.06) * step, y0 = low[1] - 0.4 * lift, y1 = low[1] - lift;
    for (const x of [low[0], high[0]])
      for (const corner of [[x, y0, z0], [x, y0, z1], [x, y1, z1], [x, y0, z0], [x, y1, z1], [x, y1, z0]])
        bars.push(...corner, ...colour);
    if (i) { const z = low[2] + start * step;
      for (const x of [low[0], high[0]]) line([x, low[1], z], [x, high[1], z], grey);
      for (const y of [low[1], high[1]]) line([low[0], y, z], [high[0], y, z], grey); }
  });
  const buffer = gl.createBuffer();
  gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
  gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([...points, ...bars]), gl.STATIC_DRAW);
  return { buffer, lines: points.length / 6, bars: bars.length / 6 };
}

function drawFrame({ buffer, lines, bars }, view) {
  gl.useProgram(outlines.made);
  setView(outlines.uniforms, view);
  withAttributes(outlines.made, { place: [buffer, 3, 24, 0], tint: [buffer, 3, 24, 12] }, () => {
    gl.drawArrays(gl.LINES, 0, lines);
    gl.drawArrays(gl.TRIANGLES, lines, bars);
  });
}

function projected(view, p) {  // -1 to 1 across the picture, and upwards
  const q = sum(p, scaled(view.eye, -1)), depth = dot(q, view.forward);
  return [dot(q, view.right) / depth / view.slope[0], dot(q, view.up) / depth / view.slope[1]];
}

function write(text, [x, y]) {
  const label = document.createElement("div");
  label.className = "axis"; label.textContent = text;
  label.style.left = `${50 + 50 * x}%`;
  label.style.top = `${50 - 50 * y}%`;
  stage.append(label);
}

function axisNames({ low, high, shown }, view) {  // beside the lowest, or leftmost, edge of the outline
  const [count, rows, columns] = scene.stacks[shown.stack].shape;
  const texts = [`${shown.axes[2]} 0 – ${columns - 1}`, `${shown.axes[1]} 0 – ${rows - 1}`,
    `${shown.reordered ? "position" : shown.axes[0]} 0 – ${count - 1}`];
  texts.forEach((text, axis) => {
    const edges = [[0, 0], [0, 1], [1, 0], [1, 1]].map(sides => [0, 1].map(end => {
      const at = [...sides]; at.splice(axis, 0, end);
      return projected(view, at.map((side, i) => side ? high[i] : low[i]));
    }));
    const span = [edges[0][1][0] - edges[0][0][0], edges[0][1][1] - edges[0][0][1]];
    if (Math.hypot(...span) < 0.25) return;
    const away = Math.abs(span[1]) > 1.2 * Math.abs(span[0]) ? [-1, 0] : [0, -1];
    const middles = edges.map(([a, b]) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]);
    const [x, y] = middles.reduce((a, b) => dot2(b, away) > dot2(a, away) ? b : a);
    write(text, [x + 0.10 * away[0], y + 0.15 * away[1]]);
  });
}
const dot2 = (a, b) => a[0] * b[0] + a[1] * b[1];

function legend(shown) {
  const box = document.getElementById("legend"), bar = box.querySelector("canvas");
  box.hidden = !shown;
  if (!shown) return;
  const table = bytes(shown.colours), context = bar.getContext("2d"), image = context.createImageData(1, 256);
  for (let i = 0; i < 256; i++) image.data.set([table[4*i], table[4*i+1], table[4*i+2], 255], 4 * (255 - i));
  context.putImageData(image, 0, 0);
  box.querySelector("span").textContent = shown.quantity;
  box.querySelectorAll("div").forEach(old => old.remove());
  shown.labels.forEach((text, i) => {
    const label = document.createElement("div");
    label.textContent = text;
    label.style.top = `${bar.offsetTop + 220 * (1 - i / (shown.labels.length - 1))}px`;
    box.append(label);
  });
}
