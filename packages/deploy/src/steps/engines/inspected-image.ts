import { isBoxwrightError } from '@boxwright/errors';
import { type EngineClient, familiarName, parseReference } from '@boxwright/oci';

/** What a Docker Engine says of an image. */
export interface InspectedImage {
  readonly id: string;
  readonly bytes: number | undefined;
}

/** Looks an image up by name or id; undefined when the engine has none. @throws BoxwrightError of the client */
export async function inspectedImage(client: EngineClient, name: string): Promise<InspectedImage | undefined> {
  // The engine's paths have slashes as they are; anything but a name or an id would be another path.
  const path = /^sha256:[0-9a-f]{64}$/.test(name) ? name : familiarName(parseReference(name));
  try {
    const response = await client.request({ method: 'GET', path: `/images/${path}/json` });
    const answer = await response.json();
    if (typeof answer !== 'object' || answer === null || !('Id' in answer) || typeof answer.Id !== 'string')
      return undefined;
    const bytes = 'Size' in answer && typeof answer.Size === 'number' ? answer.Size : undefined;
    return { id: answer.Id, bytes };
  } catch (error) {
    if (isBoxwrightError(error) && error.code === 'ENGINE_NOT_FOUND') return undefined;
    throw error;
  }
}
