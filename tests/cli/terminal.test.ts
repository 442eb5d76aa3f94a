import { StatusLine, clockText, decibels, levelBar } from '../../src/cli/terminal';
import { Capture } from '../helpers/captured-output';

describe('a status line', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('is rewritten in place on a terminal, and cut to its width', () => {
    const screen = Object.assign(new Capture(), { isTTY: true, columns: 8 });
    let count = 0;
    const line = new StatusLine(screen, () => `line ${(count += 1)} of many`);
    jest.advanceTimersByTime(500);
    line.close();
    expect(screen.text).toBe('\r\u001b[2Kline 1 \r\r\u001b[2Kline 2 \r\r\u001b[2K');
  });

  it('is a new line every five seconds elsewhere', () => {
    const log = new Capture();
    const line = new StatusLine(log, () => 'still here');
    jest.advanceTimersByTime(11_000);
    line.close();
    jest.advanceTimersByTime(11_000);
    expect(log.text).toBe('still here\nstill here\n');
  });

  it('makes room for a note', () => {
    const screen = Object.assign(new Capture(), { isTTY: true, columns: 80 });
    const line = new StatusLine(screen, () => 'now');
    jest.advanceTimersByTime(250);
    line.note('something happened');
    line.close();
    expect(screen.text).toBe('\r\u001b[2Know\r\r\u001b[2Ksomething happened\n');
  });
});

describe('figures for people', () => {
  it.each([
    [0, '0:00'],
    [67.9, '1:07'],
    [3_727, '1:02:07'],
  ])('say %s seconds as %s', (seconds, text) => {
    expect(clockText(seconds)).toBe(text);
  });

  it.each([
    [0, '████'],
    [-30, '██··'],
    [-90, '····'],
  ])('draw %s dBFS as %s', (dbfs, bar) => {
    expect(levelBar(dbfs, 4)).toBe(bar);
  });

  it('call silence silence', () => {
    expect(decibels(-120)).toBe('silence');
    expect(decibels(-12.34)).toBe('-12.3 dBFS');
  });
});
