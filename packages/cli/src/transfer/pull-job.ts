import { canonicalName, familiarName, type Reference } from '@boxwright/oci';
import type { TransferJob } from './run-transfers.ts';

/** The job of bringing an image from its registry into the store, under the same name. */
export function pullJob(reference: Reference): TransferJob {
  const name = canonicalName(reference);
  return {
    title: `Pulling ${familiarName(reference)}`,
    source: { transport: 'docker', reference: name },
    destination: { transport: 'store', reference: name },
    shownSource: name,
    shownDestination: familiarName(reference).replace(/@.*$/, ''),
  };
}
