// What happens when people point, choose and move; and the start.

let brain = null;

// ---------------------------------------------------------------- drawing

let isQueued = false;

/** Asks for one frame in which all views are drawn. */
function repaint() {
  if (isQueued) return;
  isQueued = true;
  requestAnimationFrame(() => {
    isQueued = false;
    drawNow();
  });
}

function drawNow() {
  for (const slice of slices) slice.draw();
  if (brain) brain.draw();
}

/** Looks colours up anew: another map, other limits, another theme. */
function recolour() {
  lookUp();
  drawBar();
  regionList.refreshSoon();
}

function lookUp() {
  colourMap();
  fillPixels();
  moveMarker();
  repaint();
}

function fit() {
  if (slices.length) fitSlices();
  if (brain) brain.fit();
  drawNow();
  course.draw();
}

// ---------------------------------------------------------------- what people do

/** Shows another map. */
function setMap(map) {
  state.map = clamped(map, 0, nMaps - 1);
  lookUp();
  element('map').value = state.map;
  const title = meta.maps.titles[state.map];
  setAria(element('map'), {valuetext: title});
  element('map-title').textContent = title;
  element('names').value = state.map;
  course.move();
  describeChosen();
  refreshTip();
  if (!state.playing) regionList.refreshSoon();
}

/** Moves the crosshair to a voxel. */
function moveTo(voxel) {
  if (!meta.volume) return;
  state.at = voxel.map((index, axis) => clamped(index, 0, meta.volume.shape[axis] - 1));
  describeChosen();
  repaint();
}

/** Moves the crosshair into a region, turns the brain to its side, and chooses it. */
function goTo(code) {
  const place = meta.regions.at && meta.regions.at[code - 1];
  if (place) moveTo(place);
  if (brain) brain.reveal(code);
  choose(code);
}

/** Chooses a region, 0 for none; the crosshair goes there if it is elsewhere. */
function choose(code) {
  state.chosen = code;
  const place = code && meta.regions.at && meta.regions.at[code - 1];
  if (place && codeOfVoxel(state.at) !== code) moveTo(place);
  describeChosen();
  moveMarker();
  regionList.reveal(code);
  regionList.mark();
  course.draw();
  repaint();
}

/** Says to those who listen to the page what they cannot see. */
function say(text) {
  element('said').textContent = text;
}

/** A region with its value, in one line. */
function regionText(code) {
  return `${meta.regions.names[code - 1]}, ${valueWithUnit(state.map, code)}`;
}

function describeChosen() {
  const [name, number, more] = element('chosen').querySelectorAll('strong, .value, .more');
  const code = state.chosen;
  name.textContent = code ? meta.regions.names[code - 1] : 'Point at a region, or choose one';
  number.textContent = code ? valueWithUnit(state.map, code) : '';
  const details = [];
  if (code && meta.regions.coverage) details.push(`coverage ${coverageText(code)}`);
  // The crosshair may have been moved out of the region, or never have been there.
  const isThere = slices.length && (!code || codeOfVoxel(state.at) === code);
  if (isThere) details.push(placeText(millimetres(state.at)));
  more.textContent = details.join(' · ');
}

function placeText(mm) {
  return `${mm.map(mmText).join(', ')} mm`;
}

// ---------------------------------------------------------------- under the pointer

let tipped = null;

/**
 * Shows what is under the pointer, in all views.
 *
 * Without an event, as from keys, nothing is written beside the pointer.
 */
function hover(code, event, mm) {
  if (code !== state.hovered) {
    state.hovered = code;
    moveMarker();
    regionList.mark();
    if (!state.chosen) course.draw();
    repaint();
  }
  tipped = code && event ? {code, mm, x: event.clientX, y: event.clientY} : null;
  refreshTip();
}

function refreshTip() {
  const tip = element('tip');
  tip.hidden = !tipped;
  if (!tipped) return;
  const {code, mm, x, y} = tipped;
  const name = made('strong', '', meta.regions.names[code - 1]);
  name.dir = 'auto';
  const lines = [name, made('span', '', valueWithUnit(state.map, code))];
  const details = [];
  if (meta.regions.coverage) details.push(`coverage ${coverageText(code)}`);
  if (mm) details.push(placeText(mm));
  if (details.length) lines.push(made('small', '', details.join(' · ')));
  tip.replaceChildren(...lines);
  // Beside the pointer, and on its other side at the edge of the page.
  const left = x + 14 + tip.offsetWidth > innerWidth ? x - 14 - tip.offsetWidth : x + 14;
  const top = y + 14 + tip.offsetHeight > innerHeight ? y - 14 - tip.offsetHeight : y + 14;
  tip.style.transform = `translate(${Math.max(2, left)}px, ${Math.max(2, top)}px)`;
}

// ---------------------------------------------------------------- the start

const KEYS = 'Keys: in a slice, arrows and Page Up or Down move the crosshair, Enter chooses; '
  + 'in the list, arrows move, Enter goes there, Space shows alone; elsewhere, arrows change the '
  + 'map, Space plays, Escape chooses nothing.';

function describePage() {
  const title = meta.title || (meta.show === 'atlas' ? 'Atlas' : 'Painted regions');
  document.documentElement.dataset.show = meta.show;
  element('title').textContent = title;
  if (!document.title) document.title = title;
  element('subtitle').textContent = meta.about[0] || '';
  const lines = [...meta.about];
  const {background} = meta.volume || {};
  if (background) lines.push(`Behind the slices: ${background}`);
  for (const mesh of new Set((meta.meshes || []).map(each => each.name).filter(Boolean))) {
    lines.push(`Surfaces: ${mesh}`);
  }
  if (meta.volume && !meta.meshes) lines.push('3D: the surface of the regions, smoothed');
  lines.push(KEYS, `Made by regioncast ${meta.version}`);
  const nodes = lines.map(line => made('p', '', line));
  element('about').querySelector('div').replaceChildren(...nodes);
}

/** A region to begin with: that of the value furthest from 0. */
function mostSeen() {
  let best = 0;
  let most = -1;
  for (let code = 1; code <= nRegions; code++) {
    const size = meta.show === 'values' ? Math.abs(value(0, code)) : 0;
    const isSomewhere = !meta.regions.at || meta.regions.at[code - 1];
    if (isSomewhere && size > most) {
      best = code;
      most = size;
    }
  }
  return best;
}

/** Shows all but the brain, which takes longest to make. */
function startSlices() {
  for (const plane of PLANES) element(plane.id).hidden = slices.length === 0;
  const first = mostSeen();
  if (first && meta.regions.at) moveTo(meta.regions.at[first - 1]);
  element('views').dataset.views = slices.length + 1;
  setMap(0);
  drawBar();
  regionList.refresh();
  fit();
}

/** Waits until what is drawn is seen; in pages that nobody looks at, no frame ever comes. */
function nextFrame() {
  return new Promise(resolve => {
    requestAnimationFrame(() => setTimeout(resolve));
    setTimeout(resolve, 100);
  });
}

async function startBrain() {
  const box = element('brain');
  const starting = new Brain(box);
  const isThere = await starting.start();
  if (isThere) brain = starting;
  box.hidden = !isThere;
  element('views').dataset.views = slices.length + Number(isThere);
  if (!slices.length && !isThere) say('There is no geometry to draw; the list has all values.');
}

describePage();
useTheme();
setAria(element('theme'), {pressed: state.dark});
startScale();
startLegend();
startLooks();
startMaps();
startActions();
startSlices();
await nextFrame();
await startBrain();
new ResizeObserver(fit).observe(element('views'));
fit();

window.regioncast = {
  meta, state, arrays, kinds, rgb, value, valueText, slices, brain,
  setMap, choose, hover, goTo, repaint, drawNow,
  timings: {ready: performance.now()},
  ready: true,
};
