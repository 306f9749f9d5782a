/**
 * As much of protobuf's wire format (protobuf.dev/programming-guides/encoding) as the few messages here need. No schema:
 * callers know their fields by number.
 */
export type FieldValue = bigint | Uint8Array;

/** What a field is written from: numbers as varints, false, 0, '' and undefined not at all (their default in proto3). */
export type FieldInput = string | Uint8Array | number | bigint | boolean | undefined;

/** A message as its fields in order; those of fixed width are left out, nothing here has any. */
export function readFields(bytes: Uint8Array): readonly (readonly [field: number, value: FieldValue])[] {
  const fields: (readonly [number, FieldValue])[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new RangeError('a message ends within a number');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    throw new RangeError('a number is too long');
  };
  const skip = (length: number): Uint8Array => {
    if (length < 0 || at + length > bytes.length) throw new RangeError('a message is cut off');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const key = Number(varint());
    const field = key >>> 3;
    switch (key & 7) {
      case 0:
        fields.push([field, varint()]);
        break;
      case 1:
        skip(8);
        break;
      case 2:
        fields.push([field, skip(Number(varint()))]);
        break;
      case 5:
        skip(4);
        break;
      default:
        throw new RangeError(`a message has a field of type ${key & 7}`);
    }
  }
  return fields;
}

/** The last value of a field. */
export function numberField(fields: ReturnType<typeof readFields>, field: number): number {
  const value = fields.findLast(([at]) => at === field)?.[1];
  return typeof value === 'bigint' ? Number(value) : 0;
}

/** The last value of a text field; '' when there is none. */
export function textField(fields: ReturnType<typeof readFields>, field: number): string {
  const [last = ''] = textFields(fields, field).slice(-1);
  return last;
}

/** All values of a repeated text field. */
export function textFields(fields: ReturnType<typeof readFields>, field: number): readonly string[] {
  return bytesFields(fields, field).map((bytes) => Buffer.from(bytes).toString('utf8'));
}

/** All values of a repeated field of bytes or messages. */
export function bytesFields(fields: ReturnType<typeof readFields>, field: number): readonly Uint8Array[] {
  return fields.flatMap(([at, value]) => (at === field && typeof value !== 'bigint' ? [value] : []));
}

/** Writes a message. A list repeats the field. */
export function writeFields(
  fields: readonly (readonly [field: number, value: FieldInput | readonly (string | Uint8Array)[]])[],
): Buffer {
  const pieces: Uint8Array[] = [];
  for (const [field, value] of fields) {
    if (Array.isArray(value)) for (const one of value) pieces.push(...lengthField(field, one));
    else if (value instanceof Uint8Array || typeof value === 'string') {
      if (value.length > 0) pieces.push(...lengthField(field, value));
    } else if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') {
      if (BigInt(value) !== 0n) pieces.push(varintBytes(BigInt(field) << 3n), varintBytes(BigInt(value)));
    }
  }
  return Buffer.concat(pieces);
}

function lengthField(field: number, value: string | Uint8Array): Uint8Array[] {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  return [varintBytes((BigInt(field) << 3n) | 2n), varintBytes(BigInt(bytes.length)), bytes];
}

function varintBytes(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
