// Slices through a volume: an image of codes each, coloured by look-up.

// Which axis of the volume goes through the slice, to the right and up.
const PLANES = [
  {id: 'sagittal', axis: 0, across: 1, up: 2},
  {id: 'coronal', axis: 1, across: 0, up: 2},
  {id: 'axial', axis: 2, across: 0, up: 1},
];
// What lies at the end of each axis, and at its start.
const ENDS = [['R', 'L'], ['A', 'P'], ['S', 'I']];
const SIDES = ['west', 'east', 'north', 'south'];
// On each side of a slice, in pixels of the page.
const ROOM_OF_LETTERS = 28;
// A trackpad scrolls by many small steps.
const SCROLL_OF_A_SLICE = 40;

/**
 * Returns the runs of neighbouring edges between different codes.
 *
 * Only those around one code, where that is given.  Each run is three numbers: the line it lies on,
 * where it starts and where it ends, in pixels of the image.
 */
function borderRuns(codes, width, height, only) {
  const at = (x, y) => (x < 0 || y < 0 || x >= width || y >= height ? 0 : codes[x + width * y]);
  const differ = only
    ? (one, other) => (one === only) !== (other === only)
    : (one, other) => one !== other;
  return {
    horizontal: runsOf(height + 1, width, (y, x) => differ(at(x, y - 1), at(x, y))),
    vertical: runsOf(width + 1, height, (x, y) => differ(at(x - 1, y), at(x, y))),
  };
}

function runsOf(nLines, length, isEdge) {
  const runs = [];
  for (let line = 0; line < nLines; line++) {
    let start = -1;
    for (let along = 0; along <= length; along++) {
      const isInside = along < length && isEdge(line, along);
      if (isInside && start < 0) start = along;
      if (!isInside && start >= 0) {
        runs.push(line, start, along);
        start = -1;
      }
    }
  }
  return runs;
}

class Slice {
  constructor(plane) {
    Object.assign(this, plane);
    this.box = element(plane.id);
    this.fillBox();
    this.context = this.canvas.getContext('2d');
    this.width = meta.volume.shape[this.across];
    this.height = meta.volume.shape[this.up];
    const Codes = arrays.codes instanceof Uint32Array ? Uint32Array : Uint16Array;
    this.codes = new Codes(this.width * this.height);
    this.greys = new Uint8Array(this.width * this.height);
    this.image = new ImageData(this.width, this.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.small = new OffscreenCanvas(this.width, this.height);
    this.smallContext = this.small.getContext('2d');
    this.lines = new OffscreenCanvas(1, 1);
    this.scale = [1, 1];
    this.origin = [0, 0];
    this.forget();
    this.listen();
  }

  fillBox() {
    this.canvas = made('canvas');
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute('role', 'application');
    setAria(this.canvas, {
      roledescription: 'slice',
      label: `${this.id} slice; arrow keys move the crosshair, Page Up and Page Down the slice, `
        + 'Enter chooses the region',
    });
    this.label = made('span', 'place');
    this.edges = Object.fromEntries(SIDES.map(side => [side, made('b', side)]));
    this.box.append(this.canvas, this.label, ...Object.values(this.edges));
  }

  /** Whether the right of the brain is on the left of the picture. */
  get isFlipped() {
    return state.radiological && this.across === 0;
  }

  /** Makes the next drawing take the codes anew. */
  forget() {
    this.cutAt = -1;
    this.linesAreDrawn = false;
    const [east, west] = ENDS[this.across];
    const [north, south] = ENDS[this.up];
    this.edges.west.textContent = this.isFlipped ? east : west;
    this.edges.east.textContent = this.isFlipped ? west : east;
    this.edges.north.textContent = north;
    this.edges.south.textContent = south;
  }

  /** Takes the codes where the crosshair is, top row first. */
  cut() {
    const index = state.at[this.axis];
    if (index === this.cutAt) return;
    this.cutAt = index;
    this.outlines = new Map();
    this.linesAreDrawn = false;
    const [ni, nj] = meta.volume.shape;
    const strides = [1, ni, ni * nj];
    const step = this.isFlipped ? -strides[this.across] : strides[this.across];
    const first = index * strides[this.axis] + (this.isFlipped ? (this.width - 1) * -step : 0);
    let to = 0;
    for (let y = this.height - 1; y >= 0; y--) {
      let from = first + y * strides[this.up];
      for (let x = 0; x < this.width; x++) {
        this.codes[to] = arrays.codes[from];
        if (arrays.greys) this.greys[to] = arrays.greys[from];
        from += step;
        to += 1;
      }
    }
  }

  /** Measures the box. */
  fit() {
    const ratio = pixelRatio();
    this.canvas.width = Math.max(1, Math.round(this.box.clientWidth * ratio));
    this.canvas.height = Math.max(1, Math.round(this.box.clientHeight * ratio));
    this.linesAreDrawn = false;
  }

  /** How many pixels of the canvas a mm may have, so that all of the slice is seen. */
  get largestScale() {
    const margins = 2 * ROOM_OF_LETTERS * pixelRatio();
    return Math.min(
      Math.max(1, this.canvas.width - margins) / (this.width * zooms[this.across]),
      Math.max(1, this.canvas.height - margins) / (this.height * zooms[this.up]),
    );
  }

  /** Puts the slice into the middle of its canvas, with so many pixels to a mm. */
  place(scale) {
    this.scale = [scale * zooms[this.across], scale * zooms[this.up]];
    this.origin = [
      Math.round((this.canvas.width - this.scale[0] * this.width) / 2),
      Math.round((this.canvas.height - this.scale[1] * this.height) / 2),
    ];
    this.linesAreDrawn = false;
  }

  draw() {
    this.cut();
    this.colour();
    const {context, canvas, origin, scale} = this;
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingEnabled = false;
    context.drawImage(
      this.small, origin[0], origin[1], scale[0] * this.width, scale[1] * this.height,
    );
    if (state.borders) context.drawImage(this.borderLines(), 0, 0);
    this.drawOutline(state.chosen);
    if (state.hovered !== state.chosen) this.drawOutline(state.hovered);
    this.drawCrosshair();
    const relation = isOblique ? '≈' : '=';
    const mm = mmText(millimetres(state.at)[this.axis]);
    this.label.textContent = `${'xyz'[this.axis]} ${relation} ${mm} mm`;
  }

  /** Colours the small image, a pixel to a voxel. */
  colour() {
    const {codes, pixels: to, width, height} = this;
    let at = 0;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        to[at] = isStripe(x, y) ? stripePixels[codes[at]] : pixels[codes[at]];
        at += 1;
      }
    }
    if (arrays.greys) this.layOverBackdrop();
    this.smallContext.putImageData(this.image, 0, 0);
  }

  /** Shows the image behind wherever there is no value to show; stripes of n/a stay. */
  layOverBackdrop() {
    const {greys, codes, pixels: to} = this;
    const bytes = this.image.data;
    for (let at = 0; at < greys.length; at++) {
      const grey = greys[at];
      const code = codes[at];
      const isStriped = kinds[code] === ABSENT && to[at] === stripePixels[code];
      if (to[at] === 0 || (kinds[code] !== SHOWN && !isStriped)) {
        to[at] = grey ? pixelOfGrey(grey) : 0;
      } else if (state.opacity < 1) {
        for (let byte = 4 * at; byte < 4 * at + 3; byte++) {
          bytes[byte] = grey + (bytes[byte] - grey) * state.opacity;
        }
      }
    }
  }

  /** The lines between regions, drawn once for each slice. */
  borderLines() {
    const {lines, canvas} = this;
    if (this.linesAreDrawn) return lines;
    this.linesAreDrawn = true;
    lines.width = canvas.width;
    lines.height = canvas.height;
    const context = lines.getContext('2d');
    context.fillStyle = state.dark ? 'rgb(0 0 0 / 0.62)' : 'rgb(0 0 0 / 0.5)';
    this.fillRuns(context, borderRuns(this.codes, this.width, this.height, 0), 1);
    return lines;
  }

  /** Draws the border of one region, with a seam that parts it from its neighbours. */
  drawOutline(code) {
    if (!code) return;
    if (!this.outlines.has(code)) {
      this.outlines.set(code, borderRuns(this.codes, this.width, this.height, code));
    }
    const runs = this.outlines.get(code);
    this.context.fillStyle = css(theme.paper);
    this.fillRuns(this.context, runs, 4);
    this.context.fillStyle = css(theme.ink);
    this.fillRuns(this.context, runs, 2);
  }

  /** Fills lines along edges of voxels, on whole pixels of the screen. */
  fillRuns(context, runs, thickness) {
    const thick = Math.max(1, Math.round(thickness * pixelRatio()));
    const before = Math.floor(thick / 2);
    const place = (axis, edge) => Math.round(this.origin[axis] + edge * this.scale[axis]) - before;
    const fill = (list, line, along, turn) => {
      for (let run = 0; run < list.length; run += 3) {
        const across = place(line, list[run]);
        const start = place(along, list[run + 1]);
        const length = place(along, list[run + 2]) - start + thick;
        if (turn) context.fillRect(across, start, thick, length);
        else context.fillRect(start, across, length, thick);
      }
    };
    fill(runs.horizontal, 1, 0, false);
    fill(runs.vertical, 0, 1, true);
  }

  drawCrosshair() {
    const {context, canvas} = this;
    const thick = Math.max(1, Math.round(pixelRatio()));
    const [x, y] = this.pixelAt(state.at).map(Math.round);
    const gap = Math.max(6 * thick, this.scale[0], this.scale[1]);
    context.fillStyle = crossColour;
    // The lines end before the letters.
    const room = ROOM_OF_LETTERS * pixelRatio();
    const [right, bottom] = [canvas.width - room, canvas.height - room];
    const line = (left, top, width, height) => {
      if (width > 0 && height > 0) context.fillRect(left, top, width, height);
    };
    line(room, y, x - gap - room, thick);
    line(x + gap, y, right - x - gap, thick);
    line(x, room, thick, y - gap - room);
    line(x, y + gap, thick, bottom - y - gap);
  }

  /** The middle of a voxel on the canvas. */
  pixelAt(voxel) {
    const column = voxel[this.across];
    const x = this.isFlipped ? this.width - 1 - column : column;
    return [
      this.origin[0] + (x + 0.5) * this.scale[0],
      this.origin[1] + (this.height - voxel[this.up] - 0.5) * this.scale[1],
    ];
  }

  /** The voxel under a pointer; null beside the slice. */
  voxelAt(clientX, clientY) {
    const box = this.canvas.getBoundingClientRect();
    const ratio = this.canvas.width / box.width;
    const x = Math.floor(((clientX - box.left) * ratio - this.origin[0]) / this.scale[0]);
    const y = Math.floor(((clientY - box.top) * ratio - this.origin[1]) / this.scale[1]);
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return null;
    const voxel = [...state.at];
    voxel[this.across] = this.isFlipped ? this.width - 1 - x : x;
    voxel[this.up] = this.height - 1 - y;
    return voxel;
  }

  codeAt(clientX, clientY) {
    const voxel = this.voxelAt(clientX, clientY);
    return voxel ? codeOfVoxel(voxel) : 0;
  }

  listen() {
    const {canvas} = this;
    canvas.addEventListener('pointerdown', event => {
      const voxel = this.voxelAt(event.clientX, event.clientY);
      if (!voxel) return;
      moveTo(voxel);
      choose(codeOfVoxel(voxel));
    });
    canvas.addEventListener('pointermove', event => {
      const voxel = this.voxelAt(event.clientX, event.clientY);
      if (voxel && event.buttons & 1) moveTo(voxel);
      hover(voxel ? codeOfVoxel(voxel) : 0, event, voxel && millimetres(voxel));
    });
    canvas.addEventListener('pointerleave', () => hover(0));
    let scrolled = 0;
    canvas.addEventListener('wheel', event => {
      if (event.ctrlKey) return;
      event.preventDefault();
      scrolled += event.deltaMode ? Math.sign(event.deltaY) * SCROLL_OF_A_SLICE : event.deltaY;
      const steps = Math.trunc(scrolled / SCROLL_OF_A_SLICE);
      scrolled -= steps * SCROLL_OF_A_SLICE;
      if (steps) this.step(this.axis, -steps);
    }, {passive: false});
    canvas.addEventListener('keydown', event => this.onKey(event));
  }

  /** Moves the crosshair along an axis. */
  step(axis, by) {
    const voxel = [...state.at];
    voxel[axis] += by;
    moveTo(voxel);
  }

  onKey(event) {
    const right = this.isFlipped ? -1 : 1;
    const moves = {
      ArrowLeft: [this.across, -right],
      ArrowRight: [this.across, right],
      ArrowUp: [this.up, 1],
      ArrowDown: [this.up, -1],
      PageUp: [this.axis, 1],
      PageDown: [this.axis, -1],
    };
    if (event.key in moves) {
      event.preventDefault();
      event.stopPropagation();
      this.step(...moves[event.key]);
      const code = codeOfVoxel(state.at);
      hover(code);
      say(`${this.label.textContent}: ${code ? regionText(code) : 'no region'}`);
    } else if (event.key === 'Enter') {
      choose(codeOfVoxel(state.at));
    }
  }
}

function pixelOfGrey(grey) {
  return (0xff000000 | grey << 16 | grey << 8 | grey) >>> 0;
}

/** Whether slices are turned against the axes of space, by more than rounding. */
const isOblique = Boolean(meta.volume) && meta.volume.affine.some((row, axis) =>
  [0, 1, 2].some(other => other !== axis && Math.abs(row[other]) > 1e-3 * zooms[other]));

const slices = meta.volume ? PLANES.map(plane => new Slice(plane)) : [];

/** Gives all slices the same scale, so that what is equally long looks so. */
function fitSlices() {
  for (const slice of slices) slice.fit();
  const scale = Math.min(...slices.map(slice => slice.largestScale));
  for (const slice of slices) slice.place(scale);
}
