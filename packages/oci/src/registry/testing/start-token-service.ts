import { type Fault, FaultScript } from './faults.ts';
import { type LoggedRequest, RequestLog } from './request-log.ts';
import { serve } from './test-server.ts';
import { TokenService, type TokenServiceOptions } from './token-service.ts';

/** A token service on its own, for registries that are other programs. */
export interface RunningTokenService {
  /** `http://127.0.0.1:PORT/token` */
  readonly realm: string;
  readonly requests: LoggedRequest[];
  readonly service: TokenService;
  readonly faults: FaultScript;
  close(): Promise<void>;
}

/** Starts a token service; with `signing`, CNCF Distribution takes its tokens. */
export async function startTokenService(
  options: TokenServiceOptions & { readonly faults?: readonly Fault[] },
): Promise<RunningTokenService> {
  const log = new RequestLog(new FaultScript(options.faults));
  const service = new TokenService(options);
  const server = await serve((request) => service.handle(request), {
    begin: (request, exchange) => log.begin(request, exchange),
  });
  return {
    realm: `${server.url}/token`,
    requests: log.requests,
    service,
    faults: log.faults,
    close: () => server.close(),
  };
}
