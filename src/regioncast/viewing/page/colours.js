// From values to colours: the look-up that colours.py makes, by the same arithmetic.

const NO_REGION = 0;
const SHOWN = 1;
const BELOW = 2;
const ABSENT = 3;
const N_COLOURS = 256;

/** By code: whether there is something to show, and what. */
const kinds = new Uint8Array(nRegions + 1);
/** By code: red, green and blue of those that are shown. */
const rgb = new Uint8Array(3 * (nRegions + 1));

/** Returns the channels of #rrggbb. */
function channels(color) {
  return [1, 3, 5].map(at => parseInt(color.slice(at, at + 2), 16));
}

/** Colours of what has no value; `useTheme` fills it. */
const theme = {};
// Of what is drawn over pictures; the style sheet has them, as it has those of the controls.
let crossColour = '';
let accentColour = '';

function useTheme() {
  const colors = meta.themes[state.dark ? 'dark' : 'light'];
  for (const [name, color] of Object.entries(colors)) theme[name] = channels(color);
  document.documentElement.dataset.theme = state.dark ? 'dark' : 'light';
  const style = getComputedStyle(document.documentElement);
  crossColour = style.getPropertyValue('--cross');
  accentColour = style.getPropertyValue('--accent');
}

/** 256 colours of the ramp in use. */
function rampColours() {
  const row = meta.scale.ramps.indexOf(state.ramp);
  return arrays.ramps.subarray(3 * N_COLOURS * row, 3 * N_COLOURS * (row + 1));
}

/** Which colour of the ramp a number has. */
function rampStep(number) {
  const step = Math.floor((number - state.low) / (state.high - state.low) * N_COLOURS);
  return clamped(step, 0, N_COLOURS - 1);
}

const ownColours = paletteOf(meta.regions.colors);
const categoryColours = paletteOf(meta.categories && meta.categories.colors);

function paletteOf(colors) {
  return colors ? Uint8Array.from(colors.flatMap(channels)) : null;
}

/** Finds what each region looks like in the map that is seen. */
function colourMap() {
  if (meta.show === 'atlas') {
    for (let code = 1; code <= nRegions; code++) useColour(code, ownColours, code - 1);
  } else if (meta.show === 'categories') {
    colourCategories();
  } else {
    colourValues();
  }
  if (state.only) {
    for (let code = 1; code <= nRegions; code++) {
      if (!state.only.has(code)) kinds[code] = NO_REGION;
    }
  }
}

function colourCategories() {
  for (let code = 1; code <= nRegions; code++) {
    const row = categoryRows.get(value(state.map, code));
    if (row === undefined) kinds[code] = ABSENT;
    else useColour(code, categoryColours, row);
  }
}

function colourValues() {
  const ramp = rampColours();
  for (let code = 1; code <= nRegions; code++) {
    const number = value(state.map, code);
    if (Number.isNaN(number)) kinds[code] = ABSENT;
    else if (Math.abs(number) < state.threshold) kinds[code] = BELOW;
    else useColour(code, ramp, rampStep(number));
  }
}

function useColour(code, colours, row) {
  kinds[code] = SHOWN;
  for (let channel = 0; channel < 3; channel++) {
    rgb[3 * code + channel] = colours[3 * row + channel];
  }
}

/** Whether a sample, if it has no value, is on a stripe: by its place in the image of codes. */
function isStripe(x, y) {
  return (x + y) % 4 === 0;
}

/** Red, green and blue of a code beside the stripes; null where nothing is shown. */
function colourOf(code) {
  if (kinds[code] === SHOWN) return rgb.subarray(3 * code, 3 * code + 3);
  if (kinds[code] === BELOW) return theme.below;
  return kinds[code] === ABSENT ? theme.absent : null;
}

/** A colour as styles write it. */
function css(colour, alpha = 1) {
  return `rgb(${colour[0]} ${colour[1]} ${colour[2]} / ${alpha})`;
}

/** A colour as one number, as it lies in the memory of an image. */
function pixelOf(colour) {
  return (0xff000000 | colour[2] << 16 | colour[1] << 8 | colour[0]) >>> 0;
}

/** Pixels by code, beside the stripes and on them; 0 where nothing is shown. */
const pixels = new Uint32Array(nRegions + 1);
const stripePixels = new Uint32Array(nRegions + 1);

/** Fills the pixels that slices look up. */
function fillPixels() {
  const stripe = pixelOf(theme.stripe);
  for (let code = 1; code <= nRegions; code++) {
    const colour = colourOf(code);
    pixels[code] = colour ? pixelOf(colour) : 0;
    stripePixels[code] = kinds[code] === ABSENT ? stripe : pixels[code];
  }
}
