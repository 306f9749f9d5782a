import { pythonRepr as quoted } from '@boxwright/build';
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
