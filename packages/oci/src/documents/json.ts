/** A number whose text is not what JavaScript would print for it (`1.0`, `1e3`, more than 53 bits): kept as written. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** An object from outside: a Map, so that `__proto__` and `constructor` are keys like any other (threats D6). */
export type JsonObject = ReadonlyMap<string, JsonValue>;

/** Parsed JSON. */
export type JsonValue = null | boolean | number | string | JsonNumber | readonly JsonValue[] | JsonObject;

/** True for an object, as opposed to an array or a scalar. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return value instanceof Map;
}
