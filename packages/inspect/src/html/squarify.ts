/** A rectangle; the unit is whatever the caller counts in. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Divides a rectangle among weights, each part as square as it will go (Bruls, Huizing, van Wijk: "Squarified
 * Treemaps", 2000). Areas are proportional to the weights, which have to be positive and come largest first; parts come
 * in the same order.
 */
export function squarify(weights: readonly number[], box: Box): Box[] {
  let left = weights.reduce((sum, weight) => sum + weight, 0);
  let free = box;
  const boxes: Box[] = [];
  for (let start = 0; start < weights.length; ) {
    const scale = (free.width * free.height) / left;
    const end = rowEnd(weights, start, scale, Math.min(free.width, free.height));
    const row = weights.slice(start, end);
    const rowWeight = row.reduce((sum, weight) => sum + weight, 0);
    boxes.push(...layRow(row, rowWeight, left, free));
    free = without(free, rowWeight / left);
    left -= rowWeight;
    start = end;
  }
  return boxes;
}

/** Where the row that begins at `start` ends: before the part that would make its worst part worse. */
function rowEnd(weights: readonly number[], start: number, scale: number, side: number): number {
  const largest = weights[start] ?? 0;
  let sum = 0;
  let worst = Number.POSITIVE_INFINITY;
  for (let end = start; end < weights.length; end++) {
    const weight = weights[end] ?? 0;
    sum += weight;
    const thickness = (sum * scale) / side;
    const square = thickness * thickness;
    // The first part of a row is the largest, the last one the smallest; the worst is one of them.
    const ratio = Math.max((largest * scale) / square, square / (weight * scale));
    if (ratio > worst) return end;
    worst = ratio;
  }
  return weights.length;
}

/** The parts of one row along the shorter side of what is free. */
function layRow(row: readonly number[], rowWeight: number, left: number, free: Box): Box[] {
  const share = rowWeight / left;
  let before = 0;
  return row.map((weight) => {
    const from = before / rowWeight;
    before += weight;
    const part = weight / rowWeight;
    return free.width >= free.height
      ? { x: free.x, y: free.y + from * free.height, width: free.width * share, height: part * free.height }
      : { x: free.x + from * free.width, y: free.y, width: part * free.width, height: free.height * share };
  });
}

function without(free: Box, share: number): Box {
  return free.width >= free.height
    ? { ...free, x: free.x + free.width * share, width: free.width * (1 - share) }
    : { ...free, y: free.y + free.height * share, height: free.height * (1 - share) };
}
