import { afterAll, beforeAll, describe } from 'vitest';
import { installedRuntimes } from '../tiers.ts';
import { SandboxBed, whyNoSandbox } from './bed.ts';

/** What a test of the contract has: a way to run commands, and a bed to run them in. */
export interface TierUnderTest {
  readonly name: string;
  bed: SandboxBed;
}

/** Declares the same tests for every tier of this machine; skipped, with the reason, where no sandbox works. */
export function describeTiers(title: string, tests: (tier: TierUnderTest) => void): void {
  const reason = whyNoSandbox();
  const names = ['native', ...installedRuntimes()];
  describe.skipIf(reason !== undefined).each(names)(
    `${title} in tier %s${reason === undefined ? '' : ` (${reason})`}`,
    (name) => {
      // Made before the first test looks at it.
      const tier = { name } as { name: string; bed: SandboxBed };
      beforeAll(() => {
        tier.bed = new SandboxBed(name);
      });
      afterAll(() => tier.bed.remove());
      tests(tier);
    },
  );
}
