/** What AMF0 can say, as far as RTMP publishers say it. Dates and XML come as numbers and strings. */
export type AmfValue = number | boolean | string | null | undefined | AmfObject | AmfValue[];
export interface AmfObject {
  [key: string]: AmfValue;
}

const NUMBER = 0;
const BOOLEAN = 1;
const STRING = 2;
const OBJECT = 3;
const NULL = 5;
const UNDEFINED = 6;
const ECMA_ARRAY = 8;
const OBJECT_END = 9;
const STRICT_ARRAY = 10;
const DATE = 11;
const LONG_STRING = 12;
const XML_DOCUMENT = 15;

/** Objects within objects: a real command has two levels. */
const MAX_DEPTH = 8;
const MAX_STRICT_ARRAY = 1024;

/**
 * All values of an AMF0 message, one after the other.
 * @throws {Error} where the bytes are not AMF0, end too early or nest too deep
 */
export function decodeAmf0(bytes: Buffer): AmfValue[] {
  const reader = new Reader(bytes);
  const values: AmfValue[] = [];
  while (reader.hasMore) values.push(reader.value(0));
  return values;
}

/** AMF0 of these values. Arrays are written as strict arrays, `undefined` as undefined. */
export function encodeAmf0(...values: readonly AmfValue[]): Buffer {
  return Buffer.concat(values.map(encodeValue));
}

/** A name and an ECMA array: the shape in which FLV carries `onMetaData`. */
export function encodeAmf0Script(name: string, members: AmfObject): Buffer {
  const count = Buffer.alloc(5);
  count[0] = ECMA_ARRAY;
  count.writeUInt32BE(Object.keys(members).length, 1);
  return Buffer.concat([encodeValue(name), count, encodeValue(members).subarray(1)]);
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get hasMore(): boolean {
    return this.#at < this.#bytes.length;
  }

  value(depth: number): AmfValue {
    if (depth > MAX_DEPTH) throw new Error('AMF0 nests too deep');
    const type = this.#take(1).readUInt8(0);
    switch (type) {
      case NUMBER:
        return this.#take(8).readDoubleBE(0);
      case BOOLEAN:
        return this.#take(1)[0] !== 0;
      case STRING:
        return this.#text(2);
      case LONG_STRING:
      case XML_DOCUMENT:
        return this.#text(4);
      case OBJECT:
        return this.#members(depth);
      case ECMA_ARRAY:
        this.#take(4);
        return this.#members(depth);
      case STRICT_ARRAY:
        return this.#items(depth);
      case DATE:
        return this.#take(10).readDoubleBE(0);
      case NULL:
        return null;
      case UNDEFINED:
        return undefined;
      default:
        throw new Error(`AMF0 type ${type} is not known here`);
    }
  }

  #members(depth: number): AmfObject {
    // Without a prototype, so that a member called __proto__ is only a member.
    const object = Object.create(null) as AmfObject;
    for (;;) {
      const key = this.#text(2);
      if (key === '' && this.#bytes[this.#at] === OBJECT_END) {
        this.#at += 1;
        return object;
      }
      object[key] = this.value(depth + 1);
    }
  }

  #items(depth: number): AmfValue[] {
    const count = this.#take(4).readUInt32BE(0);
    if (count > MAX_STRICT_ARRAY) throw new Error('an AMF0 array is too long');
    return Array.from({ length: count }, () => this.value(depth + 1));
  }

  #text(lengthBytes: 2 | 4): string {
    return this.#take(this.#take(lengthBytes).readUIntBE(0, lengthBytes)).toString('utf8');
  }

  #take(length: number): Buffer {
    if (length > this.#bytes.length - this.#at) throw new Error('AMF0 ends too early');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

function encodeValue(value: AmfValue): Buffer {
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(9);
    bytes.writeDoubleBE(value, 1);
    return bytes;
  }
  if (typeof value === 'boolean') return Buffer.from([BOOLEAN, value ? 1 : 0]);
  if (typeof value === 'string') return Buffer.concat([Buffer.from([STRING]), encodeText(value)]);
  if (value === null) return Buffer.from([NULL]);
  if (value === undefined) return Buffer.from([UNDEFINED]);
  if (Array.isArray(value)) {
    const head = Buffer.alloc(5);
    head[0] = STRICT_ARRAY;
    head.writeUInt32BE(value.length, 1);
    return Buffer.concat([head, ...value.map(encodeValue)]);
  }
  const members = Object.entries(value).flatMap(([key, member]) => [encodeText(key), encodeValue(member)]);
  return Buffer.concat([Buffer.from([OBJECT]), ...members, Buffer.from([0, 0, OBJECT_END])]);
}

function encodeText(text: string): Buffer {
  const utf8 = Buffer.from(text, 'utf8').subarray(0, 0xffff);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(utf8.length);
  return Buffer.concat([length, utf8]);
}
