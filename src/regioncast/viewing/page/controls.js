// What people set: limits, ramps, threshold, what is drawn; maps and playing; what they take away.

// ---------------------------------------------------------------- colours

/** Draws the ramp, grey below the threshold, with its numbers. */
function drawBar() {
  if (!meta.scale) return;
  const context = element('bar').getContext('2d');
  const image = context.createImageData(N_COLOURS, 1);
  const ramp = rampColours();
  const span = state.high - state.low;
  for (let step = 0; step < N_COLOURS; step++) {
    const middle = state.low + ((step + 0.5) / N_COLOURS) * span;
    const isBelow = Math.abs(middle) < state.threshold;
    const colour = isBelow ? theme.below : ramp.subarray(3 * step, 3 * step + 3);
    image.data.set(colour, 4 * step);
    image.data[4 * step + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  const label = `Colours from ${briefText(state.low)} to ${briefText(state.high)} ${meta.unit}`;
  setAria(element('bar'), {label});
  drawTicks();
}

function drawTicks() {
  const ticks = roundTicks(state.low, state.high, 5).map(tick => {
    const node = made('span', '', briefText(tick));
    node.style.left = `${100 * shareOf(tick)}%`;
    return node;
  });
  element('ticks').replaceChildren(...ticks);
}

/** Where a number is on the bar, from 0 to 1. */
function shareOf(number) {
  return clamped((number - state.low) / (state.high - state.low), 0, 1);
}

/** Shows on the bar where the region under the pointer is, else the chosen one. */
function moveMarker() {
  if (!meta.scale) return;
  const code = state.hovered || state.chosen;
  const number = code ? value(state.map, code) : NaN;
  element('marker').hidden = Number.isNaN(number);
  if (!Number.isNaN(number)) element('marker').style.left = `${100 * shareOf(number)}%`;
}

/** Writes limits and threshold into their fields; six digits, where values have sixteen. */
function writeScale() {
  element('low').value = Number(state.low.toPrecision(6));
  element('high').value = Number(state.high.toPrecision(6));
  element('ramp').value = state.ramp;
  element('threshold').value = state.threshold;
  element('threshold-slider').value = state.threshold;
}

/** Takes a limit that was typed; where it is none, says so and keeps the old one. */
function readLimit(event) {
  const field = event.target;
  const limits = {low: state.low, high: state.high, [field.id]: field.valueAsNumber};
  const isRight = limits.low < limits.high;
  const wrong = isRight ? '' : 'The lower limit has to be below the upper one.';
  setAria(field, {invalid: !isRight});
  field.title = wrong;
  if (wrong) {
    say(wrong);
    return;
  }
  Object.assign(state, limits);
  recolour();
}

function readThreshold(event) {
  const number = event.target.valueAsNumber;
  if (!(number >= 0)) return;
  // A slider has more digits than anyone wants to read.
  const isTyped = event.target.type === 'number';
  state.threshold = isTyped ? number : Number(number.toPrecision(3));
  const other = element(isTyped ? 'threshold-slider' : 'threshold');
  other.value = state.threshold;
  recolour();
}

function resetScale() {
  const {limits, ramp, threshold} = meta.scale;
  Object.assign(state, {low: limits[0], high: limits[1], ramp, threshold});
  for (const id of ['low', 'high']) setAria(element(id), {invalid: false});
  writeScale();
  recolour();
}

function startScale() {
  element('scale').hidden = !meta.scale;
  if (!meta.scale) return;
  for (const name of meta.scale.ramps) element('ramp').append(new Option(name, name));
  const most = Math.max(...meta.scale.limits.map(Math.abs), meta.scale.threshold);
  element('threshold-slider').max = most;
  element('threshold-slider').step = most / 200;
  element('unit').textContent = meta.unit;
  element('unit').hidden = !meta.unit;
  writeScale();
  element('low').addEventListener('change', readLimit);
  element('high').addEventListener('change', readLimit);
  element('threshold').addEventListener('input', readThreshold);
  element('threshold-slider').addEventListener('input', readThreshold);
  element('reset').addEventListener('click', resetScale);
  element('ramp').addEventListener('change', event => {
    state.ramp = event.target.value;
    recolour();
  });
}

function startLegend() {
  if (!meta.categories) return;
  element('legend').hidden = false;
  meta.categories.names.forEach((name, row) => {
    const item = made('li', '');
    const chip = made('span', 'chip');
    chip.style.backgroundColor = meta.categories.colors[row];
    const text = made('span', '', name);
    text.dir = 'auto';
    item.append(chip, text);
    element('legend').append(item);
  });
}

// ---------------------------------------------------------------- what is drawn

function startLooks() {
  element('borders').addEventListener('change', event => {
    state.borders = event.target.checked;
    repaint();
  });
  element('radiological').addEventListener('change', event => {
    state.radiological = event.target.checked;
    for (const slice of slices) slice.forget();
    repaint();
  });
  element('radiological').parentElement.hidden = slices.length === 0;
  element('opacity-box').hidden = !arrays.greys;
  element('opacity').addEventListener('input', event => {
    state.opacity = event.target.valueAsNumber;
    repaint();
  });
  element('theme').addEventListener('click', () => setDark(!state.dark));
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', event => {
    setDark(event.matches);
  });
  printLight();
}

/** Paper is white. */
function printLight() {
  let wasDark = false;
  addEventListener('beforeprint', () => {
    wasDark = state.dark;
    setDark(false);
    drawNow();
  });
  addEventListener('afterprint', () => setDark(wasDark));
}

function setDark(isDark) {
  state.dark = isDark;
  setAria(element('theme'), {pressed: isDark});
  useTheme();
  for (const slice of slices) slice.linesAreDrawn = false;
  recolour();
  course.draw();
}

// ---------------------------------------------------------------- maps

let playedAt = 0;

function setPlaying(isPlaying) {
  if (isPlaying === state.playing) return;
  state.playing = isPlaying;
  element('play').textContent = isPlaying ? 'Pause' : 'Play';
  setAria(element('play'), {pressed: isPlaying});
  // Nobody wants to hear each map that passes.
  setAria(element('chosen').firstElementChild, {live: isPlaying ? 'off' : 'polite'});
  if (isPlaying) requestAnimationFrame(playOn);
  else regionList.refreshSoon();
}

function playOn(time) {
  if (!state.playing) return;
  const rate = Number(element('rate').value);
  // Half a frame early rather than half a frame late.
  if (time - playedAt >= 1000 / rate - 8) {
    playedAt = time;
    setMap((state.map + 1) % nMaps);
  }
  requestAnimationFrame(playOn);
}

// Names that say no more than which map it is, in order.
const PLAIN_TITLE = /^(map )?[-+.e\d]+( (s|Hz|m|rad))?$/;
const MOST_OPTIONS = 1000;

/** Offers maps by their names. */
function startNames() {
  const {titles} = meta.maps;
  const isNamed = nMaps <= MOST_OPTIONS && titles.some(title => !PLAIN_TITLE.test(title));
  element('names').hidden = !isNamed;
  if (!isNamed) return;
  element('map-title').hidden = true;
  titles.forEach((title, map) => element('names').append(new Option(title, map)));
  element('names').addEventListener('change', event => setMap(Number(event.target.value)));
}

function startMaps() {
  element('series').hidden = nMaps < 2;
  startNames();
  element('map').max = nMaps - 1;
  element('map').addEventListener('input', event => setMap(event.target.valueAsNumber));
  element('play').addEventListener('click', () => setPlaying(!state.playing));
  if (matchMedia('(prefers-reduced-motion: reduce)').matches) element('rate').value = 2;
  // Arrow keys belong to what has the focus; where nothing has, they go through the maps.
  document.addEventListener('keydown', event => {
    if (event.key === 'Escape') choose(0);
    if (nMaps < 2 || event.target !== document.body) return;
    const steps = {ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10};
    if (event.key in steps) setMap(state.map + steps[event.key]);
    else if (event.key === ' ') setPlaying(!state.playing);
    else return;
    event.preventDefault();
  });
}

// ---------------------------------------------------------------- what people take away

/** The values of all maps as a table, each as exact as it is held. */
function valuesAsTsv() {
  const titles = meta.maps.titles.map(title => title || 'value');
  const header = ['label', 'name', ...(meta.show === 'atlas' ? [] : titles)];
  const lines = [header];
  for (let code = 1; code <= nRegions; code++) {
    const line = [meta.regions.labels[code - 1], meta.regions.names[code - 1]];
    if (meta.show !== 'atlas') {
      for (let map = 0; map < nMaps; map++) line.push(valueText(map, code));
    }
    lines.push(line);
  }
  const cell = text => {
    const line = text.replace(/[\t\r\n]+/g, ' ');
    // Programs take a quote for the start of a cell that ends at the next one.
    return line.includes('"') ? `"${line.replaceAll('"', '""')}"` : line;
  };
  return lines.map(line => `${line.map(cell).join('\t')}\n`).join('');
}

function download(blob, ending) {
  const link = made('a');
  link.href = URL.createObjectURL(blob);
  link.download = `${fileStem()}${ending}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function fileStem() {
  const stem = element('title').textContent.replace(/\.(nii|tsv|csv|gii|gz)\b/g, '');
  return stem.replace(/[^\p{L}\p{N}._-]+/gu, '_').slice(0, 80) || 'regioncast';
}

function saveTsv() {
  download(new Blob([valuesAsTsv()], {type: 'text/tab-separated-values'}), '.tsv');
}

async function copyTsv() {
  try {
    await navigator.clipboard.writeText(valuesAsTsv());
    say(`Copied the values of ${counted(nRegions)}`);
  } catch {
    // Frames of notebooks may not write to the clipboard.
    saveTsv();
  }
}

/** Draws what is seen onto one canvas: title, views with their letters, and the colour bar. */
function picture() {
  const box = element('views').getBoundingClientRect();
  const ratio = pixelRatio();
  const above = 56;
  const key = placesOfKey(box.width);
  const canvas = made('canvas');
  canvas.width = Math.round(box.width * ratio);
  canvas.height = Math.round((box.height + above + 28 + key.height) * ratio);
  const context = canvas.getContext('2d');
  context.scale(ratio, ratio);
  context.fillStyle = css(theme.paper);
  context.fillRect(0, 0, canvas.width, canvas.height);
  const family = getComputedStyle(document.body).fontFamily;
  const write = (text, x, y, {align = 'left', font = '12px', colour = theme.dim} = {}) => {
    context.font = `${font} ${family}`;
    context.textAlign = align;
    context.fillStyle = css(colour);
    context.fillText(text, x, y, box.width - 32);
  };
  write(element('title').textContent, 16, 26, {font: '600 17px', colour: theme.ink});
  const told = state.chosen ? regionText(state.chosen) : element('subtitle').textContent;
  write([meta.maps.titles[state.map], told].filter(Boolean).join(' · '), 16, 45);
  for (const view of document.querySelectorAll('.view:not([hidden])')) {
    drawView(context, view, box.left, box.top - above, write);
  }
  drawKey(context, key, box.height + above + 18, box.width, write);
  return canvas;
}

/** Draws one view and what is written on it. */
function drawView(context, view, left, top, write) {
  for (const canvas of view.querySelectorAll('canvas')) {
    const place = canvas.getBoundingClientRect();
    context.drawImage(canvas, place.left - left, place.top - top, place.width, place.height);
  }
  for (const node of view.querySelectorAll('b, .place')) {
    const place = node.getBoundingClientRect();
    const font = node.tagName === 'B' ? '600 12px' : '12px';
    write(node.textContent, place.left - left, place.bottom - top - 4, {font});
  }
}

/** Where the names of categories go, in rows as wide as a picture; and how high the key is. */
function placesOfKey(width) {
  if (!meta.categories) return {height: meta.scale ? 32 : 0};
  const context = element('bar').getContext('2d');
  context.font = `12px ${getComputedStyle(document.body).fontFamily}`;
  let left = 16;
  let top = 0;
  const places = meta.categories.names.map(name => {
    const length = context.measureText(name).width + 32;
    if (left > 16 && left + length > width) {
      left = 16;
      top += 18;
    }
    left += length;
    return [left - length, top];
  });
  return {places, height: top + 18};
}

/** Draws the colour bar, or the colours of the categories. */
function drawKey(context, key, top, width, write) {
  if (meta.scale) {
    const length = Math.min(320, width - 32);
    const left = (width - length) / 2;
    context.imageSmoothingEnabled = false;
    context.drawImage(element('bar'), left, top, length, 12);
    for (const tick of roundTicks(state.low, state.high, 5)) {
      write(briefText(tick), left + length * shareOf(tick), top + 27, {align: 'center'});
    }
    write(meta.unit, left + length + 10, top + 11);
  } else if (meta.categories) {
    meta.categories.names.forEach((name, row) => {
      const [left, below] = key.places[row];
      context.fillStyle = meta.categories.colors[row];
      context.fillRect(left, top + below, 11, 11);
      write(name, left + 16, top + below + 10);
    });
  }
}

function savePng() {
  // As sharp as print asks for, whatever the screen is.
  state.saving = true;
  fit();
  const canvas = picture();
  state.saving = false;
  fit();
  canvas.toBlob(blob => download(blob, '.png'), 'image/png');
}

function startActions() {
  element('save-png').addEventListener('click', savePng);
  element('copy-tsv').addEventListener('click', copyTsv);
  element('save-tsv').addEventListener('click', saveTsv);
}
