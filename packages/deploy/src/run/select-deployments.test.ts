import { describe, expect, it } from 'vitest';
import { projectOf } from '../testing/project-of.ts';
import { selectDeployments } from './select-deployments.ts';

const project = projectOf(`
deployments:
- {name: etl-daily, entrypoint: "flows.py:my_etl"}
- {name: etl-weekly, entrypoint: flows.my_etl}
- {name: reports, flow_name: reporting}
- {entrypoint: "x.py:y"}
`);

function chosen(names: readonly string[], all = false): readonly string[] {
  return selectDeployments(project, { names, all }).map(({ title }) => title);
}

describe('selectDeployments', () => {
  it.each<[readonly string[], readonly string[]]>([
    [['reports'], ['reports']],
    [
      ['reports', 'etl-daily', 'reports'],
      ['etl-daily', 'reports'],
    ],
    [['my-etl/etl-daily'], ['etl-daily']],
    [['my_etl/etl-weekly'], ['etl-weekly']],
    [['reporting/reports'], ['reports']],
    [['etl-*'], ['etl-daily', 'etl-weekly']],
    [['*/*ly'], ['etl-daily', 'etl-weekly']],
    [['*e*k*'], ['etl-weekly']],
    [['*'], ['etl-daily', 'etl-weekly', 'reports']],
  ])('%j', (names, expected) => {
    expect(chosen(names)).toEqual(expected);
  });

  it('takes all, those without a name too', () => {
    expect(chosen([], true)).toEqual(['etl-daily', 'etl-weekly', 'reports', 'deployment 4']);
  });

  it('refuses what is not there, or not clear', () => {
    expect(() => chosen(['etl-dayly'])).toThrowError(
      expect.objectContaining({ code: 'DEPLOYMENT_NOT_FOUND', hint: 'Did you mean etl-daily?' }),
    );
    expect(() => chosen(['other/reports'])).toThrowError(expect.objectContaining({ code: 'DEPLOYMENT_NOT_FOUND' }));
    expect(() => chosen([])).toThrowError(expect.objectContaining({ code: 'DEPLOYMENT_AMBIGUOUS' }));
    expect(() => chosen(['reports'], true)).toThrowError(expect.objectContaining({ code: 'USAGE' }));
    expect(() => selectDeployments(projectOf('name: x'), { names: [], all: false })).toThrowError(
      expect.objectContaining({ code: 'PROJECT_EMPTY' }),
    );
  });

  it('takes a file without deployments for one', () => {
    const steps = projectOf('name: demo\nbuild: {run_shell_script: {script: "true"}}');
    expect(selectDeployments(steps, { names: [], all: false })).toMatchObject([
      { title: 'demo', deployment: undefined },
    ]);
  });
});
