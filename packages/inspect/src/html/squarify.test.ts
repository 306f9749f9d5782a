import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Box, squarify } from './squarify.ts';

const frame: Box = { x: 10, y: 20, width: 300, height: 200 };

describe('squarify', () => {
  it('lays out the example of the paper', () => {
    const boxes = squarify([6, 6, 4, 3, 2, 2, 1], { x: 0, y: 0, width: 6, height: 4 });
    const rounded = boxes.map(({ x, y, width, height }) => [x, y, width, height].map((n) => Number(n.toFixed(2))));
    expect(rounded).toEqual([
      [0, 0, 3, 2],
      [0, 2, 3, 2],
      [3, 0, 1.71, 2.33],
      [4.71, 0, 1.29, 2.33],
      [3, 2.33, 1.2, 1.67],
      [4.2, 2.33, 1.2, 1.67],
      [5.4, 2.33, 0.6, 1.67],
    ]);
  });

  it('fills the box with areas in proportion, none over another', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 10_000 }), { minLength: 1, maxLength: 40 }), (numbers) => {
        const weights = numbers.sort((a, b) => b - a);
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const boxes = squarify(weights, frame);
        expect(boxes).toHaveLength(weights.length);
        boxes.forEach((box, index) => {
          const area = box.width * box.height;
          expect(area).toBeCloseTo((300 * 200 * (weights[index] ?? 0)) / total, 4);
          expect(box.x).toBeGreaterThanOrEqual(frame.x - 1e-6);
          expect(box.y).toBeGreaterThanOrEqual(frame.y - 1e-6);
          expect(box.x + box.width).toBeLessThanOrEqual(frame.x + frame.width + 1e-6);
          expect(box.y + box.height).toBeLessThanOrEqual(frame.y + frame.height + 1e-6);
          for (const other of boxes.slice(index + 1)) expect(overlap(box, other)).toBeLessThan(1e-3);
        });
      }),
      { numRuns: 50 },
    );
  });

  it('needs no parts', () => {
    expect(squarify([], frame)).toEqual([]);
  });
});

function overlap(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return Math.max(0, width) * Math.max(0, height);
}
