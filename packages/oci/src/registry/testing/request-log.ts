import type { FaultAction } from './fault-actions.ts';
import { type FaultScript, fits, kindOf, type RequestFilter, type RequestLine } from './faults.ts';
import type { Exchange, TestRequest } from './test-server.ts';
import { credentialName } from './token-service.ts';

/** One request as it was received; the counts change while it goes on. */
export interface LoggedRequest extends RequestLine, Readonly<Exchange> {
  /** `registry`, or `elsewhere`: the origin that redirects and upload Locations may lead to. */
  readonly origin: 'registry' | 'elsewhere';
  readonly headers: TestRequest['headers'];
  /** Scheme and a short name of the Authorization header; the same header has the same name. */
  readonly credential: string | undefined;
  /** Kind of the fault that struck it. */
  readonly fault: string | undefined;
}

/** Requests that came, and the faults that wait for them. */
export class RequestLog {
  readonly requests: LoggedRequest[] = [];
  readonly faults: FaultScript;

  constructor(faults: FaultScript) {
    this.faults = faults;
  }

  /** Notes a request; returns what is to go wrong with it. */
  begin(
    request: TestRequest,
    exchange: Exchange,
    origin: LoggedRequest['origin'] = 'registry',
  ): FaultAction | undefined {
    const { method, url, headers } = request;
    const line = { method, path: `${url.pathname}${url.search}`, kind: kindOf(url.pathname) };
    const action = this.faults.next(line);
    this.requests.push({
      ...line,
      origin,
      headers,
      credential: credentialName(headers.authorization),
      fault: action?.kind,
      get status() {
        return exchange.status;
      },
      get received() {
        return exchange.received;
      },
      get sent() {
        return exchange.sent;
      },
    });
    return action;
  }

  /** The requests that fit. */
  select(filter?: RequestFilter): LoggedRequest[] {
    return this.requests.filter((line) => fits(line, filter));
  }
}
