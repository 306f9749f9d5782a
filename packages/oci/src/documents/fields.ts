import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/** What to do about a document that is not as the specifications want it. */
export const INVALID_HINT: string =
  'The image was not made as the OCI specifications say: have it made and pushed again.';

/**
 * Reads the members of one object of a document, checking each type (threats D5). A member that is null counts as absent,
 * as in Go. Errors are `DOCUMENT_INVALID` and name the place: `layers[3].digest`.
 */
export class Fields {
  readonly json: JsonObject;
  private readonly document: string;
  private readonly path: string;

  /** @param document what it is, for messages: `image manifest` */
  constructor(document: string, json: JsonObject, path = '') {
    this.document = document;
    this.json = json;
    this.path = path;
  }

  /** Throws `DOCUMENT_INVALID`: `name`, or this object itself when it is empty, is not as it must be. */
  fail(name: string, why: string, cause?: unknown): never {
    const at = [this.path, name].filter((part) => part !== '').join('.');
    const where = at === '' ? '' : `${escapeForTerminal(at)} `;
    throw new BoxwrightError('DOCUMENT_INVALID', `the ${this.document} is not valid: ${where}${why}`, {
      hint: INVALID_HINT,
      cause,
      details: { document: this.document, at },
    });
  }

  /**
   * Refuses members that Go, which ignores case, takes for one of these names while other tools do not: such a document
   * says different things to different readers.
   */
  refuseLookalikes(names: readonly string[]): void {
    for (const key of this.json.keys()) {
      const alike = names.find((name) => name !== key && foldCase(name) === foldCase(key));
      if (alike !== undefined) this.fail(key.slice(0, 100), `is too like ${alike}`);
    }
  }

  /** True when the member is there and not null. */
  has(name: string): boolean {
    const value = this.json.get(name);
    return value !== undefined && value !== null;
  }

  string(name: string): string {
    const value = this.optionalString(name);
    return value === undefined ? this.fail(name, 'is missing') : value;
  }

  optionalString(name: string): string | undefined {
    const value = this.present(name);
    if (value === undefined || typeof value === 'string') return value;
    return this.fail(name, 'is not a string');
  }

  boolean(name: string): boolean {
    const value = this.present(name);
    if (value === undefined) return false;
    return typeof value === 'boolean' ? value : this.fail(name, 'is neither true nor false');
  }

  /** An integer of at most 53 bits, or undefined. */
  optionalInteger(name: string): number | undefined {
    const value = this.present(name);
    if (value === undefined) return undefined;
    return typeof value === 'number' && Number.isSafeInteger(value) ? value : this.fail(name, 'is not an integer');
  }

  /** The strings of an array, or undefined when there is none. */
  optionalStrings(name: string): string[] | undefined {
    return this.array(name)?.map((item, index) =>
      typeof item === 'string' ? item : this.fail(`${name}[${index}]`, 'is not a string'),
    );
  }

  strings(name: string): string[] {
    return this.optionalStrings(name) ?? [];
  }

  /** An object whose members are all strings. */
  stringMap(name: string): Map<string, string> {
    const result = new Map<string, string>();
    for (const [key, value] of this.optionalObject(name)?.json ?? []) {
      if (typeof value !== 'string') this.fail(`${name}["${key.slice(0, 100)}"]`, 'is not a string');
      result.set(key, value);
    }
    return result;
  }

  /** The keys of an object that stands for a set: Go's `map[string]struct{}`. */
  keys(name: string): string[] {
    return [...(this.optionalObject(name)?.json.keys() ?? [])];
  }

  object(name: string): Fields {
    return this.optionalObject(name) ?? this.fail(name, 'is missing');
  }

  optionalObject(name: string): Fields | undefined {
    const value = this.present(name);
    return value === undefined ? undefined : this.child(value, name);
  }

  /** The objects of an array, at most `max`. */
  objects(name: string, max: number): Fields[] {
    const items = this.array(name) ?? [];
    if (items.length > max) this.fail(name, `has more than ${max} entries`);
    return items.map((item, index) => this.child(item, `${name}[${index}]`));
  }

  private child(value: JsonValue, name: string): Fields {
    if (!isJsonObject(value)) return this.fail(name, 'is not an object');
    return new Fields(this.document, value, this.path === '' ? name : `${this.path}.${name}`);
  }

  private array(name: string): readonly JsonValue[] | undefined {
    const value = this.present(name);
    if (value === undefined || (typeof value === 'object' && Array.isArray(value))) return value;
    return this.fail(name, 'is not an array');
  }

  private present(name: string): Exclude<JsonValue, null> | undefined {
    return this.json.get(name) ?? undefined;
  }
}

/** Go's simple folding, which also takes U+017F for s and U+212A for k. */
function foldCase(text: string): string {
  return text.toUpperCase().toLowerCase();
}
