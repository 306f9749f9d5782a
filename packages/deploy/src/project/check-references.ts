import { closestMatch } from '@boxwright/errors';
import { type FoundPlaceholder, findPlaceholders } from '../template/index.ts';
import { isForWorker } from '../variables/index.ts';
import { LocatedError } from '../yaml/index.ts';
import type { Section, Step } from './project.ts';

/**
 * Looks, before anything runs, whether the placeholders of steps name steps that stand before them. What a name leads to is only known later.
 *
 * @param resultKeys names in the result of a step, or undefined where nobody knows them: then any name may come from it
 * @throws LocatedError `TEMPLATE_UNKNOWN` for a name that no step before has; `TEMPLATE_INVALID` for a placeholder that names nothing
 */
export function checkReferences(
  sections: readonly Section[],
  resultKeys: (step: Step) => readonly string[] | undefined,
): void {
  const steps = sections.flatMap((section) => section.steps);
  const names = new Set<string>();
  let anything = false;
  for (const [index, step] of steps.entries()) {
    for (const placeholder of findPlaceholders(step.inputs)) {
      checkPlaceholder(placeholder, { names, anything, later: steps.slice(index) });
    }
    if (step.id) names.add(step.id.value);
    const keys = resultKeys(step);
    if (keys === undefined) anything = true;
    else for (const key of keys) names.add(key);
  }
}

interface Known {
  readonly names: ReadonlySet<string>;
  /** True when some step before may have given any name. */
  readonly anything: boolean;
  /** This step and those after it. */
  readonly later: readonly Step[];
}

function checkPlaceholder({ reference, range, name }: FoundPlaceholder, known: Known): void {
  if (reference.kind === 'invalid') throw new LocatedError('TEMPLATE_INVALID', range, reference.reason);
  if (reference.kind !== 'step' || isForWorker(reference) || known.anything || known.names.has(reference.name)) return;
  const details = { placeholder: name, kind: reference.kind };
  const [self, ...after] = known.later;
  if (self?.id?.value === reference.name) {
    throw new LocatedError('TEMPLATE_UNKNOWN', range, `the step ${reference.name} asks for its own result`, {
      details,
    });
  }
  const later = after.find((step) => step.id?.value === reference.name);
  if (later?.id) {
    const { line } = later.id.range.start;
    throw new LocatedError('TEMPLATE_UNKNOWN', range, `the step ${reference.name} (line ${line}) runs after this one`, {
      hint: 'A placeholder can name steps that stand before it.',
      details,
    });
  }
  const near = closestMatch(reference.name, known.names);
  const ids =
    known.names.size === 0 ? 'No step before it gives a result.' : `Known are ${[...known.names].join(', ')}.`;
  throw new LocatedError(
    'TEMPLATE_UNKNOWN',
    range,
    `no step before this one has the id or the result ${reference.name}`,
    {
      hint: near === undefined ? ids : `Did you mean ${near}?`,
      details,
    },
  );
}
