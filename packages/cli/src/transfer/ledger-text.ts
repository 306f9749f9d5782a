import { escapeForTerminal } from '@boxwright/errors';
import { formatSizeProgress } from '@boxwright/inspect';
import type { Ledger } from '@boxwright/oci';

/**
 * What a transfer did, in lines for people: how much was sent, mounted and there already, what was taken of an index,
 * and why the digest is another one where it is.
 */
export function ledgerText(ledger: Ledger): string[] {
  const { totals } = ledger;
  const seconds = `${totals.seconds.toFixed(1)}s`;
  const done = [
    ...(totals.copied > 0 ? [`${totals.copied} copied (${formatSizeProgress(totals.sent)})`] : []),
    ...(totals.mounted > 0 ? [`${totals.mounted} mounted`] : []),
    ...(totals.exists > 0 ? [`${totals.exists} already there`] : []),
    ...(totals.absent > 0 ? [`${totals.absent} left out`] : []),
  ];
  const notes = [
    ...(totals.retries > 0 ? [`${totals.retries} tries failed and were repeated`] : []),
    ...(ledger.referrers.length > 0 ? [`${ledger.referrers.length} referrers taken along`] : []),
    ...(ledger.referrersLeft.length > 0
      ? [`${ledger.referrersLeft.length} referrers left behind: they speak of digests that have changed`]
      : []),
    ...(ledger.policy === 'whole' ? [] : [policyText(ledger)]),
    ...digestText(ledger),
  ];
  return [`${done.length === 0 ? 'nothing to do' : done.join(', ')} in ${seconds}`, ...notes].map(escapeForTerminal);
}

function policyText({ policy, platforms }: Ledger): string {
  return `policy ${policy}${platforms === undefined || platforms.length === 0 ? '' : `: ${platforms.join(', ')}`}`;
}

/** Changed digests puzzle people more than anything else about copies: say what made it another one. */
function digestText(ledger: Ledger): string[] {
  if (ledger.digest === ledger.sourceDigest) return [];
  const changed = (role: string): boolean =>
    ledger.entries.some((entry) => entry.role === role && entry.sourceDigest !== undefined);
  const why = [
    ...(changed('layer') ? ['layers were compressed'] : []),
    ...(ledger.policy === 'single' ? ['one image of the index was taken'] : []),
    ...(ledger.policy === 'rewrite' ? ['the index was rewritten'] : []),
  ];
  const isOld = ledger.entries.every(({ state }) => state === 'exists');
  const unknown = isOld ? 'it is as an earlier copy made it' : 'its documents were converted';
  const because = why.length === 0 ? unknown : why.join(', ');
  return [`the digest is another one than at the source (${ledger.sourceDigest}): ${because}`];
}
