"use strict";

// ---------------------------------------------------------------- data

const PER_ROW = 8;
const NAME_HEIGHT = 32;
const LARGEST_CELL = 16;
const LEAST_CELL = { width: 5, height: 4 };
const MOST_PINNED = 4;

function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function floats(text) {
  return new Float32Array(bytes(text).buffer);
}

// Base64 becomes arrays, once.
function unpack(data) {
  const unpackGroups = (groups) => Object.assign({}, groups, {
    matrix: bytes(groups.matrix),
    places: floats(groups.places),
    ends: new Uint16Array(bytes(groups.ends).buffer),
    weights: bytes(groups.weights),
  });
  const layers = data.layers.map((layer) => Object.assign({}, layer, {
    mean: floats(layer.mean),
    std: floats(layer.std),
    groups: layer.groups && unpackGroups(layer.groups),
  }));
  const unpackMap = (map) => Object.assign({}, map, { low: floats(map.low), high: floats(map.high), levels: bytes(map.levels) });
  const images = data.images.map((image) => Object.assign({}, image, {
    pixels: bytes(image.pixels),
    averages: image.averages.map(floats),
    maps: image.maps.map((map) => map && unpackMap(map)),
  }));
  return Object.assign({}, data, { layers, images, colours: bytes(data.colours), signed: bytes(data.signed) });
}

// Averages that are shown of a layer: of the image that is looked at, else over all.
function averagesOf(data, image, layer) {
  return image < 0 ? data.layers[layer].mean : data.images[image].averages[layer];
}

// Each value by its size as a share of the largest; one that is not finite has none.
function shares(values) {
  let largest = 0;
  for (const value of values) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  return Array.from(values, (value) => (Number.isFinite(value) && largest > 0 ? Math.abs(value) / largest : 0));
}

function colour(table, level) {
  const start = 3 * Math.max(0, Math.min(255, Math.round(level)));
  return `rgb(${table[start]},${table[start + 1]},${table[start + 2]})`;
}

// ---------------------------------------------------------------- where things are

// A block of eight columns for each layer, and one column behind it.
function gridShape(layers) {
  return { columns: layers.length * (PER_ROW + 1), rows: Math.max(...layers.map((layer) => Math.ceil(layer.n / PER_ROW))) };
}

// Width and height that the grid needs to be legible.
function gridRoom(layers) {
  const { columns, rows } = gridShape(layers);
  return { width: columns * LEAST_CELL.width, height: NAME_HEIGHT + rows * LEAST_CELL.height };
}

// Width and height of a cell of the grid.
function gridCell(layers, width, height) {
  const { columns, rows } = gridShape(layers);
  return { width: Math.min(width / columns, LARGEST_CELL), height: Math.min((height - NAME_HEIGHT) / rows, LARGEST_CELL) };
}

function cellOf(cell, layer, channel) {
  const column = layer * (PER_ROW + 1) + (channel % PER_ROW);
  return { x: column * cell.width, y: NAME_HEIGHT + Math.floor(channel / PER_ROW) * cell.height };
}

// Where a window of this length must begin so that it shows what is at a place; as it was where it does.
function scrolled(start, length, place, size) {
  return place < start ? place : Math.max(start, place + size - length);
}

function unitAtCell(layers, cell, x, y) {
  const column = Math.floor(x / cell.width);
  const row = Math.floor((y - NAME_HEIGHT) / cell.height);
  const layer = Math.floor(column / (PER_ROW + 1));
  const inside = column - layer * (PER_ROW + 1);
  if (row < 0 || inside === PER_ROW || layer < 0 || layer >= layers.length) return null;
  const channel = row * PER_ROW + inside;
  return channel < layers[layer].n ? { layer, channel } : null;
}

// Row of the matrix that a channel stands in; several share one where the matrix was made smaller.
function rowOf(groups, channel) {
  const { order, side } = groups;
  return Math.floor(((order.indexOf(channel) + 1) * side - 1) / order.length);
}

function channelAtRow(groups, row) {
  const { order, side } = groups;
  return row < 0 || row >= side ? -1 : order[Math.floor((row * order.length) / side)];
}

// Places of the graph on a square of this size, as pairs.
function graphPlaces(groups, size) {
  const margin = 12;
  const n = groups.order.length;
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let index = 0; index < n; index += 1) {
    left = Math.min(left, groups.places[2 * index]);
    right = Math.max(right, groups.places[2 * index]);
    top = Math.min(top, groups.places[2 * index + 1]);
    bottom = Math.max(bottom, groups.places[2 * index + 1]);
  }
  const scale = (size - 2 * margin) / Math.max(right - left, bottom - top, 1e-9);
  return Array.from({ length: n }, (_, index) => [
    size / 2 + (groups.places[2 * index] - (left + right) / 2) * scale,
    size / 2 - (groups.places[2 * index + 1] - (top + bottom) / 2) * scale,
  ]);
}

function nearest(places, x, y, within) {
  let found = -1;
  let least = within * within;
  places.forEach((place, index) => {
    const distance = (place[0] - x) ** 2 + (place[1] - y) ** 2;
    if (distance <= least) {
      found = index;
      least = distance;
    }
  });
  return found;
}

// ---------------------------------------------------------------- what is selected

function same(first, second) {
  return Boolean(first && second) && first.layer === second.layer && first.channel === second.channel;
}

// Whether a click or a key adds to what is selected: Ctrl, and Cmd where there is one.
function isAdding(event) {
  return Boolean(event.ctrlKey || event.metaKey);
}

// What is selected after a click; with `adding` the unit is put to the others, or taken out.
function selected(units, unit, adding) {
  if (unit === null) return adding ? units : [];
  if (!adding) return [unit];
  return units.some((other) => same(other, unit)) ? units.filter((other) => !same(other, unit)) : [...units, unit];
}

// The channel a key leads to; null where the key leads nowhere.
function moved(layers, unit, key) {
  const from = unit || { layer: 0, channel: 0 };
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -PER_ROW, ArrowDown: PER_ROW };
  if (!Object.keys(steps).includes(key)) return null;
  const side = from.channel % PER_ROW;
  let { layer } = from;
  let channel = from.channel + steps[key];
  if (key === "ArrowLeft" && side === 0) [layer, channel] = [layer - 1, from.channel + PER_ROW - 1];
  if (key === "ArrowRight" && side === PER_ROW - 1) [layer, channel] = [layer + 1, from.channel - PER_ROW + 1];
  if (layer < 0 || layer >= layers.length || channel < 0) return from;
  return { layer, channel: Math.min(channel, layers[layer].n - 1) };
}

// ---------------------------------------------------------------- what is said

function number(value) {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : "not finite";
}

function factsOf(data, image, unit) {
  const layer = data.layers[unit.layer];
  const group = layer.groups ? layer.groups.labels[unit.channel] : null;
  const facts = [["layer", layer.name], ["channel", String(unit.channel)]];
  if (group !== null) facts.push(["group", group < 0 ? "none" : String(group)]);
  if (image >= 0) {
    const average = averagesOf(data, image, unit.layer)[unit.channel];
    facts.push([`average of ${data.images[image].name}`, number(average)]);
    const spread = layer.std[unit.channel];
    if (spread > 0) facts.push(["spreads from the mean", number((average - layer.mean[unit.channel]) / spread)]);
  }
  facts.push([`mean over ${data.nImages} images`, number(layer.mean[unit.channel])], ["spread", number(layer.std[unit.channel])]);
  return facts;
}

function className(data, index) {
  return index < data.classes.length ? data.classes[index] : `class ${index}`;
}

// The best classes with what they are; the true one also where it is none of them.
function answersOf(data, image, most) {
  const { probabilities, label } = data.images[image];
  const order = probabilities.map((_, index) => index).sort((one, two) => probabilities[two] - probabilities[one] || one - two);
  const shown = order.slice(0, most);
  if (label !== null && label < order.length && !shown.includes(label)) shown.push(label);
  return shown.map((index) => ({
    text: className(data, index),
    share: `${(100 * probabilities[index]).toFixed(1)} %`,
    isPredicted: index === order[0],
    isTrue: index === label,
  }));
}

// The pinned channels that maps are shown of, and the one that is pointed at: what stands beside what.
function shownMaps(state) {
  const pinned = state.selected.slice(-MOST_PINNED).map((unit) => ({ unit, role: "pinned" }));
  return [{ unit: state.hovered, role: "pointed at" }, ...pinned];
}

// The map of a channel and what is said of it; without pixels where there is none.
function mapOf(data, image, unit) {
  const maps = image >= 0 ? data.images[image].maps[unit.layer] : null;
  const name = `${data.layers[unit.layer].name} #${unit.channel}`;
  if (!maps) return { text: `${name}: no map on the page`, pixels: null };
  const size = maps.width * maps.height;
  const levels = maps.levels.subarray(unit.channel * size, (unit.channel + 1) * size);
  const range = `${number(maps.low[unit.channel])} to ${number(maps.high[unit.channel])}`;
  return { text: `${name}, ${range}`, width: maps.width, height: maps.height, pixels: rgba(levels, data.colours) };
}
