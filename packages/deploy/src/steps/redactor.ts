import { isPlainObject, isSecretName, type PlainObject, type PlainValue } from '../yaml/index.ts';

/** What replaces a secret. */
const MASK = '***';

/** Shorter texts are left alone: replacing each `a` of a sentence would tell the secret, not hide it. */
const shortest = 4;

/** Takes secrets out of what is shown: output of commands, messages, results. One for a whole run; secrets are only added. */
export class Redactor {
  readonly #forms = new Set<string>();
  #ordered: readonly string[] = [];

  /** Hides this text from now on, also base64- and URL-encoded, and each long line of it. */
  add(secret: string | undefined): void {
    if (secret === undefined) return;
    const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, '');
    const inJson = JSON.stringify(secret).slice(1, -1);
    const lines = secret.includes('\n') ? secret.split('\n').map((line) => line.trim()) : [];
    for (const form of [secret, secret.trim(), encodeURIComponent(secret), inJson, base64, ...lines]) {
      if (form.length >= shortest) this.#forms.add(form);
    }
    // Longest first: what holds another secret must not be cut by it.
    this.#ordered = [...this.#forms].sort((a, b) => b.length - a.length);
  }

  /** Hides user and password as they are sent (RFC 7617), and the password. */
  addLogin(username: string, password: string): void {
    this.add(password);
    this.add(`${username}:${password}`);
  }

  /** Hides every text in a value that came out of a secret place. */
  addValue(value: PlainValue): void {
    if (typeof value === 'string') this.add(value);
    else if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) this.addValue(item);
  }

  /** Hides the texts of a mapping that have names of secrets: of a credentials block not the user and the address. */
  addNamed(value: PlainValue): void {
    if (isPlainObject(value)) {
      for (const [name, item] of Object.entries(value)) {
        // Of a mapping called `credentials` the user and the address may be seen.
        if (isSecretName(name) && !isPlainObject(item)) this.addValue(item);
        else this.addNamed(item);
      }
    } else if (Array.isArray(value)) for (const item of value) this.addNamed(item);
  }

  /** The text without secrets. */
  redact(text: string): string {
    let result = text;
    for (const form of this.#ordered) if (result.includes(form)) result = result.replaceAll(form, MASK);
    return result;
  }

  /** A value without secrets. Its form stays: a list is a list, whatever its JSON would look like without them. */
  redactValue(value: PlainValue): PlainValue {
    if (typeof value === 'string') return this.redact(value);
    if (typeof value === 'number') {
      const text = String(value);
      return this.redact(text) === text ? value : MASK;
    }
    if (Array.isArray(value)) return value.map((item) => this.redactValue(item));
    return isPlainObject(value) ? this.redactObject(value) : value;
  }

  /** {@link redactValue} of a mapping, its keys included. */
  redactObject(value: PlainObject): PlainObject {
    const result: Record<string, PlainValue> = Object.create(null);
    for (const [key, item] of Object.entries(value)) result[this.redact(key)] = this.redactValue(item);
    return result;
  }
}
