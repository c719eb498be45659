// The course of the chosen region over maps.

const COURSE_MARGIN = {left: 56, right: 12, top: 20, bottom: 20};

/** The least of 1, 2 and 5 times a power of ten that parts a span into no more than so many. */
function roundStep(span, count) {
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * [1, 2, 5, 10].find(factor => factor * power >= rough * 0.999);
}

/** Numbers at round steps between two others, no more than about so many. */
function roundTicks(low, high, count) {
  const step = roundStep(high - low, count);
  // Limits as far apart, or as near to each other, as numbers can be.
  if (step === 0 || !Number.isFinite(step)) return [low, high];
  const first = Math.ceil(low / step - 1e-9);
  const more = Math.floor(high / step + 1e-9) - first;
  // A set: numbers that differ by less than twelve digits would be written twice.
  const ticks = new Set();
  for (let tick = 0; tick <= more; tick++) {
    ticks.add(Number(((first + tick) * step).toPrecision(12)));
  }
  return [...ticks];
}

class Course {
  constructor() {
    this.box = element('course');
    this.canvas = this.box.querySelector('canvas');
    this.cursor = this.box.querySelector('.cursor');
    this.context = this.canvas.getContext('2d');
    this.listen();
  }

  /** The region whose course is drawn: the chosen one, else that under the pointer. */
  get code() {
    return state.chosen || state.hovered;
  }

  /** The width between the margins, in pixels of the page. */
  get room() {
    return this.box.clientWidth - COURSE_MARGIN.left - COURSE_MARGIN.right;
  }

  placeOf(map) {
    return COURSE_MARGIN.left + (map / Math.max(1, nMaps - 1)) * this.room;
  }

  draw() {
    if (nMaps < 2) return;
    const ratio = pixelRatio();
    const {canvas, context, box} = this;
    canvas.width = Math.round(box.clientWidth * ratio);
    canvas.height = Math.round(box.clientHeight * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.font = `11px ${getComputedStyle(document.body).fontFamily}`;
    const name = this.code ? meta.regions.names[this.code - 1] : 'the chosen region';
    setAria(canvas, {label: `Course of ${name} over maps`});
    this.drawMaps();
    if (!this.code) this.drawHint();
    else if (meta.show === 'categories') this.drawCategories();
    else this.drawValues();
    this.move();
  }

  drawHint() {
    this.write('Choose a region to see its course over maps', COURSE_MARGIN.left, 13);
  }

  write(text, x, y, align = 'left') {
    this.context.textAlign = align;
    this.context.fillStyle = css(theme.dim);
    this.context.fillText(text, x, y);
  }

  /** Writes the titles of some maps below the course. */
  drawMaps() {
    const y = this.box.clientHeight - 6;
    const step = Math.max(1, roundStep(nMaps - 1, Math.max(1, this.room / 120)));
    for (let map = 0; map < nMaps; map += step) {
      const place = this.placeOf(map);
      const isAtEnd = place + 50 > this.box.clientWidth;
      const align = map === 0 ? 'left' : isAtEnd ? 'right' : 'center';
      this.write(shortened(meta.maps.titles[map], 18), place, y, align);
    }
  }

  drawValues() {
    const [low, high] = this.range();
    const bottom = this.box.clientHeight - COURSE_MARGIN.bottom;
    const height = bottom - COURSE_MARGIN.top;
    const yOf = number => bottom - ((number - low) / (high - low)) * height;
    const {context} = this;
    for (const tick of roundTicks(low, high, Math.max(2, height / 14))) {
      context.fillStyle = css(theme.dim, tick === 0 ? 0.6 : 0.18);
      context.fillRect(COURSE_MARGIN.left, Math.round(yOf(tick)), this.room, 1);
      this.write(briefText(tick), COURSE_MARGIN.left - 6, yOf(tick) + 4, 'right');
    }
    this.drawLine(yOf);
    const unit = meta.unit ? ` (${meta.unit})` : '';
    this.write(meta.regions.names[this.code - 1] + unit, COURSE_MARGIN.left, 13);
  }

  /** The lowest and the highest value of the chosen region. */
  range() {
    let low = Infinity;
    let high = -Infinity;
    for (let map = 0; map < nMaps; map++) {
      const number = value(map, this.code);
      if (!Number.isFinite(number)) continue;
      if (number < low) low = number;
      if (number > high) high = number;
    }
    if (low > high) return [state.low, state.high];
    return low < high ? [low, high] : [low - 1, high + 1];
  }

  /** Draws the values; where there is none, the line has a gap. */
  drawLine(yOf) {
    const {context} = this;
    context.strokeStyle = accentColour;
    context.fillStyle = accentColour;
    context.lineWidth = 1.4;
    context.lineJoin = 'round';
    context.beginPath();
    let isDrawing = false;
    for (let map = 0; map < nMaps; map++) {
      const number = value(map, this.code);
      const isThere = Number.isFinite(number);
      if (isThere && isDrawing) context.lineTo(this.placeOf(map), yOf(number));
      if (isThere && !isDrawing) context.moveTo(this.placeOf(map), yOf(number));
      isDrawing = isThere;
    }
    context.stroke();
    // Few maps, or some between gaps, would have no line to be seen by.
    if (this.room / nMaps < 6) return;
    for (let map = 0; map < nMaps; map++) {
      const number = value(map, this.code);
      if (!Number.isFinite(number)) continue;
      context.beginPath();
      context.arc(this.placeOf(map), yOf(number), 2.5, 0, 2 * Math.PI);
      context.fill();
    }
  }

  /** Draws a strip with the colour of the category of each map. */
  drawCategories() {
    const {context} = this;
    const width = this.room / (nMaps - 1);
    const height = this.box.clientHeight - COURSE_MARGIN.top - COURSE_MARGIN.bottom;
    for (let map = 0; map < nMaps; map++) {
      const row = categoryRows.get(value(map, this.code));
      if (row === undefined) continue;
      context.fillStyle = meta.categories.colors[row];
      context.fillRect(this.placeOf(map) - width / 2, COURSE_MARGIN.top, width + 0.5, height);
    }
    this.write(meta.regions.names[this.code - 1], COURSE_MARGIN.left, 13);
  }

  /** Moves the cursor to the map that is seen. */
  move() {
    this.cursor.style.transform = `translateX(${this.placeOf(state.map)}px)`;
  }

  listen() {
    const jump = event => {
      const x = event.clientX - this.box.getBoundingClientRect().left - COURSE_MARGIN.left;
      setMap(Math.round((x / this.room) * (nMaps - 1)));
    };
    this.box.addEventListener('pointerdown', event => {
      this.box.setPointerCapture(event.pointerId);
      jump(event);
    });
    this.box.addEventListener('pointermove', event => {
      if (event.buttons & 1) jump(event);
    });
  }
}

function shortened(text, length) {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

const course = new Course();
