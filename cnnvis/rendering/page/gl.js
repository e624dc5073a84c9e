// Small helpers: vectors, and what WebGL makes long.

const length = v => Math.hypot(...v);
const scaled = (v, s) => v.map(x => x * s);
const sum = (a, b) => a.map((x, i) => x + b[i]);
const cross = (a, b) => [a[1]*b[2]-a[2]*b[1], a[2]*b[0]-a[0]*b[2], a[0]*b[1]-a[1]*b[0]];
const dot = (a, b) => a[0]*b[0] + a[1]*b[1] + a[2]*b[2];
const unit = v => scaled(v, 1 / length(v));

function bytes(text) {
  const letters = atob(text), found = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) found[i] = letters.charCodeAt(i);
  return found;
}
const shorts = text => new Uint16Array(bytes(text).buffer);

function program(vertex, fragment) {
  const made = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text); gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  const uniforms = {};
  for (let i = 0; i < gl.getProgramParameter(made, gl.ACTIVE_UNIFORMS); i++) {
    const name = gl.getActiveUniform(made, i).name;
    uniforms[name] = gl.getUniformLocation(made, name);
  }
  return { made, uniforms };
}

function texture(target, filter, fill) {
  const made = gl.createTexture();
  gl.bindTexture(target, made);
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  fill();
  for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(target, name, filter);
  for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(target, name, gl.CLAMP_TO_EDGE);
  return made;
}

function bind(uniforms, textures) {  // [[target, texture, name of the sampler]]
  textures.forEach(([target, made, name], i) => {
    gl.activeTexture(gl.TEXTURE0 + i); gl.bindTexture(target, made); gl.uniform1i(uniforms[name], i);
  });
  gl.activeTexture(gl.TEXTURE0);
}

function withAttributes(made, attributes, draw) {  // {name: [buffer, size, stride, offset]}, for one drawing only
  const places = Object.entries(attributes).map(([name, [buffer, size, stride, offset]]) => {
    const place = gl.getAttribLocation(made, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, size, gl.FLOAT, false, stride, offset);
    return place;
  });
  draw();
  places.forEach(place => gl.disableVertexAttribArray(place));  // else what another drawing deletes is missed
}

function setView(uniforms, view) {
  for (const name of ["eye", "right", "up", "forward"]) gl.uniform3fv(uniforms[name], view[name]);
  gl.uniform2fv(uniforms.slope, view.slope);
}
