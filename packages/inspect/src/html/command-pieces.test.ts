import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commandPieces } from './command-pieces.ts';

describe('commandPieces', () => {
  it.each([
    ['a && b && c', ['a ', '&& b ', '&& c']],
    ['set -eux; a; b', ['set -eux; ', 'a; ', 'b']],
    ['for i in 1 2; do x; done', ['for i in 1 2; do x; ', 'done']],
    ['if a; then b; fi', ['if a; then b; ', 'fi']],
    [`python -c "import a; b" && echo 'x; y && z'`, [`python -c "import a; b" `, `&& echo 'x; y && z'`]],
    [`echo "a\\"; b" ; c`, [`echo "a\\"; b" ; `, 'c']],
    ['a\\; b', ['a\\; b']],
    ['a & b || c', ['a & b || c']],
    ['a;b;; c', ['a;b;; ', 'c']],
    ['case a in b) x; ;; c) y ;; esac', ['case a in b) x; ;; ', 'c) y ;; ', 'esac']],
    ['', []],
  ])('%j', (command, pieces) => {
    expect(commandPieces(command)).toEqual(pieces);
  });

  it('loses nothing', () => {
    const unit = fc.constantFrom('a', ' ', '; ', ' && ', '"', "'", '\\', ';', '&', ' do', 'then');
    fc.assert(
      fc.property(fc.string({ unit }), (command) => {
        expect(commandPieces(command).join('')).toBe(command);
      }),
    );
  });
});
