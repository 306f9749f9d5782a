import { UsageError } from '@boxwright/errors';
import { formatSize } from '../size.ts';
import type { Efficiency } from './efficiency.ts';

/** What an image must hold to, as dive's rules for CI. Undefined: no such rule. */
export interface WasteRules {
  /** 0 to 1. */
  readonly lowestEfficiency?: number | undefined;
  /** Bytes. */
  readonly highestWastedBytes?: number | undefined;
  /** 0 to 1, of what the layers above the lowest one add. */
  readonly highestUserWastedPercent?: number | undefined;
}

/** What came of one rule. */
export interface RuleResult {
  readonly rule: keyof WasteRules;
  readonly limit: number;
  readonly actual: number;
  readonly passed: boolean;
}

/** Holds an image to the rules. What is exactly at a limit passes. */
export function checkWaste(efficiency: Efficiency, rules: WasteRules): RuleResult[] {
  const { score, wastedBytes, userWastedRatio } = efficiency;
  const results: RuleResult[] = [];
  const check = (rule: keyof WasteRules, limit: number | undefined, actual: number, passed: boolean): void => {
    if (limit !== undefined) results.push({ rule, limit, actual, passed });
  };
  check('lowestEfficiency', rules.lowestEfficiency, score, score >= (rules.lowestEfficiency ?? 0));
  const mostBytes = rules.highestWastedBytes;
  check('highestWastedBytes', mostBytes, wastedBytes, wastedBytes <= (mostBytes ?? 0));
  const mostOfUser = rules.highestUserWastedPercent;
  check('highestUserWastedPercent', mostOfUser, userWastedRatio, userWastedRatio <= (mostOfUser ?? 0));
  return results;
}

/** One result as a line: `FAIL highestWastedBytes: 23.10MB, at most 20.00MB`. */
export function ruleText({ rule, limit, actual, passed }: RuleResult): string {
  const text = (value: number): string => (rule === 'highestWastedBytes' ? formatSize(value) : value.toFixed(4));
  const bound = rule === 'lowestEfficiency' ? 'at least' : 'at most';
  return `${passed ? 'PASS' : 'FAIL'} ${rule}: ${text(actual)}, ${bound} ${text(limit)}`;
}

/** A ratio from 0 to 1, also written in percent (`90%`); `disabled` is no rule. @throws UsageError */
export function parseRatio(text: string): number | undefined {
  if (text === 'disabled') return undefined;
  const [, number, percent] = /^(\d{1,6}(?:\.\d{1,12})?|\.\d{1,12})(%)?$/.exec(text) ?? [];
  const ratio = Number(number) / (percent === undefined ? 1 : 100);
  if (number !== undefined && ratio <= 1) return ratio;
  throw new UsageError(`"${text}" is no ratio`, { hint: 'Give a number from 0 to 1, a percentage, or disabled.' });
}

const units: ReadonlyMap<string, number> = new Map(
  ['k', 'm', 'g', 't'].flatMap((letter, index) => [
    [letter, 1000 ** (index + 1)],
    [`${letter}b`, 1000 ** (index + 1)],
    [`${letter}ib`, 1024 ** (index + 1)],
  ]),
);

/** A size: `20MB`, `1.5GiB`, `1000`; decimal units without an i; `disabled` is no rule. @throws UsageError */
export function parseSize(text: string): number | undefined {
  if (text === 'disabled') return undefined;
  const [, number, unit = ''] = /^(\d{1,15}(?:\.\d{1,6})?) ?([a-z]{0,3})$/.exec(text.toLowerCase()) ?? [];
  const factor = unit === '' || unit === 'b' ? 1 : units.get(unit);
  if (number !== undefined && factor !== undefined) return Math.round(Number(number) * factor);
  throw new UsageError(`"${text}" is no size`, { hint: 'Give bytes, or a number with KB, MB, GB, KiB, MiB or GiB.' });
}
