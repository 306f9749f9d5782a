import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { baseName, displayPath, joinPath, layerPath, parentPath } from './layer-path.ts';
import { bytes } from './testing/entries.ts';

describe('layerPath', () => {
  it.each([
    ['etc/passwd', 'etc/passwd'],
    ['', ''],
    ['.', ''],
    ['./', ''],
    ['/', ''],
    ['//a///b//', 'a/b'],
    ['a/./b/.', 'a/b'],
    ['a/../b', 'b'],
    ['a/b/../..', ''],
    ['...', '...'],
    ['..a/b..', '..a/b..'],
    ['a\n', 'a\n'],
    [`a/${'x'.repeat(255)}`, `a/${'x'.repeat(255)}`],
  ])('cleans %j', (raw, expected) => {
    expect(layerPath(bytes(raw))).toBe(expected);
  });

  it.each(['..', '../etc/passwd', 'a/../../etc', '/..', './../a', 'a\0b', 'x'.repeat(256), 'a/'.repeat(2100)])(
    'U1: refuses %j',
    (raw) => {
      expect(() => layerPath(bytes(raw))).toThrow(expect.objectContaining({ code: 'LAYER_PATH_INVALID' }));
    },
  );

  it('never gives a path that could leave the root, and gives its own answers back', () => {
    const component = fc.constantFrom('', '.', '..', 'a', '..b', '.c', 'é', '...');
    fc.assert(
      fc.property(fc.array(component, { maxLength: 8 }), (components) => {
        let path: ReturnType<typeof layerPath>;
        try {
          path = layerPath(bytes(components.join('/')));
        } catch {
          return;
        }
        expect(path === '' || path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')).toBe(true);
        expect(layerPath(path)).toBe(path);
        expect(path === '' ? '' : joinPath(parentPath(path), baseName(path))).toBe(path);
      }),
    );
  });

  it('U10: shows a path without control characters, and not all of a long one', () => {
    expect(displayPath(bytes('a\u001b]52;c;x\u0007\u202e'))).toBe('/a\\x1b]52;c;x\\x07\\u202e');
    expect(displayPath(bytes('x'.repeat(4000)))).toHaveLength(302);
  });
});
