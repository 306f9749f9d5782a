import type { PlainValue } from '../yaml/index.ts';

/** What a step gives to those after it: Prefect's names, in snake_case, because YAML refers to them. */
export type StepResult = Readonly<Record<string, PlainValue>>;

/** A result as the values that later steps see: names from an interface, so nothing of a prototype among them. */
export function resultValues(result: object): StepResult {
  const values: Record<string, PlainValue> = Object.create(null);
  for (const [name, value] of Object.entries(result)) values[name] = value;
  return values;
}
