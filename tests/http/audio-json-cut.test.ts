import fc from 'fast-check';
import { Problem } from '../../src/base/errors';
import { type JsonAudio, readAudioJson } from '../../src/http/audio-json';
import { readAudioBody } from '../../src/http/audio-json-cut';
import { parseJson } from '../../src/http/json-body';

/** What comes of a body, in a form that can be compared. */
function outcome(read: () => JsonAudio): unknown {
  try {
    const { bytes, ...rest } = read();
    return { ...rest, bytes: bytes.toString('hex') };
  } catch (error) {
    if (error instanceof Problem) return { code: error.code, detail: error.message };
    throw error;
  }
}

function expectAlike(body: Buffer | string): unknown {
  const bytes = Buffer.from(body);
  const cut = outcome(() => readAudioBody(bytes, {}));
  expect(cut).toEqual(outcome(() => readAudioJson(parseJson(bytes), {})));
  return cut;
}

const LONG = Buffer.from(Array.from({ length: 3840 }, (_, index) => (index * 13) & 0xff)).toString('base64');
const OTHER = Buffer.from(LONG, 'base64').reverse().toString('base64');

describe('a JSON body of which the audio is cut out', () => {
  it.each<[string, string]>([
    ['one member', `{"audioData":"${LONG}"}`],
    ['white space', ` {\n\t"audioData" : "${LONG}" , "channels" : 1 }\n`],
    ['a byte order mark', `\uFEFF{"data":"${LONG}"}`],
    ['several members', `{"creator":"Zoë","audio":"${LONG}","sequence":7,"sampleRate":"44100"}`],
    [
      'Lyria’s message',
      `{"serverContent":{"audioChunks":[{"data":"${LONG}","mimeType":"audio/l16;rate=48000"},{"data":"${OTHER}"}]}}`,
    ],
    [
      'two pieces, one of them short',
      `{"serverContent":{"audioChunks":[{"data":"${LONG}"},{"data":"AAAAAAAAAAAAAAAA"}]}}`,
    ],
  ])('is taken: %s', (_what, body) => {
    expect(expectAlike(body)).toHaveProperty('bytes');
  });

  it.each<[string, string]>([
    ['audio twice in one member', `{"audioData":"${LONG}","audioData":"${OTHER}"}`],
    ['audio after other audio in one member', `{"audioData":"${LONG}","audioData":"AAAAAAAAAAAAAAAA"}`],
    ['audio that another member goes before', `{"data":"${LONG}","audioData":"${OTHER}"}`],
    ['audio in a member that means nothing', `{"audioData":"AAAAAAAAAAAAAAAA","more":"${LONG}"}`],
    ['audio as a name', `{"audioData":"AAAAAAAAAAAAAAAA","creator":"${LONG}"}`],
    ['audio as a type', `{"audioData":"AAAAAAAAAAAAAAAA","mimeType":"${LONG}"}`],
    ['audio as a format', `{"audioData":"AAAAAAAAAAAAAAAA","format":"${LONG}"}`],
    ['audio as a number', `{"audioData":"AAAAAAAAAAAAAAAA","sequence":"${LONG}"}`],
    ['audio as a member', `{"${LONG}":"AAAAAAAAAAAAAAAA"}`],
    ['audio alone', `"${LONG}"`],
    ['audio in an array', `["${LONG}"]`],
    ['an escape before the audio', `{"audioData":"\\n${LONG}"}`],
    ['an escaped quotation mark before the audio', `{"audioData":"\\"${LONG}"}`],
    ['an escaped quotation mark behind the audio', `{"audioData":"${LONG}\\""}`],
    ['escapes in the audio', `{"audioData":"${LONG.slice(0, 2000).replaceAll('A', '\\u0041')}"}`],
    ['escaped slashes', `{"audioData":"${LONG.replaceAll('/', '\\/')}"}`],
    ['a line break in the audio', `{"audioData":"${LONG.slice(0, 2000)}\n${LONG.slice(2000)}"}`],
    ['an end before the audio’s', `{"audioData":"${LONG}`],
    ['audio between strings', `{"audioData"${LONG}"AAAA"}`],
    ['audio that is no base64', `{"audioData":"${LONG}A"}`],
    ['audio that is torn', `{"audioData":"${LONG.slice(0, 4096)}"}`],
    ['something behind the end', `{"audioData":"${LONG}"}x`],
    [
      'another format in the second chunk',
      `{"serverContent":{"audioChunks":[{"data":"${LONG}"},{"data":"${LONG}","mimeType":"audio/l16;channels=1"}]}}`,
    ],
    ['JSON within JSON', `{"audioData":"${LONG}","mimeType":"application/json"}`],
    ['more quotation marks than a chunk has', `{${'"a":"",'.repeat(300)}"audioData":"${LONG}"}`],
  ])('comes to the same as whole: %s', (_what, body) => {
    expectAlike(body);
  });

  it('is refused where it is not UTF-8 beside its audio', () => {
    const body = Buffer.concat([
      Buffer.from(`{"audioData":"${LONG}","creator":"`),
      Buffer.from([0xff]),
      Buffer.from('"}'),
    ]);
    expect(expectAlike(body)).toMatchObject({ code: 'invalid-json' });
  });

  it('comes to the same as whole, whatever is in it and wherever it is broken', () => {
    const text = fc.constantFrom(
      LONG,
      OTHER,
      'AAAAAAAA',
      LONG.slice(0, 1500),
      'ann',
      '',
      'audio/pcm',
      's16le',
      '\\',
      '"',
    );
    const value = fc.oneof(text, fc.constantFrom(7, null, 48_000), fc.array(text, { maxLength: 2 }));
    const member = fc.constantFrom(
      'audioData',
      'data',
      'audio',
      'creator',
      'mimeType',
      'format',
      'sequence',
      LONG,
    );
    const flat = fc.dictionary(member, value, { maxKeys: 4 });
    const lyria = fc
      .array(fc.record({ data: text, mimeType: text }, { requiredKeys: ['data'] }), { maxLength: 3 })
      .map((audioChunks) => ({ serverContent: { audioChunks } }));
    const change = fc.option(
      fc.tuple(fc.nat(), fc.constantFrom('"', '\\', ',', 'A', ' ', '\n', '}', 'é', '')),
      { nil: undefined },
    );
    const property = fc.property(fc.oneof(flat, lyria), change, (said, changed) => {
      const json = JSON.stringify(said);
      const at = changed ? changed[0] % json.length : 0;
      expectAlike(changed ? json.slice(0, at) + changed[1] + json.slice(at + 1) : json);
    });
    fc.assert(property, { numRuns: 2_000 });
  });
});
