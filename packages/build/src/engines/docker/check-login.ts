import { BoxwrightError, escapeForTerminal } from '@boxwright/errors';
import type { Credential, EngineClient } from '@boxwright/oci';
import { authConfig } from './registry-auth.ts';

/**
 * Has the engine try a credential at a registry (`POST /auth`). Nothing is stored, neither there nor here.
 *
 * @throws BoxwrightError ENGINE_LOGIN_FAILED, and those of the client
 */
export async function checkEngineLogin(
  client: EngineClient,
  registry: string,
  credential: Credential,
  signal?: AbortSignal,
): Promise<void> {
  try {
    const body = { json: authConfig(credential, registry) };
    const response = await client.request({ method: 'POST', path: '/auth', body, signal });
    await response.discard();
  } catch (error) {
    if (!(error instanceof BoxwrightError) || error.code !== 'ENGINE_FAILED') throw error;
    throw new BoxwrightError('ENGINE_LOGIN_FAILED', `${escapeForTerminal(registry)}: ${error.message}`, {
      hint: 'check user name, password and the name of the registry',
      cause: error,
      details: error.details,
    });
  }
}
