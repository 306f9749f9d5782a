import { classMatches, type GlobToken } from './glob-tokens.ts';

const slash = 0x2f;

/** A step of the automaton: `enter` is passed without reading, into `inside` or past it. */
type Step = GlobToken | { readonly kind: 'enter' } | { readonly kind: 'inside' };

/** States of the automaton that one text can be in, and where each character leads from there. */
interface StateSet {
  readonly states: readonly number[];
  readonly accepts: boolean;
  readonly next: Map<number, StateSet>;
}

/** More sets than this are forgotten and built again: patterns from outside must not fill the memory. */
const maxSets = 1000;

/** A compiled pattern. Matching takes time in proportion to the text, whatever the pattern. */
export class GlobProgram {
  readonly #steps: readonly Step[];
  readonly #prefix: string;
  readonly #suffix: string;
  readonly #shape: 'literal' | 'prefix' | 'suffix' | 'general';
  #sets = new Map<string, StateSet>();
  #start: StateSet;

  constructor(tokens: readonly GlobToken[]) {
    this.#steps = tokens.flatMap((token): Step[] =>
      token.kind === 'directories' ? [{ kind: 'enter' }, { kind: 'inside' }] : [token],
    );
    this.#prefix = literalRun(tokens);
    this.#suffix = Array.from(literalRun(tokens.toReversed())).toReversed().join('');
    this.#shape = shapeOf(tokens);
    this.#start = this.#set(this.#closure([0]));
  }

  /** True when the pattern matches the whole text. */
  matches(text: string): boolean {
    if (this.#shape === 'literal') return text === this.#prefix;
    if (!text.startsWith(this.#prefix) || !text.endsWith(this.#suffix)) return false;
    // With nothing but `**` beside the prefix or suffix there is nothing left to check.
    return this.#shape !== 'general' || this.#run(text).accepts;
  }

  /** True when the pattern matches some text that starts with this one. */
  mayMatchBelow(text: string): boolean {
    if (this.#shape === 'literal' || this.#shape === 'prefix') {
      return this.#prefix.startsWith(text) || (this.#shape === 'prefix' && text.startsWith(this.#prefix));
    }
    return this.#run(text).states.length > 0;
  }

  #run(text: string): StateSet {
    let set = this.#start;
    for (let index = 0; index < text.length && set.states.length > 0; ) {
      const code = text.codePointAt(index) ?? 0;
      index += code > 0xffff ? 2 : 1;
      let next = set.next.get(code);
      if (next === undefined) {
        next = this.#set(this.#advance(set.states, code));
        // Texts hold few different characters; a set that saw very many is not worth keeping them all.
        if (set.next.size < maxSets) set.next.set(code, next);
      }
      set = next;
    }
    return set;
  }

  #set(states: readonly number[]): StateSet {
    const key = states.join();
    let set = this.#sets.get(key);
    if (set === undefined) {
      if (this.#sets.size >= maxSets) {
        this.#sets = new Map();
        this.#start = { ...this.#start, next: new Map() };
        this.#sets.set(this.#start.states.join(), this.#start);
      }
      set = { states, accepts: states.includes(this.#steps.length), next: new Map() };
      this.#sets.set(key, set);
    }
    return set;
  }

  #advance(states: readonly number[], code: number): number[] {
    const reached: number[] = [];
    for (const state of states) {
      const step = this.#steps[state];
      switch (step?.kind) {
        case 'literal':
          if (step.code === code) reached.push(state + 1);
          break;
        case 'class':
          if (classMatches(step, code)) reached.push(state + 1);
          break;
        case 'any':
          if (code !== slash) reached.push(state + 1);
          break;
        case 'star':
          if (code !== slash) reached.push(state);
          break;
        case 'rest':
          reached.push(state);
          break;
        case 'inside':
          reached.push(state);
          if (code === slash) reached.push(state + 1);
          break;
        // A state that is passed without reading, or the end.
        case 'enter':
        case 'directories':
        case undefined:
      }
    }
    return this.#closure(reached);
  }

  /** The states with those reached from them without reading, ascending. */
  #closure(from: readonly number[]): number[] {
    const states = new Set<number>();
    const queue = [...from];
    for (let state = queue.pop(); state !== undefined; state = queue.pop()) {
      if (states.has(state)) continue;
      states.add(state);
      const kind = this.#steps[state]?.kind;
      if (kind === 'star' || kind === 'rest') queue.push(state + 1);
      else if (kind === 'enter') queue.push(state + 1, state + 2);
    }
    return [...states].toSorted((a, b) => a - b);
  }
}

function literalRun(tokens: readonly GlobToken[]): string {
  let text = '';
  for (const token of tokens) {
    if (token.kind !== 'literal') break;
    text += String.fromCodePoint(token.code);
  }
  return text;
}

function shapeOf(tokens: readonly GlobToken[]): 'literal' | 'prefix' | 'suffix' | 'general' {
  const special = tokens.findIndex((token) => token.kind !== 'literal');
  if (special === -1) return 'literal';
  if (tokens[special]?.kind !== 'rest') return 'general';
  if (special === tokens.length - 1) return 'prefix';
  return special === 0 && tokens.slice(1).every((token) => token.kind === 'literal') ? 'suffix' : 'general';
}
