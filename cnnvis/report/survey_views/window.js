"use strict";

// The page itself: its canvases and controls, and what is looked at. What is drawn and said comes from the other files.

const VIEWS = {
  grid: { draw: drawGrid, mark: markGrid },
  matrix: { draw: drawMatrix, mark: markMatrix },
  graph: { draw: drawGraph, mark: markGraph },
};

class SurveyPage {
  constructor(document, window) {
    this.document = document;
    this.window = window;
    this.data = unpack(JSON.parse(this.find("data").textContent));
    const last = Math.max(0, this.data.layers.length - 2); // the last one gives the scores
    this.state = { image: this.data.images.length ? 0 : -1, layer: last, selected: [], hovered: null };
    this.timer = null;
    this.drawn = {}; // each view without its marks
    this.fill();
    this.listenToViews();
    this.listenToControls();
    this.paintImage();
    this.open(last);
  }

  find(name) {
    return this.document.getElementById(name);
  }

  element(tag, text) {
    const made = this.document.createElement(tag);
    made.textContent = text;
    return made;
  }

  // What does not change: the layers to choose from, the colours, the note, the size of a grid that is scrolled.
  fill() {
    this.data.layers.forEach((layer, index) => {
      const option = this.element("option", `${layer.name} (${layer.n})`);
      option.value = String(index);
      this.find("layer").append(option);
    });
    for (const name of ["back", "play", "next"]) this.find(name).disabled = this.data.images.length < 2;
    const scale = this.find("scale").getContext("2d");
    for (let x = 0; x < 128; x += 1) {
      scale.fillStyle = colour(this.data.colours, 2 * x);
      scale.fillRect(x, 0, 1, 10);
    }
    const { width, height } = gridRoom(this.data.layers);
    this.find("grid").style.width = `${width}px`;
    this.find("grid").style.height = `${height}px`;
    this.find("note").textContent = this.data.note;
  }

  // ---------------------------------------------------------------- painting

  // The context of a canvas as sharp as the screen, and its size in CSS pixels.
  fitted(canvas, { width, height }) {
    const density = this.window.devicePixelRatio || 1;
    canvas.width = Math.round(width * density);
    canvas.height = Math.round(height * density);
    const context = canvas.getContext("2d");
    context.setTransform(density, 0, 0, density, 0, 0);
    return context;
  }

  sizeOf(name) {
    const { clientWidth: width, clientHeight: height } = this.find(name);
    return { width, height };
  }

  get style() {
    const colours = this.window.getComputedStyle(this.document.documentElement);
    const value = (name) => colours.getPropertyValue(name).trim();
    return { ink: value("--ink"), quiet: value("--quiet"), mark: value("--mark"), paper: value("--paper") };
  }

  // Draws views anew, with their marks.
  paint(names) {
    for (const name of names) {
      const size = this.sizeOf(name);
      this.drawn[name] = this.drawn[name] || this.document.createElement("canvas");
      VIEWS[name].draw(this.fitted(this.drawn[name], size), this.data, this.state, size, this.style);
    }
    this.mark();
  }

  // Puts the marks onto the views as they were drawn last, and shows what they are about.
  mark() {
    for (const name of Object.keys(VIEWS)) {
      const size = this.sizeOf(name);
      const context = this.fitted(this.find(name), size);
      context.drawImage(this.drawn[name], 0, 0, size.width, size.height);
      VIEWS[name].mark(context, this.data, this.state, size, this.style);
    }
    this.paintMaps();
    this.tell();
  }

  paintPicture(canvas, width, height, pixels) {
    canvas.width = width;
    canvas.height = height;
    canvas.getContext("2d").putImageData(new this.window.ImageData(pixels, width, height), 0, 0);
  }

  paintImage() {
    this.find("answers").replaceChildren();
    if (this.state.image < 0) return;
    const image = this.data.images[this.state.image];
    this.paintPicture(this.find("input"), image.width, image.height, rgba(image.pixels, null));
    for (const answer of image.probabilities.length ? answersOf(this.data, this.state.image, 4) : []) {
      const line = this.document.createElement("li");
      const role = [answer.isPredicted ? "predicted" : "", answer.isTrue ? "true" : ""].filter(Boolean);
      line.className = role.join(" ");
      const name = role.length ? `${answer.text} (${role.join(", ")})` : answer.text;
      line.append(this.element("span", name), this.element("span", answer.share));
      this.find("answers").append(line);
    }
  }

  // The map of the channel that is pointed at, and beside it those of the pinned ones.
  paintMaps() {
    const [image] = this.find("pictures").children;
    this.find("pictures").replaceChildren(image, ...shownMaps(this.state).map((shown) => this.mapFigure(shown)));
  }

  mapFigure({ unit, role }) {
    const figure = this.document.createElement("figure");
    const canvas = this.document.createElement("canvas");
    const map = unit ? mapOf(this.data, this.state.image, unit) : { text: "point at a channel to see its map", pixels: null };
    const text = unit ? `${role}: ${map.text}` : map.text;
    if (map.pixels) this.paintPicture(canvas, map.width, map.height, map.pixels);
    figure.className = role === "pinned" ? "pinned" : "";
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", text);
    figure.append(canvas, this.element("figcaption", text));
    return figure;
  }

  // Says what is known of the channel under the mouse, else of the one that was pinned last.
  tell() {
    const { data, state } = this;
    const unit = state.hovered || state.selected[state.selected.length - 1];
    const hint = "Point at a cell, a row of the matrix or a dot of the graph; a click pins it, with Ctrl or Cmd also.";
    const lines = unit ? factsOf(data, state.image, unit) : [["", hint]];
    const entries = lines.map(([name, value]) => [this.element("dt", name), this.element("dd", value)]);
    this.find("channel").replaceChildren(...[].concat(...entries));
    this.find("about").textContent = unit ? `Channel ${state.hovered ? "pointed at" : "pinned"}` : "Channel";
    const image = state.image < 0 ? null : data.images[state.image];
    const place = image && `${image.name} (${state.image + 1} of ${data.images.length})`;
    this.find("shown").textContent = place || `Means over ${data.nImages} images`;
  }

  // ---------------------------------------------------------------- what is looked at

  point(unit) {
    if (same(unit, this.state.hovered) || (!unit && !this.state.hovered)) return;
    this.state.hovered = unit;
    this.mark();
  }

  show(layer) {
    this.state.layer = layer;
    this.find("layer").value = String(layer);
    this.paint(Object.keys(VIEWS));
  }

  // Shows a layer that was named, and where it stands in the grid.
  open(layer) {
    this.show(layer);
    this.reveal({ layer, channel: 0 });
  }

  choose(unit, adding) {
    this.state.selected = selected(this.state.selected, unit, adding);
    if (unit && unit.layer !== this.state.layer) this.show(unit.layer);
    else this.mark();
    if (unit) this.reveal(unit);
  }

  look(by) {
    const count = this.data.images.length;
    if (!count) return;
    this.state.image = (this.state.image + by + count) % count;
    this.paintImage();
    this.paint(["grid"]);
  }

  play(on) {
    this.window.clearInterval(this.timer);
    this.timer = on ? this.window.setInterval(() => this.look(1), 1000 / Number(this.find("speed").value)) : null;
    this.find("play").textContent = on ? "Pause" : "Play";
    this.find("play").setAttribute("aria-pressed", String(on));
  }

  // ---------------------------------------------------------------- hands

  // The channel at a place of a view; null where there is none.
  unitAt(name, x, y) {
    const { width, height } = this.sizeOf(name);
    const { layers } = this.data;
    if (name === "grid") return unitAtCell(layers, gridCell(layers, width, height), x, y);
    const { groups } = layers[this.state.layer];
    if (!groups) return null;
    const row = Math.floor((y / height) * groups.side);
    const channel = name === "matrix" ? channelAtRow(groups, row) : nearest(graphPlaces(groups, width), x, y, 12);
    return channel < 0 ? null : { layer: this.state.layer, channel };
  }

  listenToViews() {
    for (const name of Object.keys(VIEWS)) {
      const canvas = this.find(name);
      const at = (event) => this.unitAt(name, event.offsetX, event.offsetY);
      canvas.addEventListener("mousemove", (event) => this.point(at(event)));
      canvas.addEventListener("mouseleave", () => this.point(null));
      canvas.addEventListener("click", (event) => this.choose(at(event), isAdding(event)));
      canvas.addEventListener("keydown", (event) => this.press(event));
    }
  }

  press(event) {
    const { hovered, selected: chosen } = this.state;
    const unit = moved(this.data.layers, hovered || chosen[chosen.length - 1], event.key);
    if (unit) {
      this.point(unit);
      this.reveal(unit);
    } else if (event.key === "Enter" && hovered) {
      this.choose(hovered, isAdding(event));
    } else {
      return;
    }
    event.preventDefault();
  }

  // Scrolls the grid to a channel that was reached by keys, or chosen elsewhere.
  reveal(unit) {
    const { width, height } = this.sizeOf("grid");
    const cell = gridCell(this.data.layers, width, height);
    const { x, y } = cellOf(cell, unit.layer, unit.channel);
    const frame = this.find("frame");
    frame.scrollLeft = scrolled(frame.scrollLeft, frame.clientWidth, x, cell.width);
    frame.scrollTop = scrolled(frame.scrollTop, frame.clientHeight, y, cell.height);
  }

  listenToControls() {
    this.find("layer").addEventListener("change", (event) => this.open(Number(event.target.value)));
    this.find("back").addEventListener("click", () => this.look(-1));
    this.find("next").addEventListener("click", () => this.look(1));
    this.find("play").addEventListener("click", () => this.play(this.timer === null));
    this.find("speed").addEventListener("change", () => this.play(this.timer !== null));
    this.find("clear").addEventListener("click", () => this.choose(null, false));
    const paint = () => this.paint(Object.keys(VIEWS));
    this.window.addEventListener("resize", paint);
    this.window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  }
}

new SurveyPage(document, window);
