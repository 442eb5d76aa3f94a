import { createHmac, randomBytes } from 'node:crypto';

/** RFC 8489. */
const BINDING_REQUEST = 0x0001;
const MAGIC_COOKIE = 0x2112a442;
const HEADER_BYTES = 20;
const USERNAME = 0x0006;
const MESSAGE_INTEGRITY = 0x0008;
/** RFC 8445: we are the side that decides, and this is the pair that is used. */
const PRIORITY = 0x0024;
const USE_CANDIDATE = 0x0025;
const ICE_CONTROLLING = 0x802a;
/** Of a host candidate with one component. */
const HOST_PRIORITY = 0x7e0000ff;
const INTEGRITY_BYTES = 4 + 20;

/**
 * The message by which an ICE agent opens a path to another, and keeps it open.
 * @param username the other side's name, a colon, and our own
 * @param password the other side's
 */
export function bindingRequest(username: string, password: string): Buffer {
  const attributes = Buffer.concat([
    attribute(USERNAME, Buffer.from(username)),
    attribute(PRIORITY, uint32(HOST_PRIORITY)),
    attribute(USE_CANDIDATE, Buffer.alloc(0)),
    attribute(ICE_CONTROLLING, randomBytes(8)),
  ]);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(BINDING_REQUEST, 0);
  // The length counts the integrity as well, although that is made over what stands before it.
  header.writeUInt16BE(attributes.length + INTEGRITY_BYTES, 2);
  header.writeUInt32BE(MAGIC_COOKIE, 4);
  randomBytes(12).copy(header, 8);
  const signed = Buffer.concat([header, attributes]);
  const integrity = createHmac('sha1', password).update(signed).digest();
  return Buffer.concat([signed, attribute(MESSAGE_INTEGRITY, integrity)]);
}

function attribute(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(value.length, 2);
  return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
