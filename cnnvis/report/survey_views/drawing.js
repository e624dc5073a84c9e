"use strict";

// What the views look like, on whatever context is given.

// Each view is drawn, and what is selected and pointed at is marked on top: a hand that moves changes only the marks.

function drawGrid(context, data, state, size, style) {
  const cell = gridCell(data.layers, size.width, size.height);
  context.clearRect(0, 0, size.width, size.height);
  context.font = "12px sans-serif";
  context.textBaseline = "middle";
  data.layers.forEach((layer, index) => {
    const { x } = cellOf(cell, index, 0);
    context.fillStyle = index === state.layer ? style.ink : style.quiet;
    nameLines(context, layer.name, (PER_ROW + 0.5) * cell.width).forEach((line, row) => context.fillText(line, x, 8 + 14 * row));
    const gap = cell.width > 4 && cell.height > 4 ? 1 : 0;
    shares(averagesOf(data, state.image, index)).forEach((share, channel) => {
      const place = cellOf(cell, index, channel);
      context.fillStyle = colour(data.colours, 255 * share);
      context.fillRect(place.x, place.y, cell.width - gap, cell.height - gap);
    });
  });
}

function markGrid(context, data, state, size, style) {
  const cell = gridCell(data.layers, size.width, size.height);
  for (const unit of [...state.selected, ...(state.hovered ? [state.hovered] : [])]) {
    const place = cellOf(cell, unit.layer, unit.channel);
    const ink = same(unit, state.hovered) ? style.ink : style.mark;
    outlined(context, ink, style.paper, 2, () => context.strokeRect(place.x - 0.5, place.y - 0.5, cell.width, cell.height));
  }
}

// A mark is seen on any colour: its line has a lighter or darker one around it.
function outlined(context, ink, around, width, stroke) {
  for (const [style, wide] of [[around, width + 2], [ink, width]]) {
    context.strokeStyle = style;
    context.lineWidth = wide;
    stroke();
  }
}

// A name as two lines: its last part below, which says what a layer is, and what comes before above.
function nameLines(context, name, room) {
  const dot = name.lastIndexOf(".");
  if (dot < 0) return ["", shortened(context, name, room, true)];
  return [shortened(context, name.slice(0, dot), room, true), shortened(context, name.slice(dot + 1), room, false)];
}

// As much of a text as fits, of its end or of its beginning.
function shortened(context, text, room, isEnd) {
  if (context.measureText(text).width <= room) return text;
  for (let length = text.length - 1; length > 0; length -= 1) {
    const rest = isEnd ? `…${text.slice(-length)}` : `${text.slice(0, length)}…`;
    if (context.measureText(rest).width <= room) return rest;
  }
  return "";
}

function marked(state) {
  const units = state.hovered ? [...state.selected, state.hovered] : state.selected;
  return units.filter((unit) => unit.layer === state.layer);
}

function drawMatrix(context, data, state, size, style) {
  const { groups } = data.layers[state.layer];
  context.clearRect(0, 0, size.width, size.height);
  if (!groups) return nothing(context, size, style, "no groups were looked for");
  const step = size.width / groups.side;
  groups.matrix.forEach((level, index) => {
    context.fillStyle = colour(data.signed, level);
    context.fillRect((index % groups.side) * step, Math.floor(index / groups.side) * step, step + 0.5, step + 0.5);
  });
  return undefined;
}

// Its colours are those of paper in any theme, and so are its marks.
function markMatrix(context, data, state, size) {
  const { groups } = data.layers[state.layer];
  if (!groups) return;
  const step = size.width / groups.side;
  for (const unit of marked(state)) {
    const place = (rowOf(groups, unit.channel) + 0.5) * step;
    outlined(context, same(unit, state.hovered) ? "#1c2129" : "#d0021b", "#ffffff", 1, () => {
      context.beginPath();
      context.moveTo(0, place);
      context.lineTo(size.width, place);
      context.moveTo(place, 0);
      context.lineTo(place, size.height);
      context.stroke();
    });
  }
}

function drawGraph(context, data, state, size, style) {
  const { groups } = data.layers[state.layer];
  context.clearRect(0, 0, size.width, size.height);
  if (!groups) return nothing(context, size, style, "no groups were looked for");
  const places = graphPlaces(groups, size.width);
  context.strokeStyle = style.quiet;
  context.lineWidth = 1;
  groups.weights.forEach((weight, link) => {
    context.globalAlpha = 0.15 + (0.6 * weight) / 255; // the heavier, the fuller
    drawLink(context, groups, places, link);
  });
  context.globalAlpha = 1;
  places.forEach((_, channel) => drawDot(context, groups, places, channel, style));
  return undefined;
}

// The links of what is marked stand out, under the dots.
function markGraph(context, data, state, size, style) {
  const { groups } = data.layers[state.layer];
  if (!groups) return;
  const places = graphPlaces(groups, size.width);
  for (const unit of marked(state)) {
    const ink = same(unit, state.hovered) ? style.ink : style.mark;
    context.strokeStyle = ink;
    context.lineWidth = 2;
    const links = linksOf(groups, unit.channel);
    links.forEach((link) => drawLink(context, groups, places, link));
    links.forEach((link) => [0, 1].forEach((end) => drawDot(context, groups, places, groups.ends[2 * link + end], style)));
    context.strokeStyle = ink;
    context.lineWidth = 2;
    circle(context, places[unit.channel], dotSize(groups) + 3);
    context.stroke();
  }
}

// Small enough that the dots of a group stay apart.
function dotSize(groups) {
  return Math.max(2, Math.min(4, 45 / Math.sqrt(groups.order.length)));
}

function circle(context, place, radius) {
  context.beginPath();
  context.arc(place[0], place[1], radius, 0, 2 * Math.PI);
}

// With a line around it: some colours of groups are as dark as the dark page.
function drawDot(context, groups, places, channel, style) {
  context.fillStyle = groups.colours[groups.labels[channel] + 1];
  context.strokeStyle = style.quiet;
  context.lineWidth = dotSize(groups) / 6;
  circle(context, places[channel], dotSize(groups));
  context.fill();
  context.stroke();
}

// Numbers of the links that begin or end at a channel.
function linksOf(groups, channel) {
  return Array.from(groups.weights.keys()).filter((link) => groups.ends[2 * link] === channel || groups.ends[2 * link + 1] === channel);
}

function drawLink(context, groups, places, link) {
  context.beginPath();
  context.moveTo(...places[groups.ends[2 * link]]);
  context.lineTo(...places[groups.ends[2 * link + 1]]);
  context.stroke();
}

function nothing(context, size, style, text) {
  context.fillStyle = style.quiet;
  context.font = "13px sans-serif";
  context.textBaseline = "middle";
  context.fillText(text, 8, size.height / 2);
}

// A picture of RGB values, or of levels in a table of colours, as RGBA.
function rgba(pixels, table) {
  const count = table ? pixels.length : pixels.length / 3;
  const found = new Uint8ClampedArray(4 * count).fill(255);
  for (let index = 0; index < count; index += 1) {
    for (let part = 0; part < 3; part += 1) found[4 * index + part] = table ? table[3 * pixels[index] + part] : pixels[3 * index + part];
  }
  return found;
}
