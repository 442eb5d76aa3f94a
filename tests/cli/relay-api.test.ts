import { RelayApi, Unreachable, localUrl } from '../../src/cli/relay-api';
import { FakeRelay } from '../helpers/fake-relay';
import { freePort } from '../helpers/free-port';

describe('the relay as commands see it', () => {
  let relay: FakeRelay;
  let api: RelayApi;
  beforeEach(async () => {
    relay = await FakeRelay.start();
    api = new RelayApi(`${relay.url}/`);
  });
  afterEach(() => relay.close());

  it('is asked with JSON', async () => {
    await api.start('hello', { creator: 'ana', title: 'Friday' });
    expect(relay.requests[0]).toMatchObject({ method: 'POST', path: '/stream/hello/start' });
    expect(JSON.parse(relay.requests[0]!.body.toString())).toEqual({ creator: 'ana', title: 'Friday' });
  });

  it('refuses in one sentence, with exit code 69', async () => {
    const problem = {
      title: 'Taken',
      detail: 'The vibe is held by another creator.',
      code: 'creator-conflict',
    };
    relay.onRequest = () => ({ status: 409, json: problem });
    await expect(api.start('hello', {})).rejects.toMatchObject({
      message: 'The relay refused (409 creator-conflict): The vibe is held by another creator.',
      exitCode: 69,
      status: 409,
    });
  });

  it('is waited for while a vibe of that name plays out', async () => {
    const ending = { status: 409, json: { code: 'vibe-ending' }, headers: { 'retry-after': '0' } };
    relay.onRequest = () => (relay.requests.length < 3 ? ending : { json: { state: 'starting' } });
    await expect(api.start('hello', {})).resolves.toEqual({ state: 'starting' });
    expect(relay.requests).toHaveLength(3);
  });

  it('has no status of a vibe that is not there', async () => {
    relay.onRequest = () => ({ status: 404, json: { code: 'vibe-not-found' } });
    await expect(api.status('hello')).resolves.toBeUndefined();
  });

  it('is not mistaken for something else that answers', async () => {
    relay.onStream = (_path, response) => {
      response.end('<html>');
      return true;
    };
    await expect(api.status('hello')).rejects.toThrow('answered 200, and not like a relay');
  });

  it('says where nobody answers, and why', async () => {
    const nobody = new RelayApi(`http://127.0.0.1:${await freePort()}`);
    await expect(nobody.status('hello')).rejects.toThrow(Unreachable);
    await expect(nobody.status('hello')).rejects.toThrow(/No relay answers at .* \(ECONNREFUSED\)/);
  });

  it('has doors for POSTs and for WebSockets', () => {
    const tls = new RelayApi('https://relay.example/base');
    expect(tls.audioUrl('hello', { creator: 'A & B' }, 'ws')).toBe(
      'wss://relay.example/base/stream/hello/audio?creator=A+%26+B',
    );
    expect(tls.audioUrl('hello', { creator: undefined }, 'http')).toBe(
      'https://relay.example/base/stream/hello/audio',
    );
  });

  it.each(['localhost:3001', 'ftp://x', 'http://', ''])('is not at %p', (url) => {
    expect(() => new RelayApi(url)).toThrow(/is not a URL/);
  });

  it('is reached at an address that can be connected to', () => {
    expect(localUrl({ host: '0.0.0.0', port: 1 })).toBe('http://localhost:1');
    expect(localUrl({ host: '::1', port: 1 })).toBe('http://[::1]:1');
    expect(localUrl({ host: '127.0.0.1', port: 1 })).toBe('http://127.0.0.1:1');
  });
});
