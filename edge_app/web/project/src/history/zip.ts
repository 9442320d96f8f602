/** ZIP files without compression (PKWARE APPNOTE 6.3): written piece by piece, read by their directory. */

import { crc32, joined } from "../core/bytes";

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
const MAX_COMMENT = 0xffff;
/** Beyond these a file needs ZIP64, which no history of a browser comes near. */
const MOST_BYTES = 0xffff_ffff;
const MOST_MEMBERS = 0xffff;
const ENCRYPTED = 0x1;
const OWNER_ONLY = 0o100600 << 16;

/** A file in an archive: where its bytes begin is known once it is read. */
export interface Member {
  readonly name: string;
  readonly sizeBytes: number;
  readonly offset: number;
}

/** Collects members; every piece that is added is a `Blob` of its own, which the browser may keep on the disk. */
export class ZipWriter {
  private readonly pieces: BlobPart[] = [];
  private readonly directory: Uint8Array<ArrayBuffer>[] = [];
  private size = 0;

  constructor(private readonly now: Date) {}

  /** Add a member; RangeError where the archive would need ZIP64. */
  add(name: string, bytes: Uint8Array<ArrayBuffer>): void {
    const path = new TextEncoder().encode(name);
    const about = this.about(bytes, path.length);
    const header = joined([
      numbers([
        [4, LOCAL],
        [2, 20],
      ]),
      about,
      numbers([[2, 0]]),
      path,
    ]);
    this.directory.push(
      joined([
        numbers([
          [4, CENTRAL],
          [2, (3 << 8) | 20],
          [2, 20],
        ]),
        about,
        numbers([
          [2, 0],
          [2, 0],
          [2, 0],
          [2, 0],
          [4, OWNER_ONLY >>> 0],
          [4, this.size],
        ]),
        path,
      ]),
    );
    this.pieces.push(new Blob([header, bytes]));
    this.size += header.length + bytes.length;
    if (this.size > MOST_BYTES || this.directory.length >= MOST_MEMBERS)
      throw new RangeError("too large for a ZIP file");
  }

  /** The whole archive. */
  close(): Blob {
    const directory = joined(this.directory);
    const count = this.directory.length;
    const end = numbers([
      [4, END],
      [2, 0],
      [2, 0],
      [2, count],
      [2, count],
      [4, directory.length],
      [4, this.size],
      [2, 0],
    ]);
    return new Blob([...this.pieces, directory, end], { type: "application/zip" });
  }

  /** What both headers of a member say: flags, method, time, date, checksum, sizes, length of the name. */
  private about(bytes: Uint8Array, nameBytes: number): Uint8Array<ArrayBuffer> {
    const { now } = this;
    const time = (now.getHours() << 11) | (now.getMinutes() << 5) | (now.getSeconds() >> 1);
    const date = (Math.max(0, now.getFullYear() - 1980) << 9) | ((now.getMonth() + 1) << 5) | now.getDate();
    return numbers([
      [2, 0],
      [2, 0],
      [2, time],
      [2, date],
      [4, crc32(bytes)],
      [4, bytes.length],
      [4, bytes.length],
      [2, nameBytes],
    ]);
  }
}

/** The members of an archive, read without their bytes; throws where it is none, or holds what none of ours does. */
export async function readDirectory(file: Blob): Promise<readonly Member[]> {
  const tail = await view(file, Math.max(0, file.size - END_BYTES - MAX_COMMENT), file.size);
  let at = tail.byteLength - END_BYTES;
  while (at >= 0 && tail.getUint32(at, true) !== END) at -= 1;
  if (at < 0) throw new Error("no ZIP file");
  const count = tail.getUint16(at + 10, true);
  const [size, start] = [tail.getUint32(at + 12, true), tail.getUint32(at + 16, true)];
  if (start + size > file.size) throw new Error("the directory is cut off");
  const directory = await view(file, start, start + size);
  const members: Member[] = [];
  let place = 0;
  for (let number = 0; number < count; number++) {
    const [member, length] = memberAt(directory, place);
    members.push(member);
    place += length;
  }
  if (new Set(members.map((member) => member.name)).size < members.length) throw new Error("a name comes twice");
  if (members.reduce((sum, member) => sum + member.sizeBytes, 0) > file.size) {
    throw new Error("it claims to hold more than its own size");
  }
  return members;
}

/** The bytes of a member. */
export async function readMember(file: Blob, member: Member): Promise<Uint8Array<ArrayBuffer>> {
  const header = await view(file, member.offset, member.offset + LOCAL_BYTES);
  if (header.getUint32(0, true) !== LOCAL) throw new Error("a member is not where it should be");
  const start = member.offset + LOCAL_BYTES + header.getUint16(26, true) + header.getUint16(28, true);
  const bytes = new Uint8Array(await file.slice(start, start + member.sizeBytes).arrayBuffer());
  if (bytes.length !== member.sizeBytes) throw new Error("a member is cut off");
  return bytes;
}

function memberAt(directory: DataView, at: number): readonly [Member, number] {
  if (directory.getUint32(at, true) !== CENTRAL) throw new Error("the directory is damaged");
  const flags = directory.getUint16(at + 8, true);
  const method = directory.getUint16(at + 10, true);
  const [packed, sizeBytes] = [directory.getUint32(at + 20, true), directory.getUint32(at + 24, true)];
  const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((place) => directory.getUint16(at + place, true)) as [
    number,
    number,
    number,
  ];
  const name = new TextDecoder("utf-8", { fatal: true }).decode(
    new Uint8Array(directory.buffer, directory.byteOffset + at + CENTRAL_BYTES, nameBytes),
  );
  if (method !== 0 || packed !== sizeBytes || flags & ENCRYPTED) throw new Error("a member is compressed or encrypted");
  if (sizeBytes === MOST_BYTES) throw new RangeError("too large");
  const member = { name, sizeBytes, offset: directory.getUint32(at + 42, true) };
  return [member, CENTRAL_BYTES + nameBytes + extraBytes + commentBytes];
}

async function view(file: Blob, start: number, end: number): Promise<DataView> {
  return new DataView(await file.slice(start, end).arrayBuffer());
}

/** Whole numbers of 2 or 4 bytes each, the lowest byte first. */
function numbers(fields: readonly (readonly [2 | 4, number])[]): Uint8Array<ArrayBuffer> {
  const bytes = new DataView(new ArrayBuffer(fields.reduce((sum, [size]) => sum + size, 0)));
  let at = 0;
  for (const [size, value] of fields) {
    if (size === 2) bytes.setUint16(at, value, true);
    else bytes.setUint32(at, value, true);
    at += size;
  }
  return new Uint8Array(bytes.buffer);
}
