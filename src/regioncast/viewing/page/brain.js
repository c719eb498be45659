// The brain in 3D: an image of codes from a camera that can be turned.

const VIEWS = [
  {letter: 'L', name: 'Left', azimuth: -90, elevation: 0},
  {letter: 'R', name: 'Right', azimuth: 90, elevation: 0},
  {letter: 'S', name: 'Superior', azimuth: 0, elevation: 90},
  {letter: 'I', name: 'Inferior', azimuth: 0, elevation: -90},
  {letter: 'A', name: 'Anterior', azimuth: 180, elevation: 0},
  {letter: 'P', name: 'Posterior', azimuth: 0, elevation: 0},
];

// A direction that points less than this along an axis is not called by it.
const LEAST_PART = 0.35;

const DEGREES_PER_PIXEL = 0.5;
const DEGREES_PER_KEY = 15;
const ZOOM_PER_PIXEL = 0.0015;
const ZOOM_PER_KEY = 1.2;
const ZOOMS = [0.5, 12];

// A pointer that moved less than this many pixels was a click.
const CLICK = 4;

// How long after the last turn of the wheel a view is drawn finely.
const CALM_MS = 150;

// Hemispheres that overlap by more than this share of their width were not meant to be seen in one
// space: inflated ones, for example.  Apart, they have this share between them.
const MOST_OVERLAP = 0.3;
const GAP = 0.15;

// How many times as much another view has to show to be the first one.
const FAR_MORE = 2;

class Brain {
  constructor(box) {
    this.box = box;
    this.camera = {azimuth: -90, elevation: 0, zoom: 1, offset: [0, 0], centre: [0, 0, 0]};
    this.side = 0;
    this.isApart = false;
    this.isMoving = false;
    this.image = {};
    this.picture = new Picture();
    this.outlines = new Map();
    this.pointers = new Map();
  }

  /** Makes the meshes and the controls; returns whether there is anything to see. */
  async start() {
    this.meshes = (await surfaceMeshes()).map(prepared);
    this.box.hidden = this.meshes.length === 0;
    if (this.box.hidden) return false;
    this.isPair = arePair(this.meshes);
    this.findOverlap();
    this.makeControls();
    this.listen();
    this.setApart(this.isInflated);
    this.show(this.firstView());
    return true;
  }

  // -------------------------------------------------------------- what is seen

  /** Returns the lateral view, or another where that shows far more, as of flat maps and slabs. */
  firstView() {
    const usual = VIEWS[this.meshes.every(mesh => mesh.side === 1) ? 1 : 0];
    const shown = view => {
      const [x, y, z] = axesOf(view)[2];
      let sum = 0;
      for (const {normals} of this.meshes) {
        for (let at = 0; at < normals.length; at += 3) {
          sum += Math.max(0, x * normals[at] + y * normals[at + 1] + z * normals[at + 2]);
        }
      }
      return sum;
    };
    return VIEWS.find(view => shown(view) > FAR_MORE * shown(usual)) || usual;
  }

  /** Finds how far hemispheres lie in each other; where that is far, voxels are of another space. */
  findOverlap() {
    const surfaces = this.meshes.filter(mesh => mesh.kind === 'surface');
    const measured = arePair(surfaces) ? surfaces : this.meshes;
    const [left, right] = [-1, 1].map(
      side => extentOf(measured.filter(mesh => mesh.side === side)));
    this.overlap = left.high[0] - right.low[0];
    this.hemisphereWidth = right.high[0] - right.low[0];
    this.isInflated = this.isPair && this.overlap > MOST_OVERLAP * this.hemisphereWidth;
    if (this.isInflated && surfaces.length) this.meshes = surfaces;
  }

  get visibleMeshes() {
    return this.meshes.filter(mesh => !this.side || !mesh.side || mesh.side === this.side);
  }

  setApart(isApart) {
    this.isApart = isApart;
    const distance = isApart ? Math.max(0, this.overlap) + GAP * this.hemisphereWidth : 0;
    for (const mesh of this.meshes) mesh.shift = mesh.side * distance / 2;
    setAria(this.apartButton, {pressed: isApart});
    this.lookAtMiddle();
  }

  setSide(side) {
    this.side = side;
    this.lookAtMiddle();
  }

  lookAtMiddle() {
    const {low, high} = extentOf(this.visibleMeshes);
    this.camera.centre = low.map((end, axis) => (end + high[axis]) / 2);
    this.resetZoom();
  }

  resetZoom() {
    this.camera.zoom = 1;
    this.camera.offset = [0, 0];
    this.change();
  }

  /** Turns the camera: azimuth -90 looks from the left, 0 from behind; elevation 90 from above. */
  turn(azimuth, elevation) {
    this.camera.azimuth = ((azimuth + 180) % 360 + 360) % 360 - 180;
    this.camera.elevation = clamped(elevation, -90, 90);
    this.change();
  }

  /** Zooms by a factor; what is at a place of the box, in parts of it from its middle, stays. */
  zoom(factor, [x, y] = [0, 0]) {
    const {camera} = this;
    const zoom = clamped(camera.zoom * factor, ...ZOOMS);
    const change = zoom / camera.zoom;
    camera.zoom = zoom;
    camera.offset = [x - change * (x - camera.offset[0]), y - change * (y - camera.offset[1])];
    this.change();
  }

  change() {
    this.isDrawn = false;
    this.sayView();
    repaint();
  }

  // -------------------------------------------------------------- drawing

  /** Measures the box. */
  fit() {
    if (this.box.hidden) return;
    const ratio = pixelRatio();
    this.canvas.width = Math.max(1, Math.round(this.canvas.clientWidth * ratio));
    this.canvas.height = Math.max(1, Math.round(this.canvas.clientHeight * ratio));
    this.isDrawn = false;
  }

  draw() {
    if (this.box.hidden) return;
    if (!this.isDrawn) this.look();
    this.picture.colour(this.colours(), theme.stripe, state.borders);
    this.context.putImageData(this.picture.data, 0, 0);
    this.drawOutline(state.chosen);
    if (state.hovered !== state.chosen) this.drawOutline(state.hovered);
  }

  /** Makes the image of codes of what the camera sees. */
  look() {
    const factor = this.isMoving ? 1 : 2;
    const [width, height] = [factor * this.canvas.width, factor * this.canvas.height];
    this.camera.margin = factor * pixelRatio() * ROOM_OF_LETTERS;
    rasterise(this.visibleMeshes, this.camera, width, height, this.image);
    this.picture.take(this.image, factor, factor * pixelRatio() > 3);
    this.outlines.clear();
    this.isDrawn = true;
  }

  /** Returns red, green, blue, and whether there are stripes, by code. */
  colours() {
    const colours = new Uint8Array(4 * kinds.length);
    for (let code = 0; code < kinds.length; code++) {
      const kind = kinds[code];
      if (kind === SHOWN) colours.set(rgb.subarray(3 * code, 3 * code + 3), 4 * code);
      else colours.set({[NO_REGION]: theme.bare, [BELOW]: theme.below, [ABSENT]: theme.absent}[kind], 4 * code);
      colours[4 * code + 3] = kind === ABSENT ? 1 : 0;
    }
    return colours;
  }

  /** Draws the border of one region, with a seam that parts it from its neighbours. */
  drawOutline(code) {
    if (!code) return;
    if (!this.outlines.has(code)) this.outlines.set(code, this.picture.outline(code));
    const {context} = this;
    const ratio = pixelRatio();
    context.lineCap = 'round';
    context.strokeStyle = css(theme.paper);
    context.lineWidth = 3.5 * ratio;
    context.stroke(this.outlines.get(code));
    context.strokeStyle = css(theme.ink);
    context.lineWidth = 1.8 * ratio;
    context.stroke(this.outlines.get(code));
  }

  // -------------------------------------------------------------- what is where

  /** The sample of the image under a pointer; -1 beside it. */
  sampleAt(clientX, clientY) {
    const {width, height} = this.image;
    const box = this.canvas.getBoundingClientRect();
    const x = Math.floor((clientX - box.left) / box.width * width);
    const y = Math.floor((clientY - box.top) / box.height * height);
    const isInside = this.isDrawn && x >= 0 && y >= 0 && x < width && y < height;
    return isInside ? y * width + x : -1;
  }

  /** The code of a sample; none beside the image. */
  codeOfSample(sample) {
    return sample < 0 ? 0 : this.image.codes[sample];
  }

  /** The code under a pointer. */
  pick(clientX, clientY) {
    return this.codeOfSample(this.sampleAt(clientX, clientY));
  }

  /** Where a sample of the image is in space, in mm; nowhere on inflated surfaces. */
  pointAt(sample) {
    const {codes, depth, width, height, scale} = this.image;
    if (!codes[sample] || this.isInflated) return null;
    const {camera} = this;
    const [right, up, eye] = axesOf(camera);
    const x = (sample % width + 0.5 - width * (0.5 + camera.offset[0])) / scale;
    const y = (height * (0.5 + camera.offset[1]) - Math.floor(sample / width) - 0.5) / scale;
    const point = camera.centre.map(
      (middle, axis) => middle + x * right[axis] + y * up[axis] + depth[sample] * eye[axis]);
    if (this.isApart) point[0] -= this.meshes.find(mesh => mesh.side === Math.sign(point[0])).shift;
    return point;
  }

  // -------------------------------------------------------------- what it says

  makeControls() {
    const bar = made('div', 'row');
    this.viewButtons = VIEWS.map(view => {
      const button = made('button', '', view.letter);
      button.type = 'button';
      button.title = view.name;
      setAria(button, {label: view.name});
      button.addEventListener('click', () => this.show(view));
      return button;
    });
    const views = made('span', 'group');
    views.setAttribute('role', 'group');
    setAria(views, {label: 'View'});
    views.append(...this.viewButtons);
    bar.append(views, this.sideChoice(), this.apartChoice());
    this.canvas = made('canvas');
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute('role', 'application');
    setAria(this.canvas, {roledescription: '3D view'});
    this.context = this.canvas.getContext('2d');
    this.letters = SIDES.map(side => made('b', side));
    this.label = made('span', 'place');
    const stage = made('div', 'stage');
    stage.append(this.canvas, this.label, ...this.letters);
    this.box.append(bar, stage);
  }

  sideChoice() {
    const choice = made('select');
    setAria(choice, {label: 'Hemispheres'});
    choice.append(new Option('both', 0), new Option('left', -1), new Option('right', 1));
    choice.addEventListener('change', () => this.setSide(Number(choice.value)));
    choice.hidden = !this.isPair;
    return choice;
  }

  apartChoice() {
    const button = this.apartButton = made('button', '', 'apart');
    button.type = 'button';
    button.title = 'Move the hemispheres apart';
    button.addEventListener('click', () => this.setApart(!this.isApart));
    button.hidden = !this.isPair;
    return button;
  }

  /** Turns to the hemisphere of a region that is on the other side, or not seen. */
  reveal(code) {
    const side = meta.regions.sides[code - 1];
    const isHidden = this.side && this.side !== side;
    if (!side || isHidden) return;
    // How far the camera looks from the side of the region: 1 from there, -1 from the other side.
    const facing = axesOf(this.camera)[2][0] * side;
    const isSeen = facing > -0.5 && this.image.codes.includes(code);
    if (facing <= 0.5 && !isSeen) this.show(VIEWS[side < 0 ? 0 : 1]);
  }

  show(view) {
    this.resetZoom();
    this.turn(view.azimuth, view.elevation);
  }

  /** Writes from where the brain is seen, and what is on the sides of the picture. */
  sayView() {
    const {camera} = this;
    const [right, up, eye] = axesOf(camera);
    const words = directionsOf(eye).map(wordOf);
    const side = this.side || (this.isPair ? 0 : this.meshes[0].side);
    this.label.textContent = side ? textOfSide(side, words) : capital(words.join(', '));
    const directions = [right.map(part => -part), right, up, up.map(part => -part)];
    directions.forEach((direction, n) => {
      this.letters[n].textContent = directionsOf(direction, 0.8)[0] || '';
    });
    const label = `Brain in 3D, ${this.label.textContent} view. Arrow keys turn it, + and - zoom.`;
    setAria(this.canvas, {label});
    VIEWS.forEach((view, n) => {
      const isShown = words.length === 1 && words[0] === view.name.toLowerCase();
      setAria(this.viewButtons[n], {pressed: isShown});
    });
  }

  // -------------------------------------------------------------- what people do

  listen() {
    const {canvas} = this;
    canvas.addEventListener('pointerdown', event => this.onDown(event));
    canvas.addEventListener('pointermove', event => this.onMove(event));
    canvas.addEventListener('pointerup', event => this.onUp(event));
    canvas.addEventListener('pointercancel', event => this.onUp(event));
    canvas.addEventListener('pointerleave', () => hover(0));
    canvas.addEventListener('wheel', event => this.onWheel(event), {passive: false});
    canvas.addEventListener('dblclick', () => this.resetZoom());
    canvas.addEventListener('keydown', event => this.onKey(event));
  }

  onDown(event) {
    this.pointers.set(event.pointerId, event);
    this.canvas.setPointerCapture(event.pointerId);
    this.travelled = 0;
  }

  onMove(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      const sample = this.sampleAt(event.clientX, event.clientY);
      const code = this.codeOfSample(sample);
      hover(code, event, code ? this.pointAt(sample) : null);
      return;
    }
    const right = event.clientX - before.clientX, down = event.clientY - before.clientY;
    this.travelled += Math.abs(right) + Math.abs(down);
    if (this.travelled < CLICK) return;
    hover(0);
    this.isMoving = true;
    if (this.pointers.size > 1) this.pinch(event);
    else this.turnBy(-DEGREES_PER_PIXEL * right, DEGREES_PER_PIXEL * down);
    this.pointers.set(event.pointerId, event);
  }

  onUp(event) {
    const isClick = event.type === 'pointerup' && this.travelled < CLICK;
    const isLast = this.pointers.delete(event.pointerId) && this.pointers.size === 0;
    if (isClick && isLast) this.chooseAt(event);
    if (isLast) this.rest();
  }

  /** Chooses the region under a pointer, and moves the crosshair to the nearest of its voxels. */
  chooseAt(event) {
    const sample = this.sampleAt(event.clientX, event.clientY);
    const code = this.codeOfSample(sample);
    const point = code && meta.volume && this.pointAt(sample);
    const voxel = point && nearestVoxel(code, point);
    if (voxel) moveTo(voxel);
    choose(code);
  }

  /** Draws finely what was drawn coarsely while it moved. */
  rest() {
    if (!this.isMoving) return;
    this.isMoving = false;
    this.change();
  }

  turnBy(azimuth, elevation) {
    this.turn(this.camera.azimuth + azimuth, this.camera.elevation + elevation);
  }

  /** Zooms by how much further two fingers are apart than before. */
  pinch(event) {
    const others = [...this.pointers.values()].filter(other => other.pointerId !== event.pointerId);
    const distance = other => Math.hypot(other.clientX - others[0].clientX, other.clientY - others[0].clientY);
    const before = distance(this.pointers.get(event.pointerId));
    if (before > 0) this.zoom(distance(event) / before, this.placeOf(event));
  }

  /** Where a pointer is in the box, in parts of it from its middle. */
  placeOf(event) {
    const box = this.canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width - 0.5, (event.clientY - box.top) / box.height - 0.5];
  }

  onWheel(event) {
    event.preventDefault();
    this.isMoving = true;
    const pixels = event.deltaMode ? 40 * event.deltaY : event.deltaY;
    this.zoom(Math.exp(-ZOOM_PER_PIXEL * pixels), this.placeOf(event));
    clearTimeout(this.calm);
    this.calm = setTimeout(() => this.rest(), CALM_MS);
  }

  onKey(event) {
    const step = DEGREES_PER_KEY;
    const actions = {
      ArrowLeft: () => this.turnBy(step, 0),
      ArrowRight: () => this.turnBy(-step, 0),
      ArrowUp: () => this.turnBy(0, -step),
      ArrowDown: () => this.turnBy(0, step),
      '+': () => this.zoom(ZOOM_PER_KEY),
      '=': () => this.zoom(ZOOM_PER_KEY),
      '-': () => this.zoom(1 / ZOOM_PER_KEY),
      '0': () => this.resetZoom(),
    };
    if (!(event.key in actions) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    actions[event.key]();
    say(this.label.textContent);
  }
}

/** Returns whether there are meshes of both sides. */
function arePair(meshes) {
  return [-1, 1].every(side => meshes.some(mesh => mesh.side === side));
}

/** Returns the ends of meshes along the axes of space. */
function extentOf(meshes) {
  const low = [Infinity, Infinity, Infinity], high = [-Infinity, -Infinity, -Infinity];
  for (const {positions, shift} of meshes) {
    for (let at = 0; at < positions.length; at++) {
      const axis = at % 3;
      const place = positions[at] + (axis ? 0 : shift);
      low[axis] = Math.min(low[axis], place);
      high[axis] = Math.max(high[axis], place);
    }
  }
  return {low, high};
}

/** Returns the voxel of a region that is nearest to a point, in mm; null where it has none. */
function nearestVoxel(code, point) {
  const [ni, nj] = meta.volume.shape;
  let nearest = null, least = Infinity;
  for (let at = arrays.codes.indexOf(code); at >= 0; at = arrays.codes.indexOf(code, at + 1)) {
    const voxel = [at % ni, Math.floor(at / ni) % nj, Math.floor(at / (ni * nj))];
    const distance = Math.hypot(...millimetres(voxel).map((place, axis) => place - point[axis]));
    if (distance < least) [nearest, least] = [voxel, distance];
  }
  return nearest;
}

/** Returns the letters of where a direction points, the nearest first. */
function directionsOf(direction, least = LEAST_PART) {
  const axes = [0, 1, 2].filter(axis => Math.abs(direction[axis]) > least);
  axes.sort((one, other) => Math.abs(direction[other]) - Math.abs(direction[one]));
  return axes.map(axis => ENDS[axis][direction[axis] > 0 ? 0 : 1]);
}

/** Returns what a view is of one hemisphere. */
function textOfSide(side, words) {
  const name = side < 0 ? 'left' : 'right';
  const isFromSide = words.length === 1 && ['left', 'right'].includes(words[0]);
  const view = isFromSide ? (words[0] === name ? 'lateral' : 'medial') : words.join(', ');
  return `${capital(name)} hemisphere, ${view}`;
}

function wordOf(letter) {
  return VIEWS.find(view => view.letter === letter).name.toLowerCase();
}

function capital(text) {
  return text[0].toUpperCase() + text.slice(1);
}
