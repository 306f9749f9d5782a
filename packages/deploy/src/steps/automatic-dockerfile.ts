import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { getPrefectImageName } from '@boxwright/build';

/** The Dockerfile that `dockerfile: auto` stands for. */
export async function automaticDockerfile(contextDir: string): Promise<string> {
  const place = `/opt/prefect/${basename(contextDir)}`;
  const requirements = existsSync(join(contextDir, 'requirements.txt'))
    ? [`COPY requirements.txt ${place}/requirements.txt`, `RUN uv pip install -r ${place}/requirements.txt`]
    : [];
  return `${[`FROM ${getPrefectImageName()}`, ...requirements, `COPY . ${place}/`, `WORKDIR ${place}/`].join('\n')}\n`;
}
