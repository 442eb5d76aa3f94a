import { jsonRequest, httpRequest } from '../../helpers/http-request';
import { HookServer } from '../../helpers/hook-server';
import { HookGate } from './hook-gate';

describe('the gate before the hooks', () => {
  let hooks: HookServer;
  let gate: HookGate;
  beforeEach(async () => {
    hooks = await HookServer.start();
    gate = await HookGate.open();
    gate.target = Number(new URL(hooks.url).port);
  });
  afterEach(async () => {
    await gate.close();
    await hooks.close();
  });

  const publish = { action: 'on_publish', stream: 'vibe', client_id: 'a' };
  const ask = (): Promise<{ status: number; json: Record<string, unknown> }> =>
    jsonRequest(`http://127.0.0.1:${gate.port}/hooks/on_publish`, { json: publish });

  it('hands hooks and answers on', async () => {
    hooks.answer = () => ({ body: '{"code":1}' });
    expect(await ask()).toEqual({ status: 200, json: { code: 1 } });
    expect(hooks.calls).toEqual([publish]);
    expect(gate.passed).toEqual([{ action: 'on_publish', fault: undefined }]);
  });

  it('answers in the daemon’s place, or late', async () => {
    gate.faultOf = (action) => (action === 'on_publish' ? { status: 500, body: '{}' } : undefined);
    expect(await ask()).toEqual({ status: 500, json: {} });
    expect(hooks.calls).toEqual([]);
    gate.faultOf = () => ({ lateMs: 30 });
    expect(await ask()).toEqual({ status: 200, json: { code: 0 } });
    expect(gate.passed).toHaveLength(2);
  });

  it('breaks off where there is no daemon', async () => {
    await hooks.close();
    await expect(httpRequest(`http://127.0.0.1:${gate.port}/hooks/on_play`)).rejects.toThrow();
    hooks = await HookServer.start();
  });
});
