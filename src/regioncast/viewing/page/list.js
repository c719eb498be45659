// The list of regions: sorted, searched, and a way to each of them.

// Beyond so many, only the rows that are seen are there.
const MOST_ROWS = 500;
const ROWS_AROUND = 10;
// Of long names, so many letters at the end are always seen: neighbours differ there.
const LONG_NAME = 14;
const TAIL_OF_NAME = 8;
// Letters that stand by themselves; others are joined, or run from right to left.
const LATIN = /^[ -~\u00a0-\u024f]*$/;
const SIDE_TEXTS = {'-1': 'L', '0': '', '1': 'R'};
const VALUE_TITLES = {values: 'Value', categories: 'Category', atlas: 'Label'};

const collator = new Intl.Collator(undefined, {numeric: true});

/** What the list says of a region, a column each. */
function listColumns() {
  // Where the middle of an image is, is a guess, so the list has just the sides that were told.
  const {names, told, coverage} = meta.regions;
  const columns = [{
    key: 'name',
    title: 'Region',
    text: code => names[code - 1],
    compare: (one, other) => collator.compare(names[one - 1], names[other - 1]),
  }];
  if (told.some(side => side !== 0)) {
    columns.push({
      key: 'side',
      title: 'Side',
      text: code => SIDE_TEXTS[told[code - 1]],
      number: code => told[code - 1],
    });
  }
  columns.push({
    key: 'value',
    title: VALUE_TITLES[meta.show],
    text: code => (meta.show === 'values'
      ? briefText(held(state.map, code))
      : valueText(state.map, code)),
    number: code => value(state.map, code),
  });
  if (coverage) {
    columns.push({
      key: 'coverage',
      title: 'Coverage',
      text: code => coverageText(code),
      number: code => coverage[code - 1] ?? NaN,
    });
  }
  return columns;
}

/** The share of a region for which there were data. */
function coverageText(code) {
  const share = meta.regions.coverage && meta.regions.coverage[code - 1];
  return typeof share === 'number' ? `${Number((100 * share).toFixed(1))} %` : 'n/a';
}

class RegionList {
  constructor() {
    this.frame = element('list');
    this.table = this.frame.querySelector('table');
    this.body = this.table.querySelector('tbody');
    this.columns = listColumns();
    // High values first; but names and labels from the first on.
    this.sorted = this.columns.find(column => column.key === 'value');
    this.direction = meta.show === 'values' ? -1 : 1;
    this.searched = meta.regions.names.map((name, row) =>
      `${name} ${meta.regions.labels[row]}`.toLocaleLowerCase());
    this.codes = [];
    this.active = 0;
    this.marked = [];
    this.timer = 0;
    this.makeHead();
    this.listen();
  }

  makeHead() {
    const head = made('tr');
    head.append(made('th', 'check'));
    head.firstChild.append(made('span', 'hidden', 'Alone'));
    for (const column of this.columns) {
      const cell = made('th', column.key);
      cell.scope = 'col';
      const button = made('button', '', column.title);
      button.type = 'button';
      button.addEventListener('click', () => this.sortBy(column));
      cell.append(button);
      column.head = cell;
      head.append(cell);
    }
    this.table.tHead.replaceChildren(head);
  }

  sortBy(column) {
    const isValue = column.key === 'value' && meta.show === 'values';
    if (this.sorted === column) this.direction *= -1;
    else this.direction = isValue ? -1 : 1;
    this.sorted = column;
    this.refresh();
  }

  /** Makes the list anew, once what changes has come to rest. */
  refreshSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refresh(), 120);
  }

  refresh() {
    clearTimeout(this.timer);
    this.codes = this.found();
    this.sort();
    for (const column of this.columns) {
      const order = this.direction > 0 ? 'ascending' : 'descending';
      setAria(column.head, {sort: column === this.sorted ? order : 'none'});
    }
    setAria(this.table, {rowcount: this.codes.length + 1});
    this.firstRow = -1;
    this.render();
    const isAll = this.codes.length === nRegions;
    element('count').textContent = isAll
      ? counted(nRegions)
      : `${this.codes.length.toLocaleString('en')} of ${counted(nRegions)}`;
    element('only-found').hidden = isAll || this.codes.length === 0;
    element('show-all').hidden = !state.only;
    element('found').hidden = !state.only && element('only-found').hidden;
  }

  /** Codes of the regions that hold every word that is searched. */
  found() {
    const words = element('find').value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    const codes = [];
    for (let code = 1; code <= nRegions; code++) {
      const text = this.searched[code - 1];
      if (words.every(word => text.includes(word))) codes.push(code);
    }
    return codes;
  }

  sort() {
    const {direction, sorted} = this;
    if (sorted.compare) {
      this.codes.sort((one, other) => direction * sorted.compare(one, other));
      return;
    }
    const numbers = Float64Array.from({length: nRegions + 1}, (_, code) =>
      (code ? sorted.number(code) : NaN));
    // What has no value is last, whatever the direction.
    this.codes.sort((one, other) => {
      const isNone = Number.isNaN(numbers[one]) - Number.isNaN(numbers[other]);
      if (isNone) return isNone;
      if (numbers[one] === numbers[other] || Number.isNaN(numbers[one])) return one - other;
      return numbers[one] < numbers[other] ? -direction : direction;
    });
  }

  /** Makes the rows that are seen, or all if they are few. */
  render() {
    const count = this.codes.length;
    let first = 0;
    let end = count;
    if (count > MOST_ROWS) {
      const height = this.rowHeight();
      const top = Math.floor(this.frame.scrollTop / height) - ROWS_AROUND;
      // In steps, so that scrolling does not make rows anew for each pixel.
      first = clamped(top - (top % ROWS_AROUND), 0, count);
      end = Math.min(count, first + Math.ceil(this.frame.clientHeight / height) + 4 * ROWS_AROUND);
    }
    if (first === this.firstRow && end === this.endRow) return;
    this.firstRow = first;
    this.endRow = end;
    const rows = [];
    if (first > 0) rows.push(this.space(first));
    for (let row = first; row < end; row++) rows.push(this.rowOf(this.codes[row], row));
    if (end < count) rows.push(this.space(count - end));
    this.body.replaceChildren(...rows);
    this.mark();
  }

  rowHeight() {
    const row = this.body.querySelector('tr[id]');
    return row ? row.getBoundingClientRect().height : 24;
  }

  /** The room of rows that are not there. */
  space(count) {
    const row = made('tr');
    setAria(row, {hidden: true});
    row.style.height = `${count * this.rowHeight()}px`;
    return row;
  }

  rowOf(code, index) {
    const row = made('tr');
    row.id = `row-${code}`;
    row.dataset.code = code;
    setAria(row, {rowindex: index + 2, selected: false});
    const check = made('input');
    check.type = 'checkbox';
    check.tabIndex = -1;
    check.checked = Boolean(state.only && state.only.has(code));
    setAria(check, {label: `Show ${meta.regions.names[code - 1]} alone`});
    const cell = made('td', 'check');
    cell.append(check);
    row.append(cell);
    for (const column of this.columns) row.append(this.cellOf(column, code));
    return row;
  }

  cellOf(column, code) {
    const cell = made('td', column.key);
    const text = column.text(code);
    if (column.key === 'name') {
      cell.append(chipOf(code), nameOf(text));
      cell.title = text;
    } else {
      cell.textContent = text;
      if (column.key === 'value') cell.title = valueWithUnit(state.map, code);
    }
    return cell;
  }

  /** Marks the rows of the chosen region, of that under the pointer, and of that of the keys. */
  mark() {
    for (const row of this.marked) {
      row.className = '';
      setAria(row, {selected: false});
    }
    const codes = {chosen: state.chosen, hovered: state.hovered, active: this.active};
    this.marked = [];
    for (const [className, code] of Object.entries(codes)) {
      const row = element(`row-${code}`);
      if (!row) continue;
      row.classList.add(className);
      if (className === 'chosen') setAria(row, {selected: true});
      this.marked.push(row);
    }
    const id = `row-${this.active}`;
    setAria(this.frame, {activedescendant: element(id) ? id : ''});
  }

  /** Scrolls to the row of a region. */
  reveal(code) {
    const index = this.codes.indexOf(code);
    if (index < 0) return;
    const height = this.rowHeight();
    const room = this.frame.clientHeight - this.table.tHead.clientHeight;
    const top = index * height;
    if (top < this.frame.scrollTop) this.frame.scrollTop = top;
    else if (top + height > this.frame.scrollTop + room) this.frame.scrollTop = top + height - room;
    this.render();
  }

  activate(index) {
    if (this.codes.length === 0) return;
    this.active = this.codes[clamped(index, 0, this.codes.length - 1)];
    this.reveal(this.active);
    hover(this.active);
    this.mark();
  }

  listen() {
    const codeOf = event => {
      const row = event.target.closest('tr');
      return row ? Number(row.dataset.code || 0) : 0;
    };
    this.body.addEventListener('click', event => {
      const code = codeOf(event);
      if (!code) return;
      this.active = code;
      if (event.target.closest('.check')) toggleOnly(code);
      else goTo(code);
    });
    this.body.addEventListener('pointermove', event => hover(codeOf(event), event));
    this.body.addEventListener('pointerleave', () => hover(0));
    this.frame.addEventListener('scroll', () => this.render(), {passive: true});
    this.frame.addEventListener('keydown', event => this.onKey(event));
    this.frame.addEventListener('blur', () => hover(0));
    element('find').addEventListener('input', () => this.refresh());
    element('find').addEventListener('keydown', event => {
      if (event.key !== 'ArrowDown') return;
      event.preventDefault();
      this.frame.focus();
      this.activate(0);
    });
    element('only-found').addEventListener('click', () => showOnly(new Set(this.codes)));
    element('show-all').addEventListener('click', () => showOnly(null));
  }

  onKey(event) {
    if (event.target !== this.frame) return;
    const index = this.codes.indexOf(this.active || state.chosen);
    const page = Math.max(1, Math.floor(this.frame.clientHeight / this.rowHeight()) - 2);
    const places = {
      ArrowDown: index + 1,
      ArrowUp: index - 1,
      PageDown: index + page,
      PageUp: index - page,
      Home: 0,
      End: this.codes.length - 1,
    };
    if (event.key in places) this.activate(places[event.key]);
    else if (event.key === 'Enter' && this.active) goTo(this.active);
    else if (event.key === ' ' && this.active) toggleOnly(this.active);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

function counted(count) {
  return `${count.toLocaleString('en')} ${count === 1 ? 'region' : 'regions'}`;
}

/** A patch of the colour that a region has. */
function chipOf(code) {
  const chip = made('span', 'chip');
  const colour = colourOf(code);
  if (colour) chip.style.backgroundColor = css(colour);
  if (kinds[code] === ABSENT) {
    chip.classList.add('absent');
    chip.style.color = css(theme.stripe);
  }
  return chip;
}

/** The name of a region; where it is cut short, that is done amid it. */
function nameOf(text) {
  const isCut = text.length > LONG_NAME && LATIN.test(text);
  const name = made('span', isCut ? 'long' : '', isCut ? undefined : text);
  name.dir = 'auto';
  if (isCut) {
    const start = text.length - TAIL_OF_NAME;
    name.append(made('span', '', text.slice(0, start)), made('span', '', text.slice(start)));
  }
  return name;
}

function toggleOnly(code) {
  const only = new Set(state.only || []);
  if (!only.delete(code)) only.add(code);
  showOnly(only.size ? only : null);
}

/** Shows some regions alone; null for all. */
function showOnly(codes) {
  state.only = codes;
  recolour();
  regionList.refresh();
  say(codes ? `${counted(codes.size)} alone` : 'All regions');
}

const regionList = new RegionList();
