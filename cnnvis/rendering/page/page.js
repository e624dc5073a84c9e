// The page: what is shown, the camera, the picture, and what the reader does.

const state = { order: 0, frame: 0, mip: false, density: 1, threshold: 0, yaw: 0, pitch: 0, zoom: 1,
  blend: 1, lines: 1, units: 1, hide: 0, depth: 0, shownClass: "none", drawing: null,
  moving: false, share: 1 };
const SLABS = 24;  // parts of a volume between which lines are drawn
const FRAME = 60, REST = 250, FEWEST = 0.03;  // ms a picture may take while it turns; ms until it is drawn in full; share
let current = null, pending = false, resting = 0;

function prepare() {
  if (scene.stacks.length) { prepareVolumes(); prepareFrames(); }
  if (scene.drawings.length) prepareNetworks();
  choose(0, scene.views[0].frame);
}

function choose(order, frameOf) {
  const view = scene.views[order], last = view.labels.length - 1;
  Object.assign(state, { order, frame: Math.min(frameOf, last) });
  const shown = view.volumes[Math.min(state.frame, view.volumes.length - 1)];
  if (current?.volume) dropVolume(current.volume);
  if (current?.cloud) dropCloud(current.cloud);
  current = { volume: shown ? makeVolume(shown) : null, cloud: view.drawing === null ? null : chooseDrawing(view.drawing) };
  const boxes = [current.volume, current.cloud?.data].filter(Boolean);
  current.low = [0, 1, 2].map(i => Math.min(...boxes.map(box => box.low[i])));
  current.high = [0, 1, 2].map(i => Math.max(...boxes.map(box => box.high[i])));
  document.querySelectorAll("#orders button").forEach((b, i) => b.setAttribute("aria-pressed", i === order));
  document.querySelector("#title b").textContent = view.titles[state.frame];
  const label = view.axis ? `${view.axis}: ${view.labels[state.frame]}` : "";
  document.querySelector("#title strong").textContent = label;
  const frames = document.getElementById("frames"), slider = frames.querySelector("input");
  frames.hidden = !last;
  frames.querySelector("span").textContent = view.axis;
  Object.assign(slider, { max: last, value: state.frame });
  slider.setAttribute("aria-valuetext", label);
  document.querySelector("#title span").textContent = view.captions[state.frame];
  document.querySelector("#title small").textContent = current.cloud ? current.cloud.drawing.notes.join("; ") : "";
  document.querySelectorAll(".of-volume").forEach(control => { control.hidden = !current.volume; });
  document.querySelectorAll(".of-network").forEach(control => { control.hidden = !current.cloud; });
  document.getElementById("blend").parentElement.hidden = !current.cloud?.drawing.bends;
  legend(shown);
  draw();
}

function chooseDrawing(index) {
  const drawing = scene.drawings[index], frame = drawing.frames[Math.min(state.frame, drawing.frames.length - 1)];
  if (state.drawing !== index) {  // its own settings, until the reader moves a slider
    Object.assign(state, { drawing: index, ...drawing.state });
    document.getElementById("blend").value = state.blend;
    document.getElementById("hide").value = Math.sqrt(state.hide);
    document.getElementById("depth").value = state.depth;
  }
  classButtons(drawing);
  const cloud = makeCloud(frame, drawing);
  tintCloud(cloud, state.shownClass);
  return cloud;
}

function camera() {
  const up0 = [0, -1, 0], c = scene.direction, { low, high } = current;
  const yaw = Math.atan2(c[0], -c[2] || 0) + state.yaw;  // -0 would be behind
  const pitch = Math.max(-1.5, Math.min(1.5, Math.asin(-c[1] / length(c)) + state.pitch));
  const direction = [Math.cos(pitch) * Math.sin(yaw), -Math.sin(pitch), -Math.cos(pitch) * Math.cos(yaw)];
  const right = unit(cross(up0, direction)), up = cross(direction, right), aspect = canvas.width / canvas.height;
  const half = Math.tan(scene.angle * Math.PI / 360), slope = [half * aspect, half];
  const centre = scaled(sum(low, high), 0.5), sides = scaled(sum(high, scaled(low, -1)), 0.5);
  const around = Math.hypot(sides[0], sides[2]), tall = sides[1] * Math.cos(pitch) + around * Math.abs(Math.sin(pitch));
  const reach = Math.max(around / slope[0], tall / slope[1]) * 1.1 + around || 1;  // as far as every yaw needs
  const eye = sum(centre, scaled(direction, reach / state.zoom));
  return { eye, right, up, forward: scaled(direction, -1), slope };
}

function turn() {  // drawn with the most important lines only, as many as the time allows, and in full at rest
  state.moving = true;
  clearTimeout(resting);
  resting = setTimeout(() => { state.moving = false; draw(); }, REST);
  draw();
}

function draw() {
  if (pending) return;
  pending = true;
  requestAnimationFrame(() => { pending = false; paint(); });
}

function depthsOf(view, { low, high }) {  // of the nearest and the farthest corner of a box
  const corners = [0, 1, 2, 3, 4, 5, 6, 7].map(n => [0, 1, 2].map(i => (n >> i & 1 ? high[i] : low[i])));
  const depths = corners.map(corner => dot(sum(corner, scaled(view.eye, -1)), view.forward));
  return [Math.min(...depths), Math.max(...depths)];
}

function paint() {
  stage.style.bottom = `${document.getElementById("controls").offsetHeight + 20}px`;  // nothing hides behind them
  const ratio = Math.min(window.devicePixelRatio || 1, 1.5);
  canvas.width = Math.max(1, Math.round(canvas.clientWidth * ratio));
  canvas.height = Math.max(1, Math.round(canvas.clientHeight * ratio));
  gl.viewport(0, 0, canvas.width, canvas.height);
  const view = { ...camera(), ratio }, paper = scene.dark ? [0.09, 0.09, 0.11] : [1, 1, 1];
  gl.clearColor(...paper, 1);
  gl.clear(gl.COLOR_BUFFER_BIT);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  if (current.cloud) paintInTime(view);
  else drawVolume(current.volume, view, [-1e9, 1e9]);
  document.querySelectorAll(".axis").forEach(old => old.remove());
  if (current.volume) { drawFrame(current.volume.frame, view); axisNames(current.volume, view); }
  if (current.cloud) layerNames(current.cloud.drawing, view);
}

function paintInTime(view) {
  const start = performance.now();
  paintNetwork(view);
  if (!state.moving) return;
  gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4));  // returns when all is drawn
  state.share = Math.min(1, Math.max(FEWEST, state.share * FRAME / (performance.now() - start)));
}

function paintNetwork(view) {  // from far to near; a volume in slabs, so that lines run through it
  const { cloud, volume } = current, whole = depthsOf(view, current), end = [0, cloud.segments.length];
  whole[1] += 1e-3 * (whole[1] - whole[0]) || 1e-6;
  sortCloud(cloud, view, whole);
  end[1] = cloud.shown;
  if (volume && state.mip) drawVolume(volume, view, [-1e9, 1e9]);
  if (!volume || state.mip) { useCloud(cloud, view, whole); drawCloud(cloud, ...end); return; }
  const [near, far] = depthsOf(view, volume), at = i => far + (near - far) * i / SLABS;
  let done = 0;
  for (let i = 0; i <= SLABS + 1; i++) {  // lines up to a slab, then the slab; at last the lines before all
    const upTo = i > SLABS ? cloud.shown : cloud.starts[bucketOf(at(i), whole)];
    useCloud(cloud, view, whole);
    drawCloud(cloud, done, upTo);
    done = Math.max(done, upTo);
    if (i < SLABS) drawVolume(volume, view, [at(i + 1), at(i)]);
  }
}

function listen() {
  const orders = document.getElementById("orders");
  if (scene.views.length > 1) scene.views.forEach((view, i) => {
    const button = document.createElement("button");
    button.textContent = view.name;
    button.addEventListener("click", () => choose(i, state.frame));
    orders.append(button);
  });
  document.querySelector("#frames input").addEventListener("input", e => choose(state.order, +e.target.value));
  const pointers = new Map();
  canvas.addEventListener("pointerdown", e => { canvas.setPointerCapture(e.pointerId); pointers.set(e.pointerId, [e.clientX, e.clientY]); });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, e => pointers.delete(e.pointerId));
  canvas.addEventListener("pointermove", e => {
    const before = pointers.get(e.pointerId);
    if (!before) return;
    if (pointers.size === 2) {
      const other = [...pointers].find(([id]) => id !== e.pointerId)[1];
      state.zoom *= Math.hypot(e.clientX - other[0], e.clientY - other[1]) / Math.hypot(before[0] - other[0], before[1] - other[1]);
    } else { state.yaw -= (e.clientX - before[0]) * 0.008; state.pitch += (e.clientY - before[1]) * 0.008; }
    pointers.set(e.pointerId, [e.clientX, e.clientY]);
    turn();
  });
  canvas.addEventListener("wheel", e => { e.preventDefault(); state.zoom *= Math.exp(-e.deltaY * 0.001); turn(); }, { passive: false });
  canvas.addEventListener("dblclick", reset);
  canvas.addEventListener("keydown", e => {
    const turns = { ArrowLeft: [0.1, 0], ArrowRight: [-0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] };
    if (turns[e.key]) { state.yaw += turns[e.key][0]; state.pitch += turns[e.key][1]; }
    else if (e.key === "+" || e.key === "=") state.zoom *= 1.1;
    else if (e.key === "-") state.zoom /= 1.1;
    else if (e.key === "Home") return reset();
    else return;
    e.preventDefault(); turn();
  });
  const asIs = x => x, power = x => 10 ** x, square = x => x * x;
  for (const [name, from] of [["density", power], ["threshold", asIs], ["blend", asIs], ["lines", power], ["units", power],
    ["hide", square], ["depth", asIs]])
    document.getElementById(name).addEventListener("input", e => { state[name] = from(+e.target.value); turn(); });
  document.getElementById("mip").addEventListener("click", e => {
    state.mip = !state.mip; e.target.setAttribute("aria-pressed", state.mip); draw(); });
  window.addEventListener("resize", draw);
}
function reset() { Object.assign(state, { yaw: 0, pitch: 0, zoom: 1 }); draw(); }

document.body.classList.toggle("dark", scene.dark);
document.title = scene.views[0].titles[0];
if (gl) { listen(); prepare(); }
