import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';

/** Somebody who listens on a TCP port of this machine. */
export interface PortHolder {
  /** As the kernel knows it: `127.0.0.1`, `::`; IPv4 in IPv6 clothes is shown as IPv4. */
  readonly address: string;
  /** `nginx (pid 1234)`, where the kernel tells this user. */
  readonly program?: string;
}

const LISTEN = '0A';

/** Who listens on a port, from `/proc`; nobody is found elsewhere than on Linux. */
export function portHolders(port: number): PortHolder[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const found: { address: string; inode: string }[] = [];
  for (const table of ['tcp', 'tcp6']) {
    for (const line of readOrEmpty(`/proc/net/${table}`).split('\n').slice(1)) {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
      const [address = '', itsPort] = local.split(':');
      if (itsPort === hex && state === LISTEN) found.push({ address: readAddress(address), inode });
    }
  }
  if (found.length === 0) return [];
  const programs = programsOf(new Set(found.map(({ inode }) => inode)));
  return found.map(({ address, inode }) => {
    const program = programs.get(inode);
    return program === undefined ? { address } : { address, program };
  });
}

/** Whether who listens there can only be reached from this machine. */
export function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

/** The kernel writes addresses in hexadecimal, each four bytes as a number of this machine's byte order. */
function readAddress(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => (word.match(/../g) ?? []).reverse());
  if (bytes.length === 4) return bytes.map((byte) => parseInt(byte, 16)).join('.');
  const text = bytes.join('').toLowerCase();
  if (text === '0'.repeat(32)) return '::';
  if (text === `${'0'.repeat(31)}1`) return '::1';
  if (text.startsWith(`${'0'.repeat(20)}ffff`)) return readAddress(hex.slice(24));
  return (text.match(/.{4}/g) ?? []).join(':');
}

/** Which program holds each of these sockets. Only one's own programs can be seen without being root. */
function programsOf(inodes: ReadonlySet<string>): Map<string, string> {
  const found = new Map<string, string>();
  for (const pid of list('/proc').filter((name) => /^\d+$/.test(name))) {
    for (const descriptor of list(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(linkOrEmpty(`/proc/${pid}/fd/${descriptor}`))?.[1];
      if (inode === undefined || !inodes.has(inode)) continue;
      found.set(inode, `${programName(pid)} (pid ${pid})`);
    }
  }
  return found;
}

/** By its file: what a process calls itself may be the name of a thread. */
function programName(pid: string): string {
  const file = linkOrEmpty(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, '');
  return path.basename(file) || readOrEmpty(`/proc/${pid}/comm`).trim();
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function linkOrEmpty(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
