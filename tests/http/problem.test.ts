import { Problem, PROBLEMS, type ProblemCode } from '../../src/base/errors';
import { problemDocument, problemHeaders, toProblem } from '../../src/http/problem';
import { silentLogger } from '../helpers/silent-logger';

const ABOUT = { instance: '/stream/v', requestId: 'r' };

describe('a problem document', () => {
  it.each(Object.keys(PROBLEMS) as ProblemCode[])('says %s in all its members', (code) => {
    const document = problemDocument(new Problem(code, 'Because.', { bufferedMs: 7 }), ABOUT);
    expect(document).toEqual({
      type: `urn:vibesflow:problem:${code}`,
      title: PROBLEMS[code].title,
      status: PROBLEMS[code].status,
      detail: 'Because.',
      instance: '/stream/v',
      code,
      requestId: 'r',
      error: 'Because.',
      bufferedMs: 7,
    });
  });

  it('keeps its members against more of the same name', () => {
    const problem = new Problem('draining', 'Because.', { status: 200, code: 'x', error: 'y' });
    expect(problemDocument(problem, ABOUT)).toMatchObject({
      status: 503,
      code: 'draining',
      error: 'Because.',
    });
  });
});

describe('the headers of a problem', () => {
  it.each<[ProblemCode, Record<string, unknown>, string | undefined]>([
    ['buffer-full', {}, '1'],
    ['buffer-full', { retryAfterSeconds: 0.2 }, '1'],
    ['buffer-full', { retryAfterSeconds: 2.1 }, '3'],
    ['vibe-ending', { retryAfterSeconds: 5 }, '5'],
    ['vibe-ending', {}, undefined],
  ])('of %s with %j say when to come back', (code, extra, retryAfter) => {
    expect(problemHeaders(new Problem(code, 'x', extra))['Retry-After']).toBe(retryAfter);
  });
});

describe('an error that is no problem', () => {
  const about = { path: '/x', requestId: 'r' };

  it('is a bad request where the client’s escapes or headers are at fault', () => {
    expect(toProblem(new URIError('x'), silentLogger, about).code).toBe('bad-request');
    expect(toProblem(Object.assign(new Error('x'), { status: 412 }), silentLogger, about).code).toBe(
      'bad-request',
    );
  });

  it.each([
    new Error('secret'),
    'secret',
    undefined,
    null,
    Object.assign(new Error('secret'), { status: 500 }),
  ])('is our own mistake otherwise: %p', (error) => {
    const problem = toProblem(error, silentLogger, about);
    expect(problem.code).toBe('internal-error');
    expect(problem.message).not.toContain('secret');
  });
});
