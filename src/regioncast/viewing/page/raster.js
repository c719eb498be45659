// From meshes to an image of codes: a small rasteriser, so that a 3D view is coloured as slices are.

// How bright a surface is that is seen from its edge, how much brighter one that faces the eye, and
// how much light comes from above.
const AMBIENT = 0.5;
const FACING = 0.48;
const FROM_ABOVE = 0.06;

// How bright a surface is where it lies deep, of what it would be: with a region, and without.
const SULCUS = 0.9;
const BARE_SULCUS = 0.7;

// How often the normals of voxels are softened.
const SOFTENINGS = 3;

// How much darker hollows are, and ridges brighter; they are found by so many rounds of smoothing.
const RELIEF = 0.1;
const ROUNDS = 6;

const DEGREE = Math.PI / 180;

// Triangles that share an edge leave no pixel on it to each other, whatever rounding says.
const ON_AN_EDGE = 1e-9;

// How dark the lines between regions are: where there are several samples to a pixel, the line is
// thinner than a pixel, and as dark as this only in part.
const LINE = 0.42;
const COARSE_LINE = 0.7;

/** Returns the directions of a camera in space: to the right, up, and towards the eye. */
function axesOf({azimuth, elevation}) {
  const [ca, sa] = [Math.cos(azimuth * DEGREE), Math.sin(azimuth * DEGREE)];
  const [ce, se] = [Math.cos(elevation * DEGREE), Math.sin(elevation * DEGREE)];
  return [[ca, sa, 0], [-sa * se, ca * se, ce], [sa * ce, -ca * ce, se]];
}

/** Adds to a mesh what every view of it needs: normals, and room for what a camera sees. */
function prepared(mesh) {
  const nVertices = mesh.positions.length / 3;
  mesh.normals = normalsOf(mesh);
  leaveOutLoose(mesh);
  mesh.relief = null;
  if (mesh.kind === 'surface') mesh.relief = reliefOf(mesh);
  else softenNormals(mesh);
  mesh.shift = 0;
  for (const name of ['x', 'y', 'depth', 'light']) mesh[name] = new Float32Array(nVertices);
  return mesh;
}

/** Puts vertices without triangles, as flat maps have them, where they make no view wider. */
function leaveOutLoose({positions, normals, triangles}) {
  const first = 3 * triangles[0];
  const somewhere = positions.slice(first, first + 3);
  for (let at = 0; at < positions.length; at += 3) {
    if (!normals[at] && !normals[at + 1] && !normals[at + 2]) positions.set(somewhere, at);
  }
}

/** Makes normals smoother than the mesh itself, on which voxels leave terraces. */
function softenNormals(mesh) {
  for (let round = 0; round < SOFTENINGS; round++) {
    mesh.normals = unitLong(neighbourMeans(mesh.normals, mesh.triangles));
  }
}

/** Returns directions of length 1 away from a surface, at its vertices. */
function normalsOf({positions, triangles}) {
  const normals = new Float32Array(positions.length);
  for (let at = 0; at < triangles.length; at += 3) {
    const a = 3 * triangles[at], b = 3 * triangles[at + 1], c = 3 * triangles[at + 2];
    const ux = positions[b] - positions[a], vx = positions[c] - positions[a];
    const uy = positions[b + 1] - positions[a + 1], vy = positions[c + 1] - positions[a + 1];
    const uz = positions[b + 2] - positions[a + 2], vz = positions[c + 2] - positions[a + 2];
    const x = uy * vz - uz * vy, y = uz * vx - ux * vz, z = ux * vy - uy * vx;
    for (const corner of [a, b, c]) {
      normals[corner] += x;
      normals[corner + 1] += y;
      normals[corner + 2] += z;
    }
  }
  return unitLong(normals);
}

function unitLong(vectors) {
  for (let at = 0; at < vectors.length; at += 3) {
    const x = vectors[at], y = vectors[at + 1], z = vectors[at + 2];
    const length = Math.sqrt(x * x + y * y + z * z) || 1;
    for (let axis = 0; axis < 3; axis++) vectors[at + axis] /= length;
  }
  return vectors;
}

/** Returns the mean of vectors at each vertex and at its neighbours. */
function neighbourMeans(vectors, triangles) {
  const sums = new Float32Array(vectors.length);
  const counts = new Float32Array(vectors.length / 3);
  for (let at = 0; at < triangles.length; at += 3) {
    const [a, b, c] = [triangles[at], triangles[at + 1], triangles[at + 2]];
    counts[a] += 3;
    counts[b] += 3;
    counts[c] += 3;
    for (let axis = 0; axis < 3; axis++) {
      const sum = vectors[3 * a + axis] + vectors[3 * b + axis] + vectors[3 * c + axis];
      sums[3 * a + axis] += sum;
      sums[3 * b + axis] += sum;
      sums[3 * c + axis] += sum;
    }
  }
  for (let at = 0; at < sums.length; at++) sums[at] /= counts[at / 3 | 0] || 1;
  return sums;
}

/** Returns how bright vertices are for their place: in hollows less, on ridges more. */
function reliefOf({positions, triangles, normals}) {
  let smooth = positions;
  for (let round = 0; round < ROUNDS; round++) smooth = neighbourMeans(smooth, triangles);
  const hollows = new Float32Array(positions.length / 3);
  let sum = 0;
  for (let at = 0; at < positions.length; at++) {
    const moved = smooth[at] - positions[at];
    hollows[at / 3 | 0] += normals[at] * moved;
    sum += moved ** 2;
  }
  // Of flat maps vertices move along the surface, so what little they move off it is nothing.
  const usual = Math.sqrt(sum / hollows.length) || 1;
  return hollows.map(depth => 1 - RELIEF * clamped(depth / usual, -1, 2));
}

/**
 * Draws meshes into an image, which has the code, the depth and the shade of each pixel; a shade of
 * 0 says that nothing is there.
 *
 * The camera has an azimuth, an elevation, and the `centre` of what it looks at, in mm; a `margin`
 * around it, in pixels, a `zoom` to what fits into that, and an `offset`, in parts of the image.
 */
function rasterise(meshes, camera, width, height, image) {
  makeRoom(image, width, height);
  const axes = axesOf(camera);
  // What has no extent is not infinitely large for that.
  let across = 1e-6, up = 1e-6;
  for (const mesh of meshes) {
    const [x, y] = projectMesh(mesh, axes, camera.centre);
    across = Math.max(across, x);
    up = Math.max(up, y);
  }
  const [room, headroom] = [width, height].map(size => Math.max(1, size / 2 - camera.margin));
  const scale = camera.zoom * Math.min(room / across, headroom / up);
  const [right, down] = camera.offset;
  image.scale = scale;
  for (const mesh of meshes) {
    placeMesh(mesh, scale, width * (0.5 + right), height * (0.5 + down));
    for (let at = 0; at < mesh.triangles.length; at += 3) fillTriangle(mesh, at, image);
  }
  return image;
}

/** Empties an image, and makes it of a size. */
function makeRoom(image, width, height) {
  const nPixels = width * height;
  if (!image.codes || image.codes.length !== nPixels) {
    image.codes = new (nRegions > 0xffff ? Uint32Array : Uint16Array)(nPixels);
    image.depth = new Float32Array(nPixels);
    image.shade = new Uint8Array(nPixels);
  }
  image.width = width;
  image.height = height;
  image.codes.fill(0);
  image.depth.fill(-Infinity);
  image.shade.fill(0);
}

/** Finds where a camera sees the vertices of a mesh, and returns how far they go, across and up. */
function projectMesh(mesh, [right, up, eye], centre) {
  const {positions, normals, relief, x, y, depth, light, grey} = mesh;
  const [cx, cy, cz] = [centre[0] - mesh.shift, centre[1], centre[2]];
  let width = 0, height = 0;
  for (let vertex = 0, at = 0; vertex < x.length; vertex++, at += 3) {
    const px = positions[at] - cx, py = positions[at + 1] - cy, pz = positions[at + 2] - cz;
    const nx = normals[at], ny = normals[at + 1], nz = normals[at + 2];
    x[vertex] = right[0] * px + right[1] * py;
    y[vertex] = up[0] * px + up[1] * py + up[2] * pz;
    depth[vertex] = eye[0] * px + eye[1] * py + eye[2] * pz;
    width = Math.max(width, Math.abs(x[vertex]));
    height = Math.max(height, Math.abs(y[vertex]));
    const facing = Math.max(0, eye[0] * nx + eye[1] * ny + eye[2] * nz);
    const above = Math.max(0, up[0] * nx + up[1] * ny + up[2] * nz);
    let bright = AMBIENT + FACING * facing + FROM_ABOVE * above;
    if (relief) bright *= relief[vertex];
    if (grey && grey[vertex]) bright *= mesh.codes[vertex] ? SULCUS : BARE_SULCUS;
    light[vertex] = 255 * Math.min(1, bright);
  }
  return [width, height];
}

/** Moves what a camera sees from mm to pixels, the top row first. */
function placeMesh({x, y}, scale, column, row) {
  for (let vertex = 0; vertex < x.length; vertex++) {
    x[vertex] = column + scale * x[vertex];
    y[vertex] = row - scale * y[vertex];
  }
}

/**
 * Draws a triangle where its pixels are in front, if it is seen from outside.
 *
 * Depth and light are planes over the image, and so is how near a pixel is to each corner: the three
 * sum to 1, and a pixel is in the triangle where none is negative.
 */
function fillTriangle(mesh, at, image) {
  const {x, y, depth: z, light, triangles} = mesh;
  const a = triangles[at], b = triangles[at + 1], c = triangles[at + 2];
  const ax = x[a], ay = y[a];
  const abx = x[b] - ax, aby = y[b] - ay, acx = x[c] - ax, acy = y[c] - ay;
  const area = abx * acy - aby * acx;
  if (!(area < 0)) return;
  const {width, height, codes, depth, shade} = image;
  const left = Math.max(0, Math.ceil(ax + Math.min(0, abx, acx) - 0.5));
  const right = Math.min(width - 1, Math.floor(ax + Math.max(0, abx, acx) - 0.5));
  const top = Math.max(0, Math.ceil(ay + Math.min(0, aby, acy) - 0.5));
  const bottom = Math.min(height - 1, Math.floor(ay + Math.max(0, aby, acy) - 0.5));
  if (left > right) return;
  // From a pixel to the next one to the right.
  const stepB = acy / area, stepC = -aby / area;
  const zB = z[b] - z[a], zC = z[c] - z[a], zStep = stepB * zB + stepC * zC;
  const lightB = light[b] - light[a], lightC = light[c] - light[a];
  const lightStep = stepB * lightB + stepC * lightC;
  const codeA = mesh.codes[a], codeB = mesh.codes[b], codeC = mesh.codes[c];
  const isOne = codeA === codeB && codeB === codeC;
  const px = left + 0.5 - ax;
  for (let row = top; row <= bottom; row++) {
    const py = row + 0.5 - ay;
    const nearB = (px * acy - py * acx) / area, nearC = (py * abx - px * aby) / area;
    const [first, last] = spanOf(nearB, nearC, stepB, stepC, right - left);
    let toEye = z[a] + nearB * zB + nearC * zC + first * zStep;
    let bright = light[a] + nearB * lightB + nearC * lightC + first * lightStep;
    let pixel = row * width + left + first;
    for (let n = first; n <= last; n++, pixel++, toEye += zStep, bright += lightStep) {
      if (toEye <= depth[pixel]) continue;
      depth[pixel] = toEye;
      shade[pixel] = bright;
      codes[pixel] = isOne ? codeA
        : codeOf(codeA, codeB, codeC, nearB + n * stepB, nearC + n * stepC);
    }
  }
}

/**
 * Returns the code that has most of a point between three corners.  It is never a mixture; and that
 * of two corners ends amid the edges to the third, so that parcels have no teeth.
 */
function codeOf(codeA, codeB, codeC, nearB, nearC) {
  const nearA = 1 - nearB - nearC;
  if (codeB === codeC) return nearA > 0.5 ? codeA : codeB;
  if (codeA === codeC) return nearB > 0.5 ? codeB : codeA;
  if (codeA === codeB) return nearC > 0.5 ? codeC : codeA;
  if (nearA >= nearB && nearA >= nearC) return codeA;
  return nearB >= nearC ? codeB : codeC;
}

// The first and the last pixel of a row that are in a triangle; made once, as rows are many.
const rowEnds = new Int32Array(2);

/** Finds which pixels of a row, of the first to `last`, are in a triangle. */
function spanOf(nearB, nearC, stepB, stepC, last) {
  rowEnds[0] = 0;
  rowEnds[1] = last;
  cutSpan(nearB, stepB);
  cutSpan(nearC, stepC);
  cutSpan(1 - nearB - nearC, -stepB - stepC);
  return rowEnds;
}

/** Cuts off pixels where what grows by `step` from one to the next is negative. */
function cutSpan(start, step) {
  if (step > 0) rowEnds[0] = Math.max(rowEnds[0], Math.ceil(-start / step - ON_AN_EDGE));
  else if (step < 0) rowEnds[1] = Math.min(rowEnds[1], Math.floor(-start / step + ON_AN_EDGE));
  else if (start < 0) rowEnds[1] = -1;
}

/**
 * What is on the canvas of an image of codes.
 *
 * Most pixels have one code in all their samples: *plain* ones.  Others, at the edges of regions,
 * are made of several.  Both are listed once per view, so that a new map just looks up colours.
 */
class Picture {
  /**
   * Lists the pixels of an image that has `factor` samples along each edge of a pixel.  Lines between
   * regions are one sample wide, or, if they shall be thick, two.
   */
  take(image, factor, isThick) {
    this.image = image;
    this.factor = factor;
    this.width = image.width / factor;
    this.height = image.height / factor;
    const {data} = this;
    if (!data || data.width !== this.width || data.height !== this.height) this.makeRoom();
    this.pixels.fill(0);
    this.findLines(isThick);
    this.listPixels();
  }

  makeRoom() {
    const nPixels = this.width * this.height;
    this.data = new ImageData(this.width, this.height);
    this.pixels = new Uint32Array(this.data.data.buffer);
    this.plain = new Uint32Array(nPixels);
    this.plainCodes = new this.image.codes.constructor(nPixels);
    this.plainShades = new Uint8Array(nPixels);
    this.mixed = new Uint32Array(nPixels);
    this.isLine = new Uint8Array(4 * nPixels);
  }

  /** Finds samples that are of another region than the one to the left or above. */
  findLines(isThick) {
    const {codes, shade, width} = this.image;
    const {isLine} = this;
    isLine.fill(0);
    for (let at = width; at < codes.length; at++) {
      if (!shade[at]) continue;
      for (const other of [at - 1, at - width]) {
        if (codes[other] === codes[at] || !shade[other]) continue;
        isLine[at] = 1;
        if (isThick) isLine[other] = 1;
      }
    }
  }

  listPixels() {
    const {codes, shade} = this.image;
    const {width, height, factor, isLine} = this;
    const rowStep = factor * width;
    const [right, below, last] = factor === 1 ? [0, 0, 0] : [1, rowStep, rowStep + 1];
    this.nPlain = this.nMixed = 0;
    for (let y = 0, pixel = 0; y < height; y++) {
      let at = factor * y * rowStep;
      for (let x = 0; x < width; x++, pixel++, at += factor) {
        const one = shade[at], two = shade[at + right];
        const three = shade[at + below], four = shade[at + last];
        if (!(one | two | three | four)) continue;
        const code = codes[at];
        const isPlain = one && two && three && four
          && code === codes[at + right] && code === codes[at + below] && code === codes[at + last]
          && !(isLine[at] | isLine[at + right] | isLine[at + below] | isLine[at + last]);
        if (isPlain) {
          this.plain[this.nPlain] = pixel;
          this.plainCodes[this.nPlain] = code;
          this.plainShades[this.nPlain++] = (one + two + three + four) >> 2;
        } else {
          this.mixed[this.nMixed++] = pixel;
        }
      }
    }
  }

  /** Colours all pixels: `colours` has red, green, blue, and whether there are stripes, by code. */
  colour(colours, stripe, lines) {
    this.colourPlain(colours, stripe);
    const line = !lines ? 1 : this.factor === 1 ? COARSE_LINE : LINE;
    for (let n = 0; n < this.nMixed; n++) {
      const pixel = this.mixed[n];
      this.pixels[pixel] = this.mixture(pixel, colours, stripe, line);
    }
  }

  colourPlain(colours, stripe) {
    const {plain, plainCodes, plainShades, pixels, width} = this;
    for (let n = 0; n < this.nPlain; n++) {
      const pixel = plain[n];
      const shade = plainShades[n] + 1;
      let from = colours, at = 4 * plainCodes[n];
      if (colours[at + 3] && isStripe(pixel % width, pixel / width | 0)) [from, at] = [stripe, 0];
      pixels[pixel] = 0xff000000 | (from[at + 2] * shade >> 8) << 16
        | (from[at + 1] * shade >> 8) << 8 | from[at] * shade >> 8;
    }
  }

  /** Returns the mean of the samples of a pixel, as transparent as samples are missing. */
  mixture(pixel, colours, stripe, line) {
    const {factor, width, isLine, image: {codes, shade}} = this;
    const x = pixel % width, y = pixel / width | 0;
    const hasStripe = isStripe(x, y);
    let red = 0, green = 0, blue = 0, nSamples = 0;
    for (let down = 0; down < factor; down++) {
      for (let across = 0; across < factor; across++) {
        const sample = (factor * y + down) * factor * width + factor * x + across;
        if (!shade[sample]) continue;
        const bright = (shade[sample] + 1) / 256 * (isLine[sample] ? line : 1);
        let from = colours, at = 4 * codes[sample];
        if (hasStripe && colours[at + 3]) [from, at] = [stripe, 0];
        red += bright * from[at];
        green += bright * from[at + 1];
        blue += bright * from[at + 2];
        nSamples++;
      }
    }
    const alpha = 255 * nSamples / (factor * factor) | 0;
    return alpha << 24 | (blue / nSamples | 0) << 16 | (green / nSamples | 0) << 8 | red / nSamples | 0;
  }

  /** Returns the outline of a region as a path; none where it is not seen. */
  outline(code) {
    const path = new Path2D();
    const {codes, left, top, width, height} = this.around(code);
    const {horizontal, vertical} = borderRuns(codes, width, height, code);
    const go = (how, x, y) => path[how]((x + left) / this.factor, (y + top) / this.factor);
    for (let run = 0; run < horizontal.length; run += 3) {
      go('moveTo', horizontal[run + 1], horizontal[run]);
      go('lineTo', horizontal[run + 2], horizontal[run]);
    }
    for (let run = 0; run < vertical.length; run += 3) {
      go('moveTo', vertical[run], vertical[run + 1]);
      go('lineTo', vertical[run], vertical[run + 2]);
    }
    return path;
  }

  /** Returns the part of the image that a region is in: few rows and columns of many. */
  around(code) {
    const {codes: all, width: rowStep} = this.image;
    const top = Math.floor(all.indexOf(code) / rowStep);
    if (top < 0) return {codes: [], left: 0, top: 0, width: 0, height: 0};
    const height = Math.floor(all.lastIndexOf(code) / rowStep) + 1 - top;
    let left = rowStep, right = 0;
    for (let row = top; row < top + height; row++) {
      const inRow = all.subarray(row * rowStep, (row + 1) * rowStep);
      const first = inRow.indexOf(code);
      if (first < 0) continue;
      left = Math.min(left, first);
      right = Math.max(right, inRow.lastIndexOf(code) + 1);
    }
    const width = right - left;
    const codes = new all.constructor(width * height);
    for (let row = 0; row < height; row++) {
      const start = (top + row) * rowStep + left;
      codes.set(all.subarray(start, start + width), row * width);
    }
    return {codes, left, top, width, height};
  }
}
