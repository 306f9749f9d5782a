import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromByteString, toByteString, toFsPath } from './bytes.ts';

describe('ByteString', () => {
  it('keeps all bytes, and text', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const path = toFsPath(toByteString(bytes));
        expect(Buffer.from(path)).toEqual(Buffer.from(bytes));
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(fromByteString(toByteString(text))).toBe(text.toWellFormed());
      }),
    );
  });

  it('compares by byte value, text and bytes alike', () => {
    expect(toByteString('é')).toBe(toByteString(Buffer.from('é')));
    expect(toByteString('\u{10000}') > toByteString('\uffff')).toBe(true);
    expect(['\u{10000}', '\uffff'].sort()).toEqual(['\u{10000}', '\uffff']);
  });

  it('shows invalid UTF-8 as U+FFFD and hands its bytes to fs', () => {
    const name = toByteString(Buffer.from([0x61, 0xff]));
    expect(fromByteString(name)).toBe('a\ufffd');
    expect(toFsPath(name)).toEqual(Buffer.from([0x61, 0xff]));
    expect(toFsPath(toByteString('plain'))).toBe('plain');
  });
});
