import {
  type BlockReference,
  type Lookup,
  type Reference,
  referenceText,
  type StepOutputs,
  type TemplateResolver,
} from '../template/index.ts';
import { isSecretName, type PlainValue } from '../yaml/index.ts';
import { blockLookup } from './block-value.ts';
import { blockVariable, type Environment, variableVariable } from './environment-source.ts';
import type { BlockDocument, VariableSource } from './variable-source.ts';

/** Where the values of placeholders come from. */
export interface ResolverOptions {
  /** Results of the steps that have run. */
  readonly outputs: StepOutputs;
  /** For `{{ $NAME }}`. */
  readonly env: Environment;
  /** For variables and blocks: the first source that has a name counts. */
  readonly sources: readonly VariableSource[];
  /** True for placeholders that stay as they are written. Default: those of the worker, `{{ ctx.… }}`. */
  readonly keep?: ((reference: Reference) => boolean) | undefined;
}

/** `{{ ctx.flow_run.id }}` and the like: a worker of Prefect puts values there when a run begins. */
export function isForWorker(reference: Reference): boolean {
  return reference.kind === 'step' && reference.name === 'ctx' && reference.path.length > 0;
}

/**
 * A resolver over results, environment and sources. Each variable and block is asked for once, however many placeholders and steps name it, so
 * keep one for a whole run and make others from it with {@link withOutputs}.
 */
export function createResolver(options: ResolverOptions): TemplateResolver {
  const { outputs, env, sources, keep = isForWorker } = options;
  const variables = new Map<string, Promise<PlainValue | undefined>>();
  const blocks = new Map<string, Promise<BlockDocument | undefined>>();
  return {
    step: (name, path, reference) => (keep(reference) ? { kind: 'keep' } : outputs.lookup(name, path)),
    env: (name, reference) => (keep(reference) ? { kind: 'keep' } : environmentLookup(name, env)),
    variable: async (name, reference) => {
      if (keep(reference)) return { kind: 'keep' };
      const value = await once(variables, name, () => firstOf(sources, (source) => source.variable(name)));
      return value === undefined ? noVariable(name, sources) : valueLookup(name, value);
    },
    block: async (type, name, path, reference) => {
      if (keep(reference)) return { kind: 'keep' };
      const document = await once(blocks, `${type}.${name}`, () =>
        firstOf(sources, (source) => source.block(type, name)),
      );
      if (document === undefined) return noBlock(reference, sources);
      return blockLookup(document, type, `{{ ${referenceText(reference)} }}`, path);
    },
  };
}

/** The same resolver with the results of other steps: what sources have answered is shared, and what it keeps stays kept. */
export function withOutputs(resolver: TemplateResolver, outputs: StepOutputs): TemplateResolver {
  return {
    ...resolver,
    step: async (name, path, reference) => {
      const before = await resolver.step(name, path, reference);
      return before.kind === 'keep' ? before : outputs.lookup(name, path);
    },
  };
}

/** The same resolver, but placeholders that nothing is known of stay as they are written: for pull steps, which run elsewhere. */
export function keepUnknown(resolver: TemplateResolver): TemplateResolver {
  const kept = (lookup: Lookup): Lookup => (lookup.kind === 'missing' ? { kind: 'keep' } : lookup);
  return {
    step: async (...reference) => kept(await resolver.step(...reference)),
    env: async (...reference) => kept(await resolver.env(...reference)),
    variable: async (...reference) => kept(await resolver.variable(...reference)),
    block: async (...reference) => kept(await resolver.block(...reference)),
  };
}

function environmentLookup(name: string, env: Environment): Lookup {
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  if (value !== undefined) return valueLookup(name, value);
  return { kind: 'missing', candidates: Object.keys(env), hint: `Set it: ${name}=… boxwright deploy` };
}

function valueLookup(name: string, value: PlainValue): Lookup {
  return { kind: 'value', value, secrets: isSecretName(name) && typeof value === 'string' ? [value] : [] };
}

function noVariable(name: string, sources: readonly VariableSource[]): Lookup {
  return {
    kind: 'missing',
    candidates: sources.flatMap((source) => source.names().variables),
    hint: `Looked for in ${askedOf(sources)}. Set ${variableVariable(name)}, or add it to a file of variables.`,
  };
}

function noBlock({ type, name }: BlockReference, sources: readonly VariableSource[]): Lookup {
  const known = sources.flatMap((source) => source.names().blocks);
  const ofType = known.flatMap((block) => (block.startsWith(`${type}.`) ? [block.slice(type.length + 1)] : []));
  return {
    kind: 'missing',
    reason: `Block not found: '${name}' of type '${type}'`,
    candidates: ofType,
    hint: `Looked for in ${askedOf(sources)}. Set ${blockVariable(type, name)}, or add it to a file of variables.`,
  };
}

function askedOf(sources: readonly VariableSource[]): string {
  return sources.length === 0 ? 'no place' : sources.map(({ description }) => description).join(', ');
}

async function firstOf<T>(
  sources: readonly VariableSource[],
  ask: (source: VariableSource) => Promise<T | undefined>,
): Promise<T | undefined> {
  for (const source of sources) {
    const answer = await ask(source);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

/** Asks once for each name, also when asked again before the answer is there. */
function once<T>(answers: Map<string, Promise<T>>, name: string, ask: () => Promise<T>): Promise<T> {
  const known = answers.get(name) ?? ask();
  answers.set(name, known);
  return known;
}
