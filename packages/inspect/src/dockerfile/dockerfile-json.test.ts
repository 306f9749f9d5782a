import { readFileSync } from 'node:fs';
import { schemaErrors } from '@boxwright/testing';
import { describe, expect, it } from 'vitest';
import { realImage } from '../page/testing/real-image.ts';
import { compareConfigs } from './compare-configs.ts';
import { dockerfileDocument, lostRows, platformText } from './dockerfile-json.ts';
import { reconstructDockerfile } from './reconstruct.ts';

const schema: unknown = JSON.parse(
  readFileSync(new URL('../../../../docs/schema/dockerfile.schema.json', import.meta.url), 'utf8'),
);

describe('dockerfileDocument', () => {
  it.each(['prefect', 'poco-backend', 'dify-api'])('%s is as the schema says', (name) => {
    const { config, digest, manifest } = realImage(name);
    const dockerfile = reconstructDockerfile(config);
    const other = realImage('prefect').config;
    const fields = compareConfigs(config, other, { built: true, lostRows: lostRows(config, dockerfile) });
    const image = { name, digest, id: manifest.config.digest, platform: platformText(config) };
    const document: unknown = JSON.parse(
      JSON.stringify(
        dockerfileDocument(image, dockerfile, {
          extracted: {
            directory: '/x',
            command: ['boxwright', 'build'],
            findings: [{ kind: 'owner', row: 1, path: '/a', count: 2 }],
          },
          verification: { level: 'metadata', reason: 'no', fields },
        }),
      ),
    );
    expect(schemaErrors(schema, document)).toEqual([]);
    expect(schemaErrors(schema, { ...Object(document), schemaVersion: 2 })).not.toEqual([]);
  });
});

describe('compareConfigs', () => {
  it('finds an image equal to itself, but for its time', () => {
    const { config } = realImage('prefect');
    const compared = compareConfigs(config, config, { built: true, lostRows: new Set() });
    expect(compared.filter(({ status }) => status !== 'equal').map(({ field }) => field)).toEqual(['created']);
  });

  it('finds what differs between two images', () => {
    const compared = compareConfigs(realImage('prefect').config, realImage('poco-backend').config, {
      built: true,
      lostRows: new Set(),
    });
    expect(compared.filter(({ status }) => status === 'differs').map(({ field }) => field)).toEqual([
      'architecture',
      'config.User',
      'config.ExposedPorts',
      'config.Env',
      'config.Entrypoint',
      'config.Cmd',
      'config.WorkingDir',
      'config.Labels',
      'history',
      'rootfs',
    ]);
  });
});
