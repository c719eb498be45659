// The meshes of the 3D view: those of surfaces come with the page, those of voxels are made here.

// Rounds of smoothing, each of two steps: one smooths, the next, of the other sign, undoes the
// shrinking (Taubin 1995, doi:10.1109/ICCV.1995.466848).
const N_SMOOTHINGS = 4;
const STEPS = [0.52, -0.5];

// x = 0 is the middle of a brain where at least this share of its voxels is on either side.
const LEAST_SHARE = 0.1;

/**
 * Return what is drawn in 3D: per mesh its side (-1 left, 1 right, 0 neither), what it is made of,
 * positions in mm, triangles counter-clockwise as seen from outside, a code per vertex, and where
 * the surface lies deep, if that is known.
 */
async function surfaceMeshes() {
  const meshes = (meta.meshes || []).map(unpackedMesh);
  if (meta.volume) meshes.push(...meshesOfVoxels());
  return meshes;
}

/** Return a mesh that came with the page, as packing.py packed it. */
function unpackedMesh(entry) {
  const steps = summed(arrays[entry.coordinates], entry.nVertices);
  const positions = new Float32Array(steps.length);
  for (let i = 0; i < steps.length; i++) positions[i] = entry.origin[i % 3] + entry.step * steps[i];
  const triangles = summed(arrays[entry.faces], entry.nFaces);
  const bits = entry.sulci && arrays[entry.sulci];
  const grey = bits ? new Uint8Array(entry.nVertices) : null;
  for (let v = 0; grey && v < grey.length; v++) grey[v] = bits[v >> 3] >> (7 - (v & 7)) & 1;
  const codes = arrays[entry.codes];
  return {side: entry.side, kind: 'surface', positions, triangles, codes, grey};
}

/**
 * Return rows of three numbers from the differences between successive rows.  They come column by
 * column, as 2d or -2d - 1, all lowest bytes first, then all that are next.
 */
function summed(bytes, nRows) {
  const numbers = new Uint32Array(3 * nRows);
  const plane = numbers.length;
  for (let column = 0, at = 0; column < 3; column++) {
    let number = 0;
    for (let row = 0; row < nRows; row++, at++) {
      let difference = 0;
      for (let place = at, shift = 0; place < bytes.length; place += plane, shift += 8) {
        difference |= bytes[place] << shift;
      }
      number += (difference >>> 1) ^ -(difference & 1);
      numbers[3 * row + column] = number;
    }
  }
  return numbers;
}

/** Return a mesh of the voxels of each side: where sides touch, one mesh would join them. */
function meshesOfVoxels() {
  const sides = sidesOfVoxels();
  const meshes = [];
  for (const side of [-1, 0, 1]) {
    const mesh = surfaceNets(arrays.codes, sides, side + 2, meta.volume.shape);
    if (!mesh.codes.length) continue;
    smooth(mesh);
    toMillimetres(mesh.positions);
    const {positions, triangles, codes} = mesh;
    meshes.push({side, kind: 'voxels', positions, triangles, codes, grey: null});
  }
  return meshes;
}

/** Return per voxel 1 if it is of the left side, 2 of neither, 3 of the right one, 0 of no region. */
function sidesOfVoxels() {
  const {shape: [ni, nj, nk], affine: [[xi, xj, xk, x0]]} = meta.volume;
  const codes = arrays.codes;
  const ofCode = [0, ...meta.regions.sides.map(side => side + 2)];
  const sides = new Uint8Array(codes.length);
  let nVoxels = 0, nLeft = 0, areSaid = false;
  for (let k = 0, at = 0; k < nk; k++) {
    for (let j = 0; j < nj; j++) {
      const x = x0 + xj * j + xk * k;
      for (let i = 0; i < ni; i++, at++) {
        const code = codes[at];
        if (!code) continue;
        const isLeft = x + xi * i < 0;
        nVoxels++;
        if (isLeft) nLeft++;
        const said = ofCode[code];
        if (said !== 2) areSaid = true;
        sides[at] = said !== 2 ? said : isLeft ? 1 : 3;
      }
    }
  }
  const isDivided = LEAST_SHARE * nVoxels < nLeft && nLeft < (1 - LEAST_SHARE) * nVoxels;
  if (!areSaid && !isDivided) for (let at = 0; at < sides.length; at++) if (sides[at]) sides[at] = 2;
  return sides;
}

/**
 * Return the surface around all voxels of one side, as a mesh of quads in voxel coordinates.
 *
 * Surface nets (Gibson 1998, doi:10.1007/BFb0056277): a *cell* has its corners at the centres of
 * eight voxels; one that has corners inside and outside gets a vertex, at the mean of where its
 * edges cross the surface.  Where two neighbouring voxels differ, the four cells around their edge
 * make a quad.  A vertex has the code that most of the eight voxels have.
 */
function surfaceNets(codes, sides, side, [ni, nj, nk]) {
  const rowStep = ni, sliceStep = ni * nj;
  const corners = [0, 1, rowStep, rowStep + 1].flatMap(at => [at, at + sliceStep]);
  corners.sort((a, b) => a - b);
  // Vertices of cells: of this slice and that before, which are all that quads ask for.
  let before = new Int32Array(sliceStep), here = new Int32Array(sliceStep);
  const positions = [], vertexCodes = [], quads = [];
  const quad = (a, b, c, d, isOutside) => {
    if (isOutside) quads.push(a, d, c, b);
    else quads.push(a, b, c, d);
  };
  for (let k = 0; k < nk - 1; k++) {
    for (let j = 0; j < nj - 1; j++) {
      let voxel = k * sliceStep + j * rowStep;
      let pixel = j * rowStep;
      let mask = 0;
      for (let i = 0; i < ni - 1; i++, voxel++, pixel++) {
        // The corners that were to the right in the cell before are to the left in this one.
        mask = mask >> 1 & 0x55;
        if (sides[voxel + 1] === side) mask |= 2;
        if (sides[voxel + rowStep + 1] === side) mask |= 8;
        if (sides[voxel + sliceStep + 1] === side) mask |= 32;
        if (sides[voxel + sliceStep + rowStep + 1] === side) mask |= 128;
        if (mask === 0 || mask === 255) continue;
        here[pixel] = vertexCodes.length;
        positions.push(
          i + CROSSINGS[3 * mask], j + CROSSINGS[3 * mask + 1], k + CROSSINGS[3 * mask + 2]);
        vertexCodes.push(mostFrequent(codes, voxel, corners, mask));
        const isOutside = !(mask & 1);
        if ((mask >> 1 & 1) !== (mask & 1)) {
          quad(before[pixel - rowStep], before[pixel], here[pixel], here[pixel - rowStep], isOutside);
        }
        if ((mask >> 2 & 1) !== (mask & 1)) {
          quad(before[pixel - 1], here[pixel - 1], here[pixel], before[pixel], isOutside);
        }
        if ((mask >> 4 & 1) !== (mask & 1)) {
          quad(here[pixel - rowStep - 1], here[pixel - rowStep], here[pixel], here[pixel - 1],
            isOutside);
        }
      }
    }
    [before, here] = [here, before];
  }
  return {
    positions: Float32Array.from(positions),
    quads: Uint32Array.from(quads),
    triangles: trianglesOf(quads),
    codes: codes.constructor.from(vertexCodes),
  };
}

// Where the vertex of a cell is, by which of its corners are inside: bit 0 at the origin, bit 1 one
// step along i, bit 2 along j, bit 4 along k.
const CROSSINGS = crossings();

function crossings() {
  const table = new Float64Array(3 * 256);
  for (let mask = 1; mask < 255; mask++) {
    const sum = [0, 0, 0];
    let n = 0;
    for (let corner = 0; corner < 8; corner++) {
      for (const step of [1, 2, 4]) {
        const other = corner | step;
        if (other === corner || (mask >> corner & 1) === (mask >> other & 1)) continue;
        n++;
        for (let axis = 0; axis < 3; axis++) {
          sum[axis] += ((corner >> axis & 1) + (other >> axis & 1)) / 2;
        }
      }
    }
    for (let axis = 0; axis < 3; axis++) table[3 * mask + axis] = sum[axis] / n;
  }
  return table;
}

/** Return the code that most of the corners inside have; of several, that of the first corner. */
function mostFrequent(codes, voxel, corners, mask) {
  let best = 0, most = 0;
  for (let corner = 0; corner < 8; corner++) {
    if (!(mask >> corner & 1)) continue;
    const code = codes[voxel + corners[corner]];
    if (code === best) continue;
    let n = 0;
    for (let other = corner; other < 8; other++) {
      if (mask >> other & 1 && codes[voxel + corners[other]] === code) n++;
    }
    if (n > most) [most, best] = [n, code];
  }
  return best;
}

function trianglesOf(quads) {
  const triangles = new Uint32Array(quads.length / 4 * 6);
  for (let from = 0, to = 0; from < quads.length; from += 4) {
    const [a, b, c, d] = [quads[from], quads[from + 1], quads[from + 2], quads[from + 3]];
    triangles[to++] = a;
    triangles[to++] = b;
    triangles[to++] = c;
    triangles[to++] = a;
    triangles[to++] = c;
    triangles[to++] = d;
  }
  return triangles;
}

/** Smooth a mesh of quads, in voxel coordinates; no vertex leaves its place by more than a voxel. */
function smooth({positions, quads}) {
  const first = positions.slice();
  const nNeighbours = new Uint8Array(positions.length / 3);
  for (const vertex of quads) nNeighbours[vertex]++;
  const sums = new Float32Array(positions.length);
  for (let round = 0; round < N_SMOOTHINGS; round++) {
    for (const step of STEPS) {
      sumNeighbours(positions, quads, sums);
      for (let i = 0; i < positions.length; i++) {
        const mean = sums[i] / nNeighbours[i / 3 | 0];
        const moved = positions[i] + step * (mean - positions[i]);
        positions[i] = Math.max(first[i] - 1, Math.min(first[i] + 1, moved));
      }
    }
  }
}

/** Sum the positions of the neighbours of each vertex; two quads share an edge, once in each sense. */
function sumNeighbours(positions, quads, sums) {
  sums.fill(0);
  for (let at = 0; at < quads.length; at += 4) {
    let a = 3 * quads[at + 3];
    for (let corner = 0; corner < 4; corner++) {
      const b = 3 * quads[at + corner];
      sums[a] += positions[b];
      sums[a + 1] += positions[b + 1];
      sums[a + 2] += positions[b + 2];
      a = b;
    }
  }
}

/** Move positions from voxel coordinates to mm. */
function toMillimetres(positions) {
  const [x, y, z] = meta.volume.affine;
  for (let at = 0; at < positions.length; at += 3) {
    const [i, j, k] = [positions[at], positions[at + 1], positions[at + 2]];
    positions[at] = x[0] * i + x[1] * j + x[2] * k + x[3];
    positions[at + 1] = y[0] * i + y[1] * j + y[2] * k + y[3];
    positions[at + 2] = z[0] * i + z[1] * j + z[2] * k + z[3];
  }
}
