import http from 'node:http';
import https from 'node:https';

/** The authority that signed what the servers under test show; none until a test says so. */
let authority: Buffer | undefined;

/** From now on, requests of this process believe certificates of this authority, and of no other. */
export function trust(ca: Buffer | undefined): void {
  authority = ca;
}

/** What TLS clients that do not come from here, such as `ws`, must be told. Empty without an authority. */
export function trusted(): { ca?: Buffer } {
  return authority ? { ca: authority } : {};
}

/** `http.request`, or `https.request` where the URL says so. */
export function webRequest(
  url: string,
  options: http.RequestOptions,
  onAnswer?: (answer: http.IncomingMessage) => void,
): http.ClientRequest {
  return isSecure(url)
    ? https.request(url, { ...options, ...trusted() }, onAnswer)
    : http.request(url, options, onAnswer);
}

/** An agent of the URL's kind. */
export function webAgent(url: string, options: http.AgentOptions): http.Agent {
  return isSecure(url) ? new https.Agent({ ...options, ...trusted() }) : new http.Agent(options);
}

function isSecure(url: string): boolean {
  return url.startsWith('https:');
}
