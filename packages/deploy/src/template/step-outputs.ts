import type { PlainObject } from '../yaml/index.ts';
import { followPath } from './data-path.ts';
import type { Lookup } from './lookup.ts';

/**
 * The results of the steps that have run. A result is found by the step's id, and each of its members by its own name, where later steps
 * come before earlier ones and an id before a member (in Prefect, whatever was written last).
 */
export class StepOutputs {
  readonly #byId = new Map<string, PlainObject>();
  readonly #members = new Map<string, unknown>();

  constructor(earlier?: StepOutputs) {
    if (!earlier) return;
    for (const [id, result] of earlier.#byId) this.#byId.set(id, result);
    for (const [key, value] of earlier.#members) this.#members.set(key, value);
  }

  /** Adds what a step gave. Results that are no mappings have no names and cannot be asked for. */
  add(id: string | undefined, result: PlainObject): void {
    if (id !== undefined && id !== '') this.#byId.set(id, result);
    for (const [key, value] of Object.entries(result)) this.#members.set(key, value);
  }

  /** All names that may stand first in a placeholder. */
  names(): string[] {
    return [...new Set([...this.#byId.keys(), ...this.#members.keys()])];
  }

  /** For {@link TemplateResolver.step}. */
  lookup(name: string, path: readonly string[]): Lookup {
    const known = this.#byId.has(name) || this.#members.has(name);
    if (!known) return { kind: 'missing', candidates: this.names() };
    const result = followPath(this.#byId.get(name) ?? this.#members.get(name), path);
    if (result.found) return { kind: 'value', value: result.value };
    const step = [name, ...path.slice(0, result.followed)].join('.');
    const hint = result.candidates.length > 0 ? `It has ${result.candidates.slice(0, 20).join(', ')}.` : undefined;
    return { kind: 'missing', reason: `the result ${step} has no ${path[result.followed] ?? ''}`, hint };
  }
}
