// Bundled networks: lines and units as flat shapes that face the viewer, sorted by depth for every picture, so that
// translucency is right. All sliders are uniforms; only another choice of classes mixes the colours anew.

const WIDTH = 2048, LOOKS = 8, BUCKETS = 65536;
const THINNEST = 0.75, ROUND = 3;  // pixels of radius: what is thinner is drawn as wide and fainter; from which a figure looks round

const SHAPE_VERTEX = `#version 300 es
precision highp float; precision highp int; precision highp sampler2D;
uniform sampler2D bundled, straight, tint;  // by point: place and importance; straight place and look; colour and share
uniform vec3 eye, right, up, forward; uniform vec2 slope, pixels, depths; uniform float blend, thinnest;
uniform vec4 shape[${LOOKS}], fade[${LOOKS}], light[${LOOKS}];  // (radius, 1 where it grows with importance, 1 for units, opacity), (importance, depth, exponent, base), (right, up, to the viewer, share)
in uint segment;  // the number of its first point
out vec4 colour; out vec4 place;  // across and along, half width, in pixels; how round it looks
flat out vec3 edge;  // exponent, base, what all is multiplied by
flat out vec4 lit;  // light on what faces across, along and the viewer; its share of the brightness
ivec2 at(uint i) { return ivec2(int(i % ${WIDTH}u), int(i / ${WIDTH}u)); }
vec3 seen(uint i) {
  vec3 p = mix(texelFetch(straight, at(i), 0).xyz, texelFetch(bundled, at(i), 0).xyz, blend) - eye;
  return vec3(dot(p, right) / slope.x, dot(p, up) / slope.y, dot(p, forward));
}
void main() {
  int look = int(texelFetch(straight, at(segment), 0).w);
  bool isUnit = shape[look].z > 0.5;
  uint other = isUnit ? segment : segment + 1u;
  vec3 a = seen(segment), b = seen(other);
  float nearest = 0.02 * depths.y;
  gl_Position = vec4(2.0, 2.0, 2.0, 1.0);  // out of sight
  if (max(a.z, b.z) < nearest) return;
  if (a.z < nearest) a = mix(a, b, (nearest - a.z) / (b.z - a.z));
  if (b.z < nearest) b = mix(b, a, (nearest - b.z) / (a.z - b.z));
  vec2 pa = a.xy / a.z * pixels * 0.5, pb = b.xy / b.z * pixels * 0.5, way = pb - pa;
  vec2 direction = length(way) > 1e-4 ? normalize(way) : vec2(1.0, 0.0), normal = vec2(-direction.y, direction.x);
  bool atEnd = (gl_VertexID & 1) == 1; float side = gl_VertexID < 2 ? -1.0 : 1.0;
  uint mine = atEnd ? other : segment; vec3 here = atEnd ? b : a; vec2 p = atEnd ? pb : pa;
  float importance = texelFetch(bundled, at(mine), 0).w; vec4 own = texelFetch(tint, at(mine), 0);
  float radius = shape[look].x * mix(1.0, importance, shape[look].y) * pixels.y * 0.5 / slope.y / here.z;
  float half_ = max(radius, thinnest), isRound = clamp((half_ / thinnest * ${THINNEST} - 1.0) / ${ROUND - 1}.0, 0.0, 1.0);
  place = vec4(side * (half_ + 1.0), isUnit ? (atEnd ? 1.0 : -1.0) * (half_ + 1.0) : 0.0, half_, shape[look].y * isRound);
  p += normal * place.x + direction * place.y;
  lit = vec4(dot(normal, light[look].xy), dot(direction, light[look].xy), light[look].zw);
  float nearness = clamp((depths.y - here.z) / max(depths.y - depths.x, 1e-6), 0.0, 1.0);
  float alpha = max(1.0 - fade[look].x + fade[look].x * importance, 0.0) * own.a * (1.0 - fade[look].y + fade[look].y * nearness);
  colour = vec4(own.rgb, alpha); edge = vec3(fade[look].z, fade[look].w, radius / half_ * shape[look].w);
  gl_Position = vec4(p / (pixels * 0.5) * here.z, 0.0, here.z);
}`;
const SHAPE_FRAGMENT = `#version 300 es
precision highp float; in vec4 colour; in vec4 place; flat in vec3 edge; flat in vec4 lit; out vec4 pixel;
void main() {
  float away = length(place.xy), half_ = place.z;
  float facing = sqrt(max(1.0 - away * away / (half_ * half_), 0.0));
  float alpha = colour.a * mix(1.0, pow(facing, edge.x), place.w) * (1.0 - edge.y) + edge.y;
  alpha = min(clamp(alpha, 0.0, 1.0) * edge.z, 1.0) * clamp(half_ + 0.5 - away, 0.0, 1.0);
  float brightness = 1.0 - lit.w + lit.w * max(dot(vec3(place.xy / half_, facing), lit.xyz), 0.0);
  pixel = vec4(colour.rgb * mix(1.0, brightness, place.w) * alpha, alpha);
}`;

let shapes;

function prepareNetworks() { shapes = program(SHAPE_VERTEX, SHAPE_FRAGMENT); }

function pointTexture(format, kind, values) {  // four numbers per point, in rows
  const rows = Math.max(1, Math.ceil(values.length / 4 / WIDTH)), filled = new values.constructor(4 * WIDTH * rows);
  filled.set(values);
  return texture(gl.TEXTURE_2D, gl.NEAREST, () =>
    gl.texImage2D(gl.TEXTURE_2D, 0, format, WIDTH, rows, 0, gl.RGBA, kind, filled));
}

function makeCloud(data, drawing) {
  const counts = shorts(data.counts), looks = bytes(data.looks), codes = shorts(data.places), t = shorts(data.t);
  const strength = shorts(data.strength), importance = shorts(data.importance), n = t.length;
  const bundled = new Float32Array(4 * n), straight = new Float32Array(4 * n);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < 3; k++) bundled[4*i+k] = data.low[k] + codes[3*i+k] / 65535 * (data.high[k] - data.low[k]);
    bundled[4*i+3] = importance[i] / 65535;
  }
  const segments = [], ranks = [], owners = [], radii = [];
  for (let line = 0, start = 0; line < counts.length; start += counts[line++]) {
    const last = start + counts[line] - 1, look = drawing.looks[looks[line]], isUnit = look.unit;
    for (let i = start; i <= last; i++) {
      for (let k = 0; k < 3; k++) straight[4*i+k] = bundled[4*start+k] + t[i] / 65535 * (bundled[4*last+k] - bundled[4*start+k]);
      straight[4*i+3] = looks[line];
      if (isUnit || i < last) {
        segments.push(i); ranks.push(strength[line] / 65535); owners.push(looks[line]);
        radii.push(isUnit ? look.radius * (look.grows ? importance[i] / 65535 : 1) : 0);
      }
    }
  }
  const cloud = { data, drawing, n, bundled, straight, segments: new Uint32Array(segments), ranks: new Float32Array(ranks),
    owners: new Uint8Array(owners), radii: new Float32Array(radii), order: new Uint32Array(segments.length), starts: new Uint32Array(BUCKETS + 1),
    buffer: gl.createBuffer(), vertices: gl.createVertexArray(), shown: 0,
    textures: [pointTexture(gl.RGBA32F, gl.FLOAT, bundled), pointTexture(gl.RGBA32F, gl.FLOAT, straight), null] };
  gl.bindVertexArray(cloud.vertices);
  gl.bindBuffer(gl.ARRAY_BUFFER, cloud.buffer);
  gl.bufferData(gl.ARRAY_BUFFER, Math.max(4 * segments.length, 4), gl.DYNAMIC_DRAW);
  gl.enableVertexAttribArray(gl.getAttribLocation(shapes.made, "segment"));
  gl.vertexAttribDivisor(gl.getAttribLocation(shapes.made, "segment"), 1);
  gl.bindVertexArray(null);
  cloud.mids = middles(cloud);
  return cloud;
}

function dropCloud(cloud) {
  cloud.textures.forEach(made => gl.deleteTexture(made));
  gl.deleteBuffer(cloud.buffer); gl.deleteVertexArray(cloud.vertices);
}

function middles({ segments, owners, drawing, bundled, straight }) {  // of each segment: bundled x y z, straight x y z
  const found = new Float32Array(6 * segments.length);
  segments.forEach((a, i) => {
    const b = drawing.looks[owners[i]].unit ? a : a + 1;
    for (let k = 0; k < 3; k++) {
      found[6*i+k] = (bundled[4*a+k] + bundled[4*b+k]) / 2;
      found[6*i+3+k] = (straight[4*a+k] + straight[4*b+k]) / 2;
    }
  });
  return found;
}

function tintCloud(cloud, shownClass) {  // "none", "all" or the number of a class
  const { n, data, drawing } = cloud, colours = drawing.colours, K = colours.length;
  const tint = new Uint8ClampedArray(4 * n), shares = data.shares ? bytes(data.shares) : null;
  const one = shares && colours[shownClass], mixed = shares && shownClass === "all";
  for (let i = 0; i < n; i++) {
    const rgb = mixed ? [0, 0, 0] : one || drawing.plain;
    let left = 1;  // the share of no class
    for (let c = 0; mixed && c < K; c++) {
      left -= shares[K*i+c] / 255;
      for (let k = 0; k < 3; k++) rgb[k] += colours[c][k] * shares[K*i+c] / 255;
    }
    for (let k = 0; mixed && k < 3; k++) rgb[k] += Math.max(left, 0) * drawing.grey[k];
    for (let k = 0; k < 3; k++) tint[4*i+k] = 255 * rgb[k];
    tint[4*i+3] = one ? shares[K*i+shownClass] : 255;
  }
  gl.deleteTexture(cloud.textures[2]);
  cloud.textures[2] = pointTexture(gl.RGBA8, gl.UNSIGNED_BYTE, new Uint8Array(tint.buffer));
}

const bucketOf = (depth, [near, far]) => Math.min(BUCKETS - 1, Math.max(0, Math.floor((far - depth) / (far - near) * BUCKETS)));

function sortCloud(cloud, view, depths) {  // farthest first: a counting sort over 65,536 depths; a unit by its nearest point
  const { segments, mids, ranks, owners, radii, order, starts, drawing } = cloud, n = segments.length, s = state.blend;
  const [x, y, z] = view.forward, offset = dot(view.eye, view.forward), buckets = new Uint16Array(n);
  const least = state.moving ? ranks.length - Math.ceil(state.share * ranks.length) : 0;  // in order of importance
  const hidden = drawing.looks.map(look => look.unit ? look.threshold : state.hide);
  starts.fill(0);
  for (let i = 0; i < n; i++) {
    if (ranks[i] < hidden[owners[i]] || i < least) continue;
    const at = 6 * i, depth = s * (x * mids[at] + y * mids[at+1] + z * mids[at+2]) +
      (1 - s) * (x * mids[at+3] + y * mids[at+4] + z * mids[at+5]) - offset - radii[i];
    starts[(buckets[i] = bucketOf(depth, depths)) + 1]++;
  }
  for (let b = 0; b < BUCKETS; b++) starts[b + 1] += starts[b];
  const next = starts.slice();
  for (let i = 0; i < n; i++) if (ranks[i] >= hidden[owners[i]] && i >= least) order[next[buckets[i]]++] = segments[i];
  cloud.shown = starts[BUCKETS];
  gl.bindBuffer(gl.ARRAY_BUFFER, cloud.buffer);
  gl.bufferSubData(gl.ARRAY_BUFFER, 0, order, 0, cloud.shown);
}

function useCloud(cloud, view, depths) {
  const u = shapes.uniforms, pad = list => new Float32Array(4 * LOOKS).map((_, i) => list.flat()[i] || 0);
  gl.useProgram(shapes.made);
  setView(u, view);
  gl.uniform2f(u.pixels, canvas.width, canvas.height); gl.uniform2fv(u.depths, depths);
  gl.uniform1f(u.blend, state.blend); gl.uniform1f(u.thinnest, THINNEST * view.ratio);
  gl.uniform4fv(u["shape[0]"], pad(cloud.drawing.looks.map(look => [look.radius, look.grows ? 1 : 0, look.unit ? 1 : 0,
    look.opacity * (look.unit ? state.units : state.lines)])));
  gl.uniform4fv(u["fade[0]"], pad(cloud.drawing.looks.map(look => [look.importance, state.depth, look.exponent, look.base])));
  gl.uniform4fv(u["light[0]"], pad(cloud.drawing.looks.map(look => look.light)));
  bind(u, [[gl.TEXTURE_2D, cloud.textures[0], "bundled"], [gl.TEXTURE_2D, cloud.textures[1], "straight"],
    [gl.TEXTURE_2D, cloud.textures[2], "tint"]]);
}

function drawCloud(cloud, from, to) {  // the segments from one place in the order to another; after useCloud
  if (from >= to) return;
  gl.bindVertexArray(cloud.vertices);
  gl.bindBuffer(gl.ARRAY_BUFFER, cloud.buffer);
  gl.vertexAttribIPointer(gl.getAttribLocation(shapes.made, "segment"), 1, gl.UNSIGNED_INT, 0, 4 * from);
  gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, to - from);
  gl.bindVertexArray(null);
}

function layerNames(drawing, view) {
  drawing.labels.forEach(([text, place]) => write(text, projected(view, place)));
}

function classButtons(drawing) {
  const box = document.getElementById("classes"), chosen = [["none", "one colour", null], ["all", "all colours", null],
    ...drawing.classes.map((name, i) => [i, name, drawing.colours[i]])];
  box.replaceChildren(...(drawing.classes.length ? chosen : []).map(([value, name, colour]) => {
    const button = document.createElement("button");
    button.setAttribute("aria-pressed", String(value === state.shownClass));
    if (colour) {
      const swatch = document.createElement("i");
      swatch.style.background = `rgb(${colour.map(x => Math.round(255 * x)).join(" ")})`;
      button.append(swatch);
    }
    button.append(name);
    button.addEventListener("click", () => {
      state.shownClass = value;
      tintCloud(current.cloud, value); classButtons(drawing); draw();
    });
    return button;
  }));
}
