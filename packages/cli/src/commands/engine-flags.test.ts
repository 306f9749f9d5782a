import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addBuildFlags, type BuildFlags } from './build-flags.ts';
import { engineOptions } from './engine-flags.ts';

function options(args: readonly string[]): ReturnType<typeof engineOptions> {
  const command = addBuildFlags(new Command('boxwright build').exitOverride());
  command.configureOutput({ writeErr: () => {} }).parse([...args], { from: 'user' });
  return engineOptions(command.opts<BuildFlags>(), { env: { HOME: '/home/me' } });
}

describe('engineOptions', () => {
  it('hands on what buildx understands', () => {
    const args =
      '--engine buildx --builder far --load --cache-from a --cache-to type=inline --ssh default --sbom'.split(' ');
    expect(
      options([...args, '--provenance=mode=max', '--allow', 'network.host', '--attest', 'type=sbom']),
    ).toMatchObject({
      home: '/home/me',
      builder: 'far',
      load: true,
      cacheFrom: ['a'],
      cacheTo: ['type=inline'],
      ssh: ['default'],
      sbom: 'true',
      provenance: 'mode=max',
      allow: ['network.host'],
      attest: ['type=sbom'],
    });
  });

  it('takes what says that nothing is wanted', () => {
    expect(options(['--provenance=false', '--sbom=false'])).not.toHaveProperty('provenance');
  });

  it.each([
    [['--cache-to', 'type=inline'], 'the engine embedded knows no --cache-to'],
    [['--ssh', 'default'], 'the engine embedded knows no --ssh'],
    [['--load'], 'the engine embedded knows no --load'],
    [['--provenance'], 'the engine embedded knows no --provenance'],
    [['--engine', 'docker', '--builder', 'far'], 'the engine docker knows no --builder'],
    [['--engine', 'docker', '--attest', 'type=sbom'], 'the engine docker knows no --attest'],
  ])('refuses %j', (args, message) => {
    expect(() => options(args)).toThrowError(expect.objectContaining({ code: 'USAGE', message }));
  });
});
