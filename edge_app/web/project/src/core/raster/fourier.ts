/** The discrete Fourier transform of planes in 64 bits: Stockham's, whose results need no sorting (Stockham 1966). */

/** A complex plane (height, width) by rows. */
export interface Complex {
  readonly height: number;
  readonly width: number;
  readonly re: Float64Array;
  readonly im: Float64Array;
}

const RADICES = [2, 3, 5] as const;

/** The least length that is no shorter and has no prime factors but 2, 3 and 5. */
export function fastLength(least: number): number {
  for (let length = least; ; length++) {
    if (factorsOf(length) !== null) {
      return length;
    }
  }
}

/** The transform of a plane, rows and columns exchanged; back with `sign` 1, where it is scaled by the size. */
export function transform(plane: Complex, sign: 1 | -1): Complex {
  return down(turned(down(plane, sign)), sign);
}

function factorsOf(length: number): number[] | null {
  const factors: number[] = [];
  for (const radix of RADICES) {
    while (length % radix === 0) {
      factors.push(radix);
      length /= radix;
    }
  }
  return length === 1 ? factors : null;
}

function turned({ height, width, re, im }: Complex): Complex {
  const other = { height: width, width: height, re: new Float64Array(re.length), im: new Float64Array(im.length) };
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      other.re[column * height + row] = re[row * width + column]!;
      other.im[column * height + row] = im[row * width + column]!;
    }
  }
  return other;
}

/** The transform of every column. */
function down(plane: Complex, sign: 1 | -1): Complex {
  let here = { re: plane.re, im: plane.im };
  let length = plane.height;
  let stride = plane.width;
  for (const radix of factorsOf(length) ?? []) {
    here = (radix === 2 ? halves : pass)(here, length, stride, radix, sign);
    length /= radix;
    stride *= radix;
  }
  return { height: plane.height, width: plane.width, ...here };
}

type Parts = Pick<Complex, "re" | "im">;

/** One pass: `stride` interleaved transforms of `length` become `radix` times as many of a `radix`th of the length. */
function pass({ re, im }: Parts, length: number, stride: number, radix: number, sign: number): Parts {
  const result = { re: new Float64Array(re.length), im: new Float64Array(im.length) };
  const part = length / radix;
  const unit = (sign * 2 * Math.PI) / length;
  for (let place = 0; place < part; place++) {
    for (let output = 0; output < radix; output++) {
      const to = stride * (radix * place + output);
      for (let input = 0; input < radix; input++) {
        const from = stride * (place + part * input);
        const angle = unit * ((part * input * output + place * output) % length);
        add(re, im, from, result, to, stride, Math.cos(angle), Math.sin(angle));
      }
    }
  }
  return result;
}

/** The pass of radix 2, in a third of the steps. */
function halves({ re, im }: Parts, length: number, stride: number, _radix: number, sign: number): Parts {
  const result = { re: new Float64Array(re.length), im: new Float64Array(im.length) };
  const half = (length / 2) * stride;
  for (let place = 0; place < length / 2; place++) {
    const c = Math.cos((sign * 2 * Math.PI * place) / length);
    const s = Math.sin((sign * 2 * Math.PI * place) / length);
    const to = 2 * place * stride;
    for (let from = place * stride, at = to; from < (place + 1) * stride; from++, at++) {
      const x = re[from]! - re[from + half]!;
      const y = im[from]! - im[from + half]!;
      result.re[at] = re[from]! + re[from + half]!;
      result.im[at] = im[from]! + im[from + half]!;
      result.re[at + stride] = x * c - y * s;
      result.im[at + stride] = x * s + y * c;
    }
  }
  return result;
}

function add(re: Float64Array, im: Float64Array, from: number, to: Parts, at: number, n: number, c: number, s: number) {
  for (let place = 0; place < n; place++) {
    const x = re[from + place]!;
    const y = im[from + place]!;
    to.re[at + place]! += x * c - y * s;
    to.im[at + place]! += x * s + y * c;
  }
}
