// Volumes: a ray caster that can also draw only what lies between two depths, so that lines find their place in it.

const RAY_VERTEX = `#version 300 es
in vec2 corner; out vec2 at;
void main() { at = corner; gl_Position = vec4(corner, 0.0, 1.0); }`;
const RAY_FRAGMENT = `#version 300 es
precision highp float; precision highp sampler2DArray;
uniform sampler2DArray maps; uniform sampler2D channels; uniform sampler2D colours;
uniform vec3 eye, right, up, forward, low, high, spacing;
uniform vec2 slope, depths; uniform float count, steplength, unitlength, density, threshold, smoothing; uniform bool mip, diverging;
in vec2 at; out vec4 pixel;
vec2 value(vec3 p) {  // (position on the colour map or -1, opacity factor)
  vec3 v = (p - low) / spacing - 0.5;
  vec2 uv = (p.xy - low.xy) / (high.xy - low.xy);
  float z = clamp(v.z, 0.0, count - 1.0), a = smoothing > 0.5 ? floor(z) : floor(z + 0.5), b = min(a + 1.0, count - 1.0);
  vec4 first = texelFetch(channels, ivec2(int(a), 0), 0), second = texelFetch(channels, ivec2(int(b), 0), 0);
  float t = smoothing > 0.5 ? z - a : 0.0;
  float x = texture(maps, vec3(uv, first.r)).r * 255.0, y = texture(maps, vec3(uv, second.r)).r * 255.0;
  float code = mix(x, y, t);
  return vec2(code < 0.5 ? -1.0 : (code - 1.0) / 254.0, mix(first.g, second.g, t));
}
float strength(float s) { return diverging ? abs(2.0 * s - 1.0) : s; }
vec3 colour(float s) { return texture(colours, vec2(s * 255.0 / 256.0 + 0.5 / 256.0, 0.5)).rgb; }
void main() {
  vec3 ray = normalize(forward + right * at.x * slope.x + up * at.y * slope.y);
  vec3 near = (low - eye) / ray, far = (high - eye) / ray, a = min(near, far), b = max(near, far);
  float start = max(max(a.x, a.y), max(a.z, 0.0)), stop = min(b.x, min(b.y, b.z)), along = dot(ray, forward);
  pixel = vec4(0.0);
  if (stop <= start) return;
  float jitter = fract(sin(dot(gl_FragCoord.xy, vec2(12.9898, 78.233))) * 43758.5453);
  float first = start + jitter * steplength;  // the same steps, however many slices the depths make
  first += max(0.0, ceil((depths.x / along - first) / steplength)) * steplength;
  stop = min(stop, depths.y / along);
  vec3 light = vec3(0.0); float through = 1.0, best = -1.0; vec2 bestValue = vec2(0.0);
  for (float t = first; t < stop && through > 0.005; t += steplength) {
    vec2 s = value(eye + t * ray);
    if (s.x < 0.0 || strength(s.x) < threshold) continue;
    if (mip) { if (strength(s.x) * s.y > best) { best = strength(s.x) * s.y; bestValue = s; } continue; }
    vec4 c = texture(colours, vec2(s.x * 255.0 / 256.0 + 0.5 / 256.0, 0.5));
    float alpha = 1.0 - pow(1.0 - min(0.9 * c.a * s.y, 0.999), density * steplength / unitlength);
    light += through * alpha * c.rgb; through *= 1.0 - alpha;
  }
  if (mip) { best = clamp(best, 0.0, 1.0); pixel = vec4(best * colour(bestValue.x), best); }
  else pixel = vec4(light, 1.0 - through);
}`;

let rays, corner, stacks = [];

function prepareVolumes() {
  rays = program(RAY_VERTEX, RAY_FRAGMENT);
  corner = gl.createBuffer();
  gl.bindBuffer(gl.ARRAY_BUFFER, corner);
  gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 3, -1, -1, 3]), gl.STATIC_DRAW);
  stacks = scene.stacks.map(stack => texture(gl.TEXTURE_2D_ARRAY, gl.NEAREST, () => {
    const [count, rows, columns] = stack.shape;
    gl.texImage3D(gl.TEXTURE_2D_ARRAY, 0, gl.R8, columns, rows, count, 0, gl.RED, gl.UNSIGNED_BYTE, bytes(stack.data));
  }));
}

function makeVolume(shown) {
  const [count, rows, columns] = scene.stacks[shown.stack].shape, table = new Float32Array(4 * count);
  shown.channels.forEach((channel, i) => { table[4*i] = channel; table[4*i+1] = shown.factors[i]; });
  const low = shown.origin.map((x, i) => x - shown.spacing[i] / 2);
  const high = low.map((x, i) => x + [columns, rows, count][i] * shown.spacing[i]);
  return { shown, count, low, high, frame: frame({ shown, low, high }),
    channels: texture(gl.TEXTURE_2D, gl.NEAREST, () =>
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA32F, count, 1, 0, gl.RGBA, gl.FLOAT, table)),
    colours: texture(gl.TEXTURE_2D, gl.LINEAR, () =>
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, bytes(shown.colours))) };
}

function dropVolume(volume) {
  gl.deleteTexture(volume.channels); gl.deleteTexture(volume.colours); gl.deleteBuffer(volume.frame.buffer);
}

function drawVolume(volume, view, depths) {
  const { shown, count, low, high } = volume, u = rays.uniforms, sides = high.map((x, i) => x - low[i]);
  gl.useProgram(rays.made);
  setView(u, view);
  gl.uniform3fv(u.low, low); gl.uniform3fv(u.high, high); gl.uniform3fv(u.spacing, shown.spacing);
  gl.uniform2fv(u.depths, depths); gl.uniform1f(u.count, count);
  const smooth = shown.linear && !scene.stacks[shown.stack].missing;
  gl.uniform1f(u.steplength, Math.max(Math.min(...shown.spacing) / (smooth ? 1.5 : 4), length(sides) / 600));
  gl.uniform1f(u.unitlength, scene.absorption * (sides[0] + sides[1] + sides[2]) / 3 / shown.density);
  gl.uniform1f(u.density, state.density); gl.uniform1f(u.threshold, state.threshold);
  gl.uniform1f(u.smoothing, smooth ? 1 : 0);
  gl.uniform1i(u.mip, state.mip); gl.uniform1i(u.diverging, shown.diverging);
  bind(u, [[gl.TEXTURE_2D_ARRAY, stacks[shown.stack], "maps"], [gl.TEXTURE_2D, volume.channels, "channels"],
    [gl.TEXTURE_2D, volume.colours, "colours"]]);
  for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])  // a voxel is blended within its map and beyond, or not at all
    gl.texParameteri(gl.TEXTURE_2D_ARRAY, name, smooth ? gl.LINEAR : gl.NEAREST);
  withAttributes(rays.made, { corner: [corner, 2, 0, 0] }, () => gl.drawArrays(gl.TRIANGLES, 0, 3));
}
