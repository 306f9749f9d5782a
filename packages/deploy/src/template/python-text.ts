import { isPlainObject, type PlainValue } from '../yaml/index.ts';

/**
 * A value as Prefect writes it into the middle of a text: what Python's `str` gives. So `{{ step.flag }}!` is `True!`, nothing is
 * `None`, and a list is `['a', 'b']`; files written for Prefect get the same texts here.
 */
export function pythonText(value: PlainValue): string {
  return typeof value === 'string' ? value : pythonRepr(value);
}

function pythonRepr(value: PlainValue): string {
  if (value === null) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return quoted(value);
  if (isPlainObject(value)) {
    return `{${Object.entries(value)
      .map(([key, member]) => `${quoted(key)}: ${pythonRepr(member)}`)
      .join(', ')}}`;
  }
  return `[${value.map(pythonRepr).join(', ')}]`;
}

/** Single quotes, or double ones where the text has only single ones. */
function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inner = text.replace(
    /[\\\n\r\t]|[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|(?! )\p{Zs}|['"]/gu,
    (character) => {
      if (character === '"' || character === "'") return character === quote ? `\\${character}` : character;
      return escapes.get(character) ?? hexadecimal(character.codePointAt(0) ?? 0);
    },
  );
  return quote + inner + quote;
}

const escapes: ReadonlyMap<string, string> = new Map([
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

function hexadecimal(code: number): string {
  const digits = code.toString(16);
  if (code < 0x100) return `\\x${digits.padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${digits.padStart(4, '0')}` : `\\U${digits.padStart(8, '0')}`;
}
