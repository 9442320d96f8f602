/** Connected areas of a mask; pixels that meet at a corner are connected. */

/** The first and the last column and row of an area, and how many pixels it has. */
export interface Area {
  left: number;
  right: number;
  top: number;
  bottom: number;
  size: number;
}

/** The areas of a mask (height, width) by rows, of which what is not 0 counts, in the order of their first pixels. */
export function areasOf(mask: Uint8Array, width: number): Area[] {
  const height = mask.length / width;
  const left = Uint8Array.from(mask);
  const stack: number[] = [];
  const areas: Area[] = [];
  for (let first = 0; first < left.length; first++) {
    if (left[first]) {
      left[first] = 0;
      stack.push(first);
      areas.push(grown(left, width, height, stack));
    }
  }
  return areas;
}

/** The area of the pixel on the stack; its pixels are taken out of the mask. */
function grown(mask: Uint8Array, width: number, height: number, stack: number[]): Area {
  const area = { left: width, right: -1, top: height, bottom: -1, size: 0 };
  for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
    const [row, column] = [Math.floor(place / width), place % width];
    area.left = Math.min(area.left, column);
    area.right = Math.max(area.right, column);
    area.top = Math.min(area.top, row);
    area.bottom = Math.max(area.bottom, row);
    area.size++;
    for (let y = Math.max(row - 1, 0); y <= Math.min(row + 1, height - 1); y++) {
      for (let x = Math.max(column - 1, 0); x <= Math.min(column + 1, width - 1); x++) {
        if (mask[y * width + x]) {
          mask[y * width + x] = 0;
          stack.push(y * width + x);
        }
      }
    }
  }
  return area;
}
