import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesFields, numberField, readFields, textField, textFields, writeFields } from './protobuf.ts';

describe('protobuf', () => {
  it('reads what it wrote', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.string(),
        fc.uint8Array(),
        (number, text, bytes) => {
          const fields = readFields(
            writeFields([
              [1, number],
              [2, text],
              [300, ['', text]],
              [4, bytes],
            ]),
          );
          expect(fields.find(([field]) => field === 1)?.[1] ?? 0n).toBe(number);
          expect(textField(fields, 2)).toBe(Buffer.from(text).toString());
          expect(textFields(fields, 300)).toEqual(['', Buffer.from(text).toString()]);
          expect(Buffer.concat(bytesFields(fields, 4))).toEqual(Buffer.from(bytes));
        },
      ),
    );
  });

  it('has the bytes of the specification', () => {
    expect(writeFields([[1, 150]]).toString('hex')).toBe('089601');
    expect(writeFields([[2, 'testing']]).toString('hex')).toBe('120774657374696e67');
    expect(
      writeFields([
        [1, 0],
        [2, ''],
        [3, undefined],
        [4, false],
      ]).length,
    ).toBe(0);
    // Of fixed width: not used here, but passed over.
    const fixed = Buffer.from('0d01020304110102030405060708091801', 'hex');
    expect(numberField(readFields(Buffer.from('0d010203041101020304050607081801', 'hex')), 3)).toBe(1);
    expect(() => readFields(fixed)).toThrow(RangeError);
  });

  it('never fails in another way', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        try {
          readFields(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});
