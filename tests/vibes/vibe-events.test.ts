import { type VibeEvent, VibeEventHub } from '../../src/vibes/vibe-events';

describe('the hub of a vibe’s events', () => {
  it('hands each event to every subscriber, with the time', () => {
    const hub = new VibeEventHub(() => 42);
    const first: VibeEvent[] = [];
    const second: VibeEvent[] = [];
    hub.subscribe((event) => first.push(event));
    const unsubscribe = hub.subscribe((event) => second.push(event));
    hub.emit(() => ({ type: 'counts', participantCount: 1, listeners: 2 }));
    unsubscribe();
    hub.emit(() => ({ type: 'counts', participantCount: 0, listeners: 2 }));
    expect(first).toEqual([
      { type: 'counts', participantCount: 1, listeners: 2, atMs: 42 },
      { type: 'counts', participantCount: 0, listeners: 2, atMs: 42 },
    ]);
    expect(second).toHaveLength(1);
  });

  it('does not even build an event that nobody wants', () => {
    const build = jest.fn();
    new VibeEventHub(() => 0).emit(build);
    expect(build).not.toHaveBeenCalled();
  });
});
