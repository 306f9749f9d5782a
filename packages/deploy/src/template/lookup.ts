import type { BlockReference, EnvReference, StepReference, VariableReference } from './reference.ts';

/** What became of a name. */
export type Lookup =
  | {
      readonly kind: 'value';
      readonly value: unknown;
      /** Texts that must not be shown: they are reported to `onSecret`. */
      readonly secrets?: readonly string[] | undefined;
    }
  /** The placeholder stays as it is written, for whoever reads the text later (`{{ ctx.flow_run.id }}`, blocks of pull steps). */
  | { readonly kind: 'keep' }
  | {
      readonly kind: 'missing';
      /** Why, in place of "there is no … of this name". */
      readonly reason?: string | undefined;
      readonly hint?: string | undefined;
      /** Names that are there, for a suggestion. */
      readonly candidates?: Iterable<string> | undefined;
    };

/**
 * Where the values of placeholders come from. Each function may answer at once or later; names are looked up once for each tree, in no
 * particular order. What a function gives is used as it is and never read as a template again.
 */
export interface TemplateResolver {
  step(name: string, path: readonly string[], reference: StepReference): Lookup | Promise<Lookup>;
  env(name: string, reference: EnvReference): Lookup | Promise<Lookup>;
  variable(name: string, reference: VariableReference): Lookup | Promise<Lookup>;
  block(type: string, name: string, path: readonly string[], reference: BlockReference): Lookup | Promise<Lookup>;
}
