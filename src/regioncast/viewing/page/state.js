'use strict';
// What the page holds, and what of it is looked at.
//
// The scripts of the page share one scope, in the order that page/__init__.py names.  A *code* is
// what voxels and vertices hold: 0 for no region, n for the n-th row of the region table.

/** Returns the element of an id. */
function element(id) {
  return document.getElementById(id);
}

/** Returns a new element with a class and, where given, a text. */
function made(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

/** Sets aria-* attributes, as all browsers know them. */
function setAria(node, attributes) {
  for (const [name, text] of Object.entries(attributes)) node.setAttribute(`aria-${name}`, text);
}

const meta = JSON.parse(new TextDecoder().decode(await unpacked('meta-data')));
const nRegions = meta.regions.names.length;
const nMaps = meta.maps.titles.length;

/** Typed arrays by name, as contents.py made them. */
const arrays = {};
await Promise.all(Object.entries(meta.arrays).map(async ([name, type]) => {
  const bytes = await unpacked(`${name}-data`);
  arrays[name] = new globalThis[type](bytes);
}));
if (arrays.runs) arrays.codes = spread(arrays.codes, arrays.runs);
if (arrays.ramps) addUp(arrays.ramps, 3 * 256);

/** Returns an array of runs: values, each as often as it is long. */
function spread(values, lengths) {
  const spreadOut = new values.constructor(lengths.reduce((sum, length) => sum + length, 0));
  let start = 0;
  for (let run = 0; run < values.length; run++) {
    const end = start + lengths[run];
    spreadOut.fill(values[run], start, end);
    start = end;
  }
  return spreadOut;
}

/** Makes colours of the differences between each and the one before, in ramps of so many bytes. */
function addUp(bytes, size) {
  for (let at = 0; at < bytes.length; at++) {
    if (at % size >= 3) bytes[at] += bytes[at - 3];
  }
}

const isMissing = new Uint8Array(nRegions + 1);
for (const code of meta.regions.missing) isMissing[code] = 1;

const state = {
  map: 0,
  low: meta.scale ? meta.scale.limits[0] : 0,
  high: meta.scale ? meta.scale.limits[1] : 1,
  threshold: meta.scale ? meta.scale.threshold : 0,
  ramp: meta.scale ? meta.scale.ramp : '',
  chosen: 0,
  hovered: 0,
  at: [0, 0, 0],
  borders: true,
  only: null,
  radiological: false,
  dark: matchMedia('(prefers-color-scheme: dark)').matches,
  opacity: 1,
  playing: false,
  saving: false,
};

/** Pixels of canvases to a pixel of the page. */
function pixelRatio() {
  const ratio = devicePixelRatio || 1;
  return state.saving ? Math.max(2, ratio) : ratio;
}

// ---------------------------------------------------------------- values

/** What stands in the page for a region: its value, or in an atlas its label. */
function held(map, code) {
  if (meta.show === 'atlas') return Number(meta.regions.labels[code - 1]);
  return isMissing[code] ? NaN : arrays.values[map * nRegions + code - 1];
}

/** The value of a region as a number, for colours and for sorting; NaN where it has none. */
function value(map, code) {
  return Number(held(map, code));
}

/** A number, such that who reads it has the same number again. */
function exactText(number) {
  if (typeof number === 'bigint') return String(number);
  if (Number.isNaN(number)) return 'n/a';
  if (!Number.isFinite(number)) return number > 0 ? 'inf' : '-inf';
  if (!(arrays.values instanceof Float32Array)) return String(number);
  // A float32 needs no more digits than those that make it the same float32 again.
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(number.toPrecision(digits));
    if (Math.fround(short) === number) return String(short);
  }
  return String(Number(number.toPrecision(9)));
}

/** A number for a narrow place: four digits, but whole numbers whole. */
function briefText(exact) {
  const number = Number(exact);
  const size = Math.abs(number);
  if (!Number.isFinite(size) || (Number.isInteger(number) && size < 1e7)) return exactText(number);
  return size >= 1e-3 && size < 1e5
    ? String(Number(number.toPrecision(4)))
    : number.toExponential(2);
}

// By label; the labels of categories are whole numbers.
const categoryRows = new Map();
if (meta.categories) {
  meta.categories.labels.forEach((label, row) => categoryRows.set(Number(label), row));
}

/** The value of a region for people: exact, the name of its category, or "n/a". */
function valueText(map, code) {
  if (meta.show === 'atlas') return meta.regions.labels[code - 1];
  const number = held(map, code);
  if (!meta.categories || Number.isNaN(number)) return exactText(number);
  const row = categoryRows.get(Number(number));
  return row === undefined ? `${exactText(number)}: no category` : meta.categories.names[row];
}

/** The value of a region with its unit. */
function valueWithUnit(map, code) {
  const text = valueText(map, code);
  if (meta.show === 'atlas') return `label ${text}`;
  return meta.unit && text !== 'n/a' ? `${text} ${meta.unit}` : text;
}

// ---------------------------------------------------------------- places

/** Where a voxel is, in mm. */
function millimetres(voxel) {
  return meta.volume.affine.map(
    row => row[0] * voxel[0] + row[1] * voxel[1] + row[2] * voxel[2] + row[3],
  );
}

/** Edges of a voxel, mm. */
const zooms = meta.volume
  ? [0, 1, 2].map(axis => Math.hypot(...meta.volume.affine.map(row => row[axis])))
  : [1, 1, 1];

// Tenths tell the neighbours of most images apart; those of small animals need more digits.
const mmDigits = Math.min(...zooms) < 0.2 ? 2 : 1;

function mmText(number) {
  return String(Number(number.toFixed(mmDigits)) || 0);
}

/** The code of a voxel. */
function codeOfVoxel(voxel) {
  const [ni, nj] = meta.volume.shape;
  return arrays.codes[voxel[0] + ni * (voxel[1] + nj * voxel[2])];
}

const clamped = (number, low, high) => Math.max(low, Math.min(high, number));
